/* SPDX-License-Identifier: ISC */

/*
 * What keys do.  Names are those of KeyboardEvent.key, with "Ctrl+", "Alt+"
 * or "Meta+" in front; a capital letter is itself.  Where something is typed
 * in, and in dialogs, keys are for that.
 */

/* Where keys have a meaning of their own. */
const ELSEWHERE =
    "input, textarea, select, dialog, [contenteditable]";

export class Keys {
	#actions = new Map();
	#bindings = [];

	constructor(target) {
		target.addEventListener("keydown", (event) =>
		    this.#pressed(event));
	}

	/* names: one or several keys; text: for who asks what they do. */
	add(names, text, action) {
		const keys = [names].flat();

		for (const key of keys)
			this.#actions.set(key, action);
		this.#bindings.push({ keys, text });
	}

	all() {
		return [...this.#bindings];
	}

	#pressed(event) {
		const action = this.#actions.get(nameOf(event));

		if (action === undefined || event.isComposing ||
		    isTypedInto(event.target))
			return;
		event.preventDefault();
		action(event);
	}
}

function nameOf({ key, ctrlKey, altKey, metaKey, shiftKey }) {
	const shift = shiftKey && key.length > 1 ? "Shift+" : "";

	return (ctrlKey ? "Ctrl+" : "") + (altKey ? "Alt+" : "") +
	    (metaKey ? "Meta+" : "") + shift + key;
}

function isTypedInto(target) {
	return target.closest?.(ELSEWHERE) != null;
}
