/* SPDX-License-Identifier: ISC */

/*
 * What the reader likes, kept in this browser where it allows that.  Each
 * setting is also an attribute of the document, data-NAME, for the styles.
 */

import { KINDS } from "./times.js";

/* Values there are, the default first. */
const TABLE = {
	theme: ["auto", "dark", "light"],
	times: KINDS,
	wrap: ["on", "off"],
};

const KEY = "wsexec";

export class Settings extends EventTarget {
	#values = {};

	constructor() {
		super();
		const kept = read();

		for (const [name, values] of Object.entries(TABLE)) {
			this.#put(name, values.includes(kept[name]) ?
			    kept[name] : values[0]);
		}
	}

	get(name) {
		return this.#values[name];
	}

	set(name, value) {
		this.#put(name, value);
		write(this.#values);
		this.dispatchEvent(new CustomEvent("change", { detail: name }));
	}

	/* The next of its values. */
	cycle(name) {
		const values = TABLE[name];
		const at = values.indexOf(this.#values[name]);

		this.set(name, values[(at + 1) % values.length]);
	}

	#put(name, value) {
		this.#values[name] = value;
		document.documentElement.dataset[name] = value;
	}
}

/* Reading and writing throw where the browser keeps nothing. */
function read() {
	try {
		return JSON.parse(localStorage.getItem(KEY)) ?? {};
	} catch {
		return {};
	}
}

function write(values) {
	try {
		localStorage.setItem(KEY, JSON.stringify(values));
	} catch {
		/* Then it is as long as the page is open. */
	}
}
