/* SPDX-License-Identifier: ISC */

/*
 * Which sections of the log are folded.  Markers are noticed in the lines that
 * come; with the first one the whole log is looked through for others, since
 * a section may end where nobody has been yet.
 */

import { Scan } from "./scan.js";
import { markerOf, Sections } from "./sections.js";

/* Events: "change", when other lines are folded; "load", of new markers. */
export class Folding extends EventTarget {
	#page;
	#sections = new Sections();
	#folded = new Set(); /* first lines */
	#chosen = new Set(); /* those that the reader has said something about */
	#scan = null;

	constructor(page) {
		const noticed = ({ detail }) =>
		    this.#notice(detail.first, detail.last);

		super();
		this.#page = page;
		page.store.addEventListener("append", noticed);
		page.store.addEventListener("load", noticed);
		page.store.addEventListener("reset", () => this.#reset());
	}

	get isEmpty() {
		return this.#sections.isEmpty;
	}

	startingAt(seq) {
		return this.#sections.startingAt(seq);
	}

	isEnd(seq) {
		return this.#sections.isEnd(seq);
	}

	isFolded(seq) {
		return this.#folded.has(seq);
	}

	/* The outermost folded ones, in order. */
	ranges() {
		const ranges = [];

		for (const section of this.#sections.list()) {
			if (this.#folded.has(section.first) &&
			    section.first > (ranges.at(-1)?.last ?? 0))
				ranges.push(section);
		}
		return ranges;
	}

	toggle(seq, fold = !this.#folded.has(seq)) {
		this.#chosen.add(seq);
		this.#put(seq, fold);
		this.#tell("change");
	}

	setAll(fold) {
		for (const { first } of this.#sections.list()) {
			this.#chosen.add(first);
			this.#put(first, fold);
		}
		this.#tell("change");
	}

	/* Unfolds what this line is in, so that it can be seen. */
	reveal(seq) {
		const around = this.#sections.around(seq).filter(({ first }) =>
		    first !== seq && this.#folded.has(first));

		for (const { first } of around)
			this.toggle(first, false);
	}

	#put(seq, fold) {
		if (fold)
			this.#folded.add(seq);
		else
			this.#folded.delete(seq);
	}

	#notice(first, last) {
		const { store } = this.#page;

		for (let seq = first; seq <= last && this.#scan === null; seq++) {
			const text = store.get(seq)?.text;

			if (text !== undefined && markerOf(text) !== null)
				this.#scanAll(seq);
		}
	}

	#scanAll(anchor) {
		this.#scan = new Scan(this.#page, { kind: "sections" }, anchor);
		this.#scan.addEventListener("found", ({ detail }) =>
		    this.#found(detail));
	}

	/* A section may ask to be folded, as long as nobody has unfolded it. */
	#found(markers) {
		let fold = false;

		for (const [seq, marker] of markers) {
			this.#sections.add(seq, marker);
			if (marker.isFolded && !this.#chosen.has(seq)) {
				this.#put(seq, true);
				fold = true;
			}
		}
		this.#tell(fold || this.#folded.size > 0 ? "change" : "load");
	}

	#reset() {
		this.#scan?.stop();
		this.#scan = null;
		this.#sections.clear();
		this.#folded.clear();
		this.#chosen.clear();
		this.#tell("change");
	}

	#tell(name) {
		this.dispatchEvent(new Event(name));
	}
}
