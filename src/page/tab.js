/* SPDX-License-Identifier: ISC */

/*
 * The title of the tab and its picture: how the run is going, and how many
 * lines came while nobody looked.
 */

import { count } from "./row.js";

const TELL_MS = 1000; /* at most that often, as tabs are drawn slowly */

const SIGNS = {
	waiting: { mark: "\u2026", colour: "#8b949e", shape: "" },
	running: { mark: "\u25b6", colour: "#1f6feb", shape: "M6 4l6 4-6 4z" },
	passed: {
		mark: "\u2713",
		colour: "#1a7f37",
		shape: "M4.3 8.4 7 11l4.8-5.6-1-.9L6.9 9 5.3 7.4z",
	},
	failed: {
		mark: "\u2717",
		colour: "#cf222e",
		shape: "M5.7 4.5 4.5 5.7 6.8 8l-2.3 2.3 1.2 1.2L8 9.2l2.3 2.3 " +
		    "1.2-1.2L9.2 8l2.3-2.3-1.2-1.2L8 6.8z",
	},
	lost: {
		mark: "!",
		colour: "#9a6700",
		shape: "M7.2 4h1.6v5H7.2zM7.2 10.4h1.6V12H7.2z",
	},
};

export class Tab {
	#icon;
	#name = "wsexec";
	#sign = "waiting";
	#unread = 0;
	#timer = null;
	#drawn = "";

	constructor(icon) {
		this.#icon = icon;
		document.addEventListener("visibilitychange", () => {
			this.#unread = 0;
			this.#draw();
		});
		this.#draw();
	}

	/* sign: one of SIGNS. */
	show(name, sign) {
		this.#name = name;
		this.#sign = sign;
		this.#draw();
	}

	/* Lines came. */
	add(lines) {
		if (!document.hidden)
			return;
		this.#unread += lines;
		this.#timer ??= setTimeout(() => {
			this.#timer = null;
			this.#draw();
		}, TELL_MS);
	}

	#draw() {
		const { mark } = SIGNS[this.#sign];
		const unread = this.#unread > 0 ? `(${count(this.#unread)}) ` : "";
		const look = `${this.#sign} ${this.#unread > 0}`;

		document.title = `${mark} ${unread}${this.#name}`;
		if (look !== this.#drawn)
			this.#icon.href = picture(SIGNS[this.#sign],
			    this.#unread > 0);
		this.#drawn = look;
	}
}

function picture({ colour, shape }, hasUnread) {
	const badge = hasUnread ? '<circle cx="13" cy="3" r="3" ' +
	    'fill="#fb8500" stroke="#fff"/>' : "";

	return "data:image/svg+xml," + encodeURIComponent(
	    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">' +
	    `<circle cx="8" cy="8" r="7.5" fill="${colour}"/>` +
	    `<path fill="#fff" d="${shape}"/>${badge}</svg>`);
}
