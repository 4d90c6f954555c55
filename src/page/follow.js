/* SPDX-License-Identifier: ISC */

/*
 * The button that goes back to the newest lines, and says how many there are
 * that the reader has not seen.
 */

import { count } from "./row.js";

export class Follow {
	#list;
	#store;
	#button;
	#seen = 0; /* the newest line when following stopped */

	constructor(button, list, store) {
		this.#button = button;
		this.#list = list;
		this.#store = store;
		button.addEventListener("click", () => list.scrollToEnd());
		list.addEventListener("follow", () => this.#changed());
		list.addEventListener("view", () => this.#label());
		store.addEventListener("reset", () => this.#changed());
		this.#label();
	}

	#changed() {
		this.#seen = this.#store.last;
		this.#label();
	}

	#label() {
		const { following } = this.#list;

		this.#button.hidden = following;
		if (following)
			return;
		const lines = this.#list.rowsAfter(this.#seen);

		this.#button.textContent = lines <= 0 ? "Follow" :
		    `${count(lines)} new ${lines === 1 ? "line" : "lines"}`;
	}
}
