/* SPDX-License-Identifier: ISC */

/*
 * What a reader does with the log: searches and filters it, jumps to errors,
 * folds sections, copies lines, and types to the command.  Each of these is a
 * module; here they meet the list and the keys.
 */

import { Announcer } from "./announcer.js";
import { copy, textOfLines } from "./copying.js";
import { Decoration } from "./decoration.js";
import { Finder } from "./finder.js";
import { Folding } from "./folding.js";
import { Help } from "./help.js";
import { Prompt } from "./prompt.js";
import { moreThan, renderRow } from "./render.js";
import { count } from "./row.js";
import { Search } from "./search.js";
import { View } from "./view.js";
import { Visibility } from "./visibility.js";
import { button } from "./widgets.js";

const find = (id) => document.getElementById(id);

export class Reader {
	#page;
	#visibility = new Visibility();
	#shown = new Map(); /* of long lines, how many characters */
	#finders = new Map(); /* by severity */
	#current = null; /* the line gone to last */
	#wanted = null; /* the severity that the reader has asked for last */
	#toastTimer = null;
	#folding;
	#search;
	#view;
	#help;
	#prompt;
	#announcer;
	#copyButton = button("Copy lines", "copy the marked lines (c)",
	    () => this.#copy());

	/* page: {store, ranges, connection, settings, list, marks, keys} */
	constructor(page) {
		this.#page = page;
		this.#folding = new Folding(page);
		this.#search = new Search(page, (seq) => this.#show(seq));
		this.#view = new View(page, this.#folding, [this.#copyButton]);
		this.#help = new Help(document.body, page.keys);
		this.#prompt = new Prompt(find("footer"), page);
		this.#announcer = new Announcer(find("said"), page.store);
		this.#build();
		this.#listen();
		this.#bind();
	}

