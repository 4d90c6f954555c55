/* SPDX-License-Identifier: ISC */

/* The list of keys, from what the page has bound to them. */

import { button, element } from "./widgets.js";

const NAMES = { " ": "Space", ArrowDown: "\u2193", ArrowUp: "\u2191" };

export class Help {
	#dialog = element("dialog");
	#keys;

	constructor(parent, keys) {
		this.#keys = keys;
		this.#dialog.id = "help";
		this.#dialog.setAttribute("aria-labelledby", "help-title");
		this.#dialog.addEventListener("click", (event) => {
			if (event.target === this.#dialog)
				this.#dialog.close();
		});
		parent.append(this.#dialog);
	}

	open() {
		if (!this.#dialog.open) {
			this.#fill();
			this.#dialog.showModal();
		}
	}

	#fill() {
		const title = element("h2", "", "Keys");
		const list = element("dl");

		title.id = "help-title";
		for (const { keys, text } of this.#keys.all()) {
			const pair = element("div");
			const term = element("dt");

			for (const key of keys)
				term.append(element("kbd", "", NAMES[key] ?? key));
			pair.append(term, element("dd", "", text));
			list.append(pair);
		}
		this.#dialog.replaceChildren(title,
		    button("\u2715", "close", () => this.#dialog.close()), list);
	}
}
