/* SPDX-License-Identifier: ISC */

/*
 * What a screen reader says of a log that grows: how many lines have come, now
 * and then, and the last of them; reading all of them out would never end.
 * The log itself is not live: who wants to read it goes there.
 */

import { count } from "./row.js";
import { plainText } from "./terminal.js";

const EVERY_MS = 5000;
const TEXT_MAX = 120;

export class Announcer {
	#element;
	#store;
	#lines = 0;
	#timer = null;

	constructor(element, store) {
		this.#element = element;
		this.#store = store;
		store.addEventListener("append", ({ detail }) =>
		    this.#add(detail.last - detail.first + 1));
	}

	/* What the reader has asked for is said at once. */
	say(text) {
		this.#element.textContent = text;
	}

	#add(lines) {
		if (lines <= 0)
			return;
		this.#lines += lines;
		this.#timer ??= setTimeout(() => this.#tell(), EVERY_MS);
	}

	#tell() {
		const record = this.#store.get(this.#store.last);
		const text = plainText(record?.text ?? "").slice(0, TEXT_MAX);

		this.say(`${count(this.#lines)} new ` +
		    `${this.#lines === 1 ? "line" : "lines"}, the last: ${text}`);
		this.#lines = 0;
		this.#timer = null;
	}
}
