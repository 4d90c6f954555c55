/* SPDX-License-Identifier: ISC */

/*
 * The search bar: what to look for, how far it has got, and whether only the
 * lines found are shown.
 */

import { Finder } from "./finder.js";
import { Matcher } from "./matcher.js";
import { button, count, element, select } from "./widgets.js";

const TYPING_MS = 200; /* without a key, and the search begins */
const FILTER_MS = 400; /* between two looks at what is found */
const CONTEXTS = ["0", "1", "3", "10"];

/* Events: "filter", when what is shown is another; "found". */
export class Search extends EventTarget {
	finder = null;
	element = element("form", "bar");
	#page;
	#go;
	#input = element("input");
	#case = button("Aa", "match case", () => this.#toggle(this.#case));
	#expression = button(".*", "regular expression",
	    () => this.#toggle(this.#expression));
	#filter = button("Only these", "show only lines found",
	    () => this.#toggle(this.#filter));
	#context = select("lines around those found", CONTEXTS,
	    (lines) => `\u00b1 ${lines}`, () => this.#tellFilter());
	#status = element("span", "search-status");
	#searched = ""; /* what the finder was given */
	#timer = null;
	#filterTimer = null;
	#home = null; /* what had the focus before */

	constructor(page, go) {
		super();
		this.#page = page;
		this.#go = go;
		this.#build();
	}

	get isOpen() {
		return !this.element.hidden;
	}

	/* The search that hides what it does not find, or null. */
	get filter() {
		return isOn(this.#filter) ? this.finder : null;
	}

	get context() {
		return Number(this.#context.value);
	}

	open({ filter = false } = {}) {
		if (!this.isOpen)
			this.#home = document.activeElement;
		this.element.hidden = false;
		if (filter && !isOn(this.#filter))
			this.#toggle(this.#filter);
		this.#input.focus();
		this.#input.select();
	}

	close() {
		if (!this.isOpen)
			return;
		clearTimeout(this.#timer);
		this.element.hidden = true;
		setOn(this.#filter, false);
		this.#begin("");
		this.#home?.focus({ preventScroll: true });
	}

	/* Another log is there now. */
	restart() {
		if (this.finder !== null)
			this.#start(false);
	}

	move(direction) {
		if (this.finder === null && this.#input.value !== "") {
			this.element.hidden = false;
			this.#start(false);
		}
		this.finder?.move(direction);
	}

	#build() {
		const { element: bar } = this;

		bar.id = "search";
		bar.setAttribute("role", "search");
		bar.hidden = true;
		this.#input.type = "search";
		this.#input.placeholder = "Search the whole log";
		this.#input.setAttribute("aria-label", "search the whole log");
		this.#input.spellcheck = false;
		this.#input.autocomplete = "off";
		this.#status.setAttribute("role", "status");
		for (const each of [this.#case, this.#expression, this.#filter])
			setOn(each, false);
		bar.append(this.#input, this.#case, this.#expression,
		    button("\u2191", "previous (N)", () => this.move(-1)),
		    button("\u2193", "next (n)", () => this.move(1)),
		    this.#status, this.#filter, this.#context,
		    button("\u2715", "close (Escape)", () => this.close()));
		bar.addEventListener("submit", (event) =>
		    event.preventDefault());
		this.#input.addEventListener("input", () => this.#typed());
		this.#input.addEventListener("keydown", (event) =>
		    this.#pressed(event));
	}

	#typed() {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.#start(true), TYPING_MS);
	}

	#pressed(event) {
		if (event.isComposing)
			return;
		if (event.key === "Enter") {
			event.preventDefault();
			if (this.#isStale())
				this.#start(true);
			else
				this.move(event.shiftKey ? -1 : 1);
		} else if (event.key === "Escape") {
			event.preventDefault();
			this.close();
		}
	}

	#toggle(each) {
		setOn(each, !isOn(each));
		if (each === this.#filter)
			this.#tellFilter();
		else
			this.#start(true);
		this.#show();
	}

	#wanted() {
		return {
			kind: "text",
			text: this.#input.value,
			isExpression: isOn(this.#expression),
			matchCase: isOn(this.#case),
		};
	}

	/* Whether the bar asks for something else than is searched for. */
	#isStale() {
		return this.#searched !== JSON.stringify(this.#wanted());
	}

	#start(andGo) {
		clearTimeout(this.#timer);
		this.#begin(this.#input.value);
		if (andGo && !isOn(this.#filter))
			this.finder?.moveNear();
	}

	/* Begins a search, or ends the one there is. */
	#begin(text) {
		const wanted = this.#wanted();
		let problem = "";

		this.finder?.stop();
		this.finder = null;
		this.#searched = JSON.stringify(wanted);
		if (text !== "") {
			try {
				new Matcher(wanted);
				this.finder = new Finder(this.#page, wanted,
				    this.#go);
				this.finder.addEventListener("change", () =>
				    this.#changed());
			} catch (error) {
				problem = error.message;
			}
		}
		this.#input.setAttribute("aria-invalid", problem !== "");
		this.#show(problem);
		this.#tellFilter();
	}

	#changed() {
		this.#show();
		this.dispatchEvent(new Event("found"));
		if (isOn(this.#filter) && this.#filterTimer === null)
			this.#filterTimer = setTimeout(() => {
				this.#filterTimer = null;
				this.#tellFilter();
			}, FILTER_MS);
	}

	#tellFilter() {
		this.dispatchEvent(new Event("filter"));
	}

	#show(problem = "") {
		const text = problem || (this.finder === null ? "" :
		    describe(this.finder));

		this.#context.hidden = !isOn(this.#filter);
		this.#status.classList.toggle("problem", problem !== "" ||
		    this.finder?.stuck != null);
		if (this.#status.textContent !== text)
			this.#status.textContent = text;
	}
}

function isOn(toggle) {
	return toggle.getAttribute("aria-pressed") === "true";
}

function setOn(toggle, on) {
	toggle.setAttribute("aria-pressed", on);
}

function describe(finder) {
	const { hits, current, stuck, problem } = finder;
	const lines = hits.count === 1 ? "1 line" :
	    `${count(hits.count)} lines`;
	const place = hits.has(current) ?
	    `${count(hits.rank(current) + 1)} of ${lines}` : lines;

	if (stuck !== null)
		return `${place}; given up: this takes too long at lines ` +
		    `${count(stuck.first)} to ${count(stuck.last)}`;
	if (problem !== "")
		return `${place} so far; ${problem}`;
	if (!finder.isDone)
		return `${place}, ${Math.floor(100 * finder.part)} % searched`;
	return hits.count === 0 ? "nothing found" : place;
}
