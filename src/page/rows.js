/* SPDX-License-Identifier: ISC */

/*
 * Which sequence numbers have a row, and where it is among the others.  Of what
 * is not here it is a guess: a row for each.  Rows are counted for each chunk
 * of the store, when somebody asks, and again when the chunk has changed.
 */

import { Counts } from "./counts.js";
import { CHUNK, chunkFirst, chunkOf } from "./store.js";

export class Rows {
	#store;
	#counts = new Counts();
	#dirty = new Set(); /* chunks to be counted again */
	#visibility = null;

	constructor(store) {
		const changed = ({ detail }) =>
		    this.#change(detail.first, detail.last);

		this.#store = store;
		store.addEventListener("append", changed);
		store.addEventListener("load", changed);
		store.addEventListener("start", () => this.#extend());
		store.addEventListener("exit", () => this.#extend());
		store.addEventListener("reset", () => this.#recount());
	}

	/*
	 * A filter: shows(record) says whether it has a row, count(first, last)
	 * how many rows there are of what is not here.  null: all are shown.
	 */
	setVisibility(visibility) {
		this.#visibility = visibility;
		this.#recount();
	}

	get total() {
		this.#update();
		return this.#counts.total;
	}

	/* How many rows are before that of seq. */
	indexOf(seq) {
		const chunk = chunkOf(seq);
		const begin = chunkFirst(chunk);

		this.#update();
		if (this.#store.isAbsent(chunk)) {
			const count = this.#counts.get(chunk);
			const from = Math.max(begin, this.#store.first);

			return this.#counts.before(chunk) + Math.floor(
			    count * Math.max(seq - from, 0) / CHUNK);
		}
		let index = this.#counts.before(chunk);

		for (let s = begin; s < seq; s++)
			index += this.has(s) ? 1 : 0;
		return index;
	}

	/* The row that has so many before it; null: there are no rows. */
	seqAt(index) {
		this.#update();
		if (this.#counts.total === 0)
			return null;
		const [chunk, rest] = this.#counts.find(Math.floor(index));
		let seq = Math.max(chunkFirst(chunk), this.#store.first);

		if (this.#store.isAbsent(chunk)) {
			const count = Math.max(this.#counts.get(chunk), 1);

			seq += Math.floor(rest * CHUNK / count);
			seq = Math.min(seq, this.#store.last);
		} else {
			for (let left = rest; seq < this.#store.last; seq++) {
				if (this.has(seq) && left-- === 0)
					break;
			}
		}
		return this.has(seq) ? seq : this.before(seq) ?? this.after(seq);
	}

	/* The next row behind seq, or null. */
	after(seq) {
		this.#update();
		for (let s = Math.max(seq + 1, this.#store.first);
		    s <= this.#store.last; s++) {
			if (this.#counts.get(chunkOf(s)) === 0)
				s = chunkFirst(chunkOf(s) + 1) - 1;
			else if (this.has(s))
				return s;
		}
		return null;
	}

	before(seq) {
		this.#update();
		for (let s = Math.min(seq - 1, this.#store.last);
		    s >= this.#store.first; s--) {
			if (this.#counts.get(chunkOf(s)) === 0)
				s = chunkFirst(chunkOf(s));
			else if (this.has(s))
				return s;
		}
		return null;
	}

	/* Whether seq has a row. */
	has(seq) {
		const record = this.#store.get(seq);

		if (record === null || seq > this.#store.last ||
		    seq < this.#store.first)
			return false;
		if (record === undefined) {
			return this.#visibility === null ||
			    this.#visibility.count(seq, seq) > 0;
		}
		return (this.#visibility?.shows(record) ?? true) &&
		    this.#store.line(seq) !== null;
	}

	#change(first, last) {
		const end = chunkOf(Math.min(last, this.#store.last));

		for (let c = chunkOf(Math.max(first, 1)); c <= end; c++)
			this.#dirty.add(c);
		this.#extend();
	}

	/* There is more than was counted. */
	#extend() {
		const end = chunkOf(this.#store.last);

		for (let c = Math.max(this.#counts.length - 1, 0); c <= end; c++)
			this.#dirty.add(c);
	}

	#recount() {
		this.#counts = new Counts();
		this.#change(1, this.#store.last);
	}

	#update() {
		if (this.#dirty.size === 0)
			return;
		for (const chunk of [...this.#dirty].sort((a, b) => a - b))
			this.#counts.set(chunk, this.#count(chunk));
		this.#dirty.clear();
	}

	#count(chunk) {
		const first = Math.max(chunkFirst(chunk), this.#store.first);
		const last = Math.min(chunkFirst(chunk + 1) - 1,
		    this.#store.last);
		let count = 0;

		if (first > last)
			return 0;
		if (this.#store.isAbsent(chunk)) {
			return this.#visibility?.count(first, last) ??
			    this.#store.guessRows(first, last);
		}
		for (let seq = first; seq <= last; seq++)
			count += this.has(seq) ? 1 : 0;
		return count;
	}
}