	#build() {
		const { list } = this.#page;
		const decoration = new Decoration(this.#page, this.#folding);

		list.renderRow = (line, context) => renderRow(line, context, {
			found: this.#search.finder?.placesIn(line.seq),
			shown: this.#shown.get(line.seq),
		});
		list.decorate = (row, line) => {
			decoration.decorate(row, line);
			row.classList.toggle("found",
			    this.#search.finder?.hits.has(line.seq) ?? false);
			row.classList.toggle("current",
			    line.seq === this.#current);
		};
		find("panel").append(this.#search.element, this.#view.element);
		find("toolbar").prepend(
		    button("Search", "search (/)", () => this.#search.open()),
		    button("View", "how the log is shown (v)",
		        () => this.#toggleView()),
		    button("?", "keys (?)", () => this.#help.open()));
		this.#showCopy();
	}

	#listen() {
		const { store, settings, list, marks } = this.#page;

		this.#folding.addEventListener("change", () => this.#filter());
		this.#folding.addEventListener("load", () => list.refresh());
		this.#search.addEventListener("filter", () => {
			if (!this.#search.isOpen)
				this.#current = null;
			this.#filter();
		});
		this.#search.addEventListener("found", () => this.#showFound());
		this.#view.addEventListener("stream", () => this.#filter());
		settings.addEventListener("change", () => list.refresh());
		marks.addEventListener("change", () => this.#showCopy());
		marks.addEventListener("go", () =>
		    this.#folding.reveal(marks.first));
		store.addEventListener("reset", () => this.#reset());
		find("log").addEventListener("click", (event) =>
		    this.#clicked(event.target));
	}

	#bind() {
		const { keys, list, settings, marks } = this.#page;
		const half = () => list.scrollBy(0.5);

		keys.add(["/", "Ctrl+f"], "search", () => this.#search.open());
		keys.add(["n"], "next line found", () => this.#search.move(1));
		keys.add(["N"], "line found before", () =>
		    this.#search.move(-1));
		keys.add(["&"], "show only lines found", () =>
		    this.#search.open({ filter: true }));
		keys.add(["e", "E"], "next error, error before", ({ key }) =>
		    this.#jump("error", key === "e" ? 1 : -1));
		keys.add(["w", "W"], "next warning, warning before", ({ key }) =>
		    this.#jump("warning", key === "w" ? 1 : -1));
		keys.add(["j", "ArrowDown"], "a line down", () =>
		    list.scrollLines(1));
		keys.add(["k", "ArrowUp"], "a line up", () =>
		    list.scrollLines(-1));
		keys.add([" ", "f", "PageDown"], "a page down", () =>
		    list.scrollBy(1));
		keys.add(["b", "PageUp"], "a page up", () => list.scrollBy(-1));
		keys.add(["d"], "half a page down", half);
		keys.add(["u"], "half a page up", () => list.scrollBy(-0.5));
		keys.add(["g", "Home", "<"], "to the beginning", () =>
		    list.scrollToStart());
		keys.add(["G", "End", ">", "F"], "to the end, and follow", () =>
		    list.scrollToEnd());
		keys.add(["S"], "wrap long lines, or not", () =>
		    settings.cycle("wrap"));
		keys.add(["t"], "times: off, by the clock, since the start, " +
		    "between lines", () => settings.cycle("times"));
		keys.add(["v"], "how the log is shown", () =>
		    this.#toggleView());
		keys.add(["-", "+"], "fold all sections, unfold them",
		    ({ key }) => this.#folding.setAll(key === "-"));
		keys.add(["c"], "copy the marked lines", () => this.#copy());
		keys.add(["i"], "type a line for the command", () =>
		    this.#prompt.focus());
		keys.add(["?", "h"], "these keys", () => this.#help.open());
		keys.add(["Escape"], "close what is open, unmark lines", () => {
			if (this.#search.isOpen)
				this.#search.close();
			else if (!this.#view.element.hidden)
				this.#toggleView();
			else if (marks.first !== null)
				marks.clear();
		});
	}

	/* What the buttons in rows do. */
	#clicked(target) {
		const made = target.closest("button");
		const row = target.closest(".row");

		if (made === null || row === null)
			return;
		const seq = Number(row.dataset.seq);

		if (made.classList.contains("fold"))
			this.#folding.toggle(seq);
		else if (made.classList.contains("more"))
			this.#shown.set(seq, moreThan(this.#shown.get(seq)));
		this.#page.list.refreshRow(seq);
	}

	#filter() {
		const { list } = this.#page;

		this.#visibility.finder = this.#search.filter;
		this.#visibility.context = this.#search.context;
		this.#visibility.stream = this.#view.stream;
		this.#visibility.folded = this.#folding.ranges();
		list.setVisibility(this.#visibility.isNeeded ?
		    this.#visibility : null);
	}

	/* Rows on the screen that are not yet as the search has found them. */
	#showFound() {
		const { list } = this.#page;
		const { finder } = this.#search;

		for (const row of find("log").querySelectorAll(".row[data-seq]")) {
			const seq = Number(row.dataset.seq);

			if ((finder?.hits.has(seq) ?? false) !==
			    row.classList.contains("found"))
				list.refreshRow(seq);
		}
	}

	#show(seq) {
		const { list } = this.#page;
		const before = this.#current;

		this.#current = seq;
		this.#folding.reveal(seq);
		list.scrollToSeq(seq, { align: "nearest" });
		if (before !== null && list.rowOf(before) !== null)
			list.refreshRow(before);
		if (list.rowOf(seq) !== null)
			list.refreshRow(seq);
	}

	/* The first time it looks through the log; the reader may have to wait. */
	#jump(severity, direction) {
		let finder = this.#finders.get(severity);

		if (finder === undefined) {
			finder = new Finder(this.#page,
			    { kind: "severity", severity },
			    (seq) => this.#show(seq));
			finder.addEventListener("change", () =>
			    this.#tellJump(severity, finder));
			this.#finders.set(severity, finder);
		}
		this.#wanted = severity;
		finder.move(direction);
	}

	#tellJump(severity, finder) {
		const { hits, current } = finder;

		if (this.#wanted !== severity)
			return;
		if (hits.count === 0)
			this.#say(finder.isDone ? `no ${severity} in the log` :
			    `looking for an ${severity}`);
		else if (hits.has(current))
			this.#say(`${severity} ${count(hits.rank(current) + 1)}` +
			    ` of ${count(hits.count)}`);
		if (finder.isDone && !finder.isWaiting)
			this.#wanted = null;
	}

	#toggleView() {
		const { element } = this.#view;

		element.hidden = !element.hidden;
		if (!element.hidden)
			element.querySelector("button, select").focus();
	}

	#showCopy() {
		const { first, last } = this.#page.marks;

		this.#copyButton.hidden = first === null;
		this.#copyButton.textContent = first === last ? "Copy line" :
		    "Copy lines";
	}

	async #copy() {
		const { ranges, store, marks } = this.#page;

		if (marks.first === null) {
			this.#say("mark lines first, by a click on a number");
			return;
		}
		try {
			const last = Math.min(marks.last, store.last);
			const text = await textOfLines({
				ranges,
				shows: (record) =>
				    this.#visibility.shows(record),
			}, marks.first, last);

			await copy(text);
			this.#say("copied");
		} catch (error) {
			this.#say(`not copied: ${error.message}`);
		}
	}

	/* Seen for a moment, and read out. */
	#say(text) {
		const toast = find("toast");

		this.#announcer.say(text);
		toast.textContent = text;
		toast.hidden = false;
		clearTimeout(this.#toastTimer);
		this.#toastTimer = setTimeout(() => toast.hidden = true, 3000);
	}

	#reset() {
		for (const finder of this.#finders.values())
			finder.stop();
		this.#finders.clear();
		this.#shown.clear();
		this.#current = null;
		this.#search.restart();
		this.#filter();
	}
}
