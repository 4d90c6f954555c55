/* SPDX-License-Identifier: ISC */

/*
 * One search: what it has found so far, and the way from one line found to
 * the next.  It need not be over for that: who asks for a line that is yet to
 * be found goes there when it is.
 */

import { Hits } from "./hits.js";
import { Scan } from "./scan.js";

/* Events: "change", whenever there is something new to be told. */
export class Finder extends EventTarget {
	hits = new Hits();
	current = null; /* the line gone to last */
	stuck = null; /* {first, last}: lines that took too long */
	#places = new Map(); /* ranges in lines */
	#list;
	#go;
	#scan;
	#wanted = 0; /* the direction in which somebody waits */
	#from = 0;

	/* go(seq) shows a line that was found. */
	constructor(page, job, go) {
		super();
		const anchor = page.list.top ?? page.store.last;

		this.#list = page.list;
		this.#go = go;
		this.#scan = new Scan(page, job, anchor);
		this.#scan.addEventListener("found", ({ detail }) =>
		    this.#found(detail));
		this.#scan.addEventListener("progress", () => this.#tell());
		this.#scan.addEventListener("stuck", ({ detail }) => {
			this.stuck = detail;
			this.#wanted = 0;
			this.#tell();
		});
	}

	stop() {
		this.#scan.stop();
	}

	get isDone() {
		return this.stuck !== null || this.#scan.isDone;
	}

	get part() {
		return this.#scan.part;
	}

	get problem() {
		return this.#scan.problem;
	}

	/* Whether the answer for this line is known. */
	knows(seq) {
		return this.#scan.has(seq);
	}

	placesIn(seq) {
		return this.#places.get(seq) ?? [];
	}

	/* 1: to the next one, -1: to the one before; at the end around it. */
	move(direction) {
		this.#from = this.#isInSight(this.current) ? this.current :
		    direction > 0 ? (this.#list.top ?? 1) - 1 :
		    (this.#list.bottom ?? 0) + 1;
		this.#wanted = direction;
		this.#tryMove();
	}

	/* To the first one from where the reader is, if it is not in sight. */
	moveNear() {
		this.#from = (this.#list.top ?? 1) - 1;
		this.#wanted = 1;
		this.#tryMove();
	}

	get isWaiting() {
		return this.#wanted !== 0;
	}

	#isInSight(seq) {
		return seq !== null && seq >= (this.#list.top ?? 0) &&
		    seq <= (this.#list.bottom ?? 0);
	}

	#tryMove() {
		const seq = this.#target();

		if (seq === undefined) {
			this.#tell();
			return;
		}
		this.#wanted = 0;
		this.current = seq;
		this.#go(seq);
		this.#tell();
	}

	/* undefined: it is not known yet, or there is none. */
	#target() {
		const { hits } = this;
		const isForward = this.#wanted > 0;
		const next = isForward ? hits.after(this.#from) :
		    hits.before(this.#from);

		if (next !== undefined || !this.isDone)
			return next;
		return isForward ? hits.after(0) : hits.before(Infinity);
	}

	#found(lines) {
		this.hits.add(lines.map(([seq]) => seq));
		for (const [seq, ranges] of lines) {
			if (ranges.length > 0)
				this.#places.set(seq, ranges);
		}
		this.#tell();
	}

	#tell() {
		if (this.#wanted !== 0) {
			const seq = this.#target();

			if (seq !== undefined) {
				this.#tryMove();
				return;
			}
			if (this.isDone)
				this.#wanted = 0;
		}
		this.dispatchEvent(new Event("change"));
	}
}
