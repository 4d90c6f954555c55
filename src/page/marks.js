/* SPDX-License-Identifier: ISC */

/*
 * The lines that the page's address points at: #L120, or #L120-L140.  A click
 * on a number marks its line, one with the shift key all up to it.
 */

export class Marks extends EventTarget {
	first = null;
	last = null;
	#anchor = null; /* where the marked lines begin, or end */

	constructor(element) {
		super();
		element.addEventListener("click", (event) =>
		    this.#clicked(event));
		addEventListener("hashchange", () => this.#read());
		this.#read();
	}

	has(seq) {
		return this.first !== null && seq >= this.first &&
		    seq <= this.last;
	}

	set(first, last = first) {
		this.first = Math.min(first, last);
		this.last = Math.max(first, last);
		this.#anchor = first;
		history.replaceState(null, "", this.#hash());
		this.#tell();
	}

	clear() {
		this.first = this.last = this.#anchor = null;
		history.replaceState(null, "", location.pathname +
		    location.search);
		this.#tell();
	}

	#hash() {
		return this.first === this.last ? `#L${this.first}` :
		    `#L${this.first}-L${this.last}`;
	}

	#read() {
		const found = /^#L(\d{1,15})(?:-L?(\d{1,15}))?$/
		    .exec(location.hash);

		if (found === null)
			return;
		const first = Number(found[1]);
		const last = Number(found[2] ?? first);

		this.first = Math.min(first, last);
		this.last = Math.max(first, last);
		this.#anchor = first;
		this.#tell();
		this.dispatchEvent(new Event("go"));
	}

	/* The browser itself would look for an element, and scroll. */
	#clicked(event) {
		const link = event.target.closest("a.number");

		if (link === null || event.ctrlKey || event.metaKey)
			return;
		const seq = Number(link.dataset.number);

		event.preventDefault();
		if (event.shiftKey && this.#anchor !== null) {
			const anchor = this.#anchor;

			this.set(anchor, seq);
			getSelection().removeAllRanges();
		} else if (this.first === seq && this.last === seq) {
			this.clear();
		} else {
			this.set(seq);
		}
	}

	#tell() {
		this.dispatchEvent(new Event("change"));
	}
}
