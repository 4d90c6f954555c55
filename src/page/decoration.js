/* SPDX-License-Identifier: ISC */

/*
 * What is around the text of a row: when it came, what it tells of, and the
 * button that folds a section.
 */

import { count, element } from "./row.js";
import { severityOf } from "./severity.js";
import { plainText } from "./terminal.js";
import { timeText } from "./times.js";

const BACK = 20; /* sequence numbers, to the line before */

export class Decoration {
	#store;
	#settings;
	#folding;

	constructor({ store, settings }, folding) {
		this.#store = store;
		this.#settings = settings;
		this.#folding = folding;
	}

	/* line: as from Store.line(). */
	decorate(row, { seq, record, text }) {
		if (record.type !== "line")
			return;
		this.#addTime(row, seq, record);
		this.#addFold(row, seq);
		this.#addSeverity(row, text);
		if (record.stream === "stderr") {
			row.setAttribute("role", "group");
			row.setAttribute("aria-label", "stderr");
		}
	}

	#addTime(row, seq, record) {
		const kind = this.#settings.get("times");

		if (kind === "off")
			return;
		const time = element("span", "time", timeText(kind, record.time,
		    this.#store.run?.time ?? null, this.#timeBefore(seq)));

		time.title = new Date(1000 * record.time).toISOString();
		row.querySelector(".text").before(time);
	}

	#timeBefore(seq) {
		for (let at = seq - 1; at >= seq - BACK; at--) {
			const record = this.#store.get(at);

			if (record === undefined)
				break;
			if (record !== null && record.time !== undefined)
				return record.time;
		}
		return null;
	}

	#addFold(row, seq) {
		const section = this.#folding.startingAt(seq);

		row.classList.toggle("section-end", this.#folding.isEnd(seq));
		if (section === undefined)
			return;
		const isFolded = this.#folding.isFolded(seq);
		const fold = element("button", "fold");

		fold.type = "button";
		fold.setAttribute("aria-expanded", !isFolded);
		fold.setAttribute("aria-label", `section ${section.name}`);
		row.classList.add("section");
		row.querySelector(".text").before(fold);
		if (isFolded && section.last < Infinity)
			row.querySelector(".text").append(element("span",
			    "folded", `${count(section.last - seq)} lines`));
	}

	#addSeverity(row, text) {
		const severity = severityOf(plainText(text.slice(0, 4000)));

		if (severity !== null) {
			row.classList.add(severity);
			row.querySelector(".number").title = severity;
		}
	}
}
