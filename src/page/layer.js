/* SPDX-License-Identifier: ISC */

/*
 * The rows that are in the document: those on the screen and some around it,
 * one piece of the log without holes.  Where the layer stands is the business
 * of the list.
 */

export class Layer {
	element;
	height = 0; /* px, of all rows, as last measured */
	#rows;
	#make;
	#seqs = []; /* sequence number of each row */
	#list = document.createElement("div");
	#tail = document.createElement("div"); /* unfinished lines */

	/* make(seq) gives the element of a row. */
	constructor(element, rows, make) {
		this.element = element;
		this.#rows = rows;
		this.#make = make;
		element.append(this.#list, this.#tail);
	}

	get count() {
		return this.#seqs.length;
	}

	get first() {
		return this.#seqs[0] ?? null;
	}

	get last() {
		return this.#seqs.at(-1) ?? null;
	}

	get hasFirst() {
		return this.first === null ||
		    this.#rows.before(this.first) === null;
	}

	get hasLast() {
		return this.last === null ||
		    this.#rows.after(this.last) === null;
	}

	/* Begins anew with one row, or none. */
	reset(seq = null) {
		this.#list.replaceChildren();
		this.#seqs = [];
		if (seq !== null) {
			this.#seqs.push(seq);
			this.#list.append(this.#make(seq));
		}
		this.measure();
	}

	/* Adds up to n rows below; returns how many. */
	append(n) {
		const fragment = document.createDocumentFragment();
		const begin = this.count;
		let seq = this.last ?? 0;

		while (this.count - begin < n &&
		    (seq = this.#rows.after(seq)) !== null) {
			this.#seqs.push(seq);
			fragment.append(this.#make(seq));
		}
		this.#list.append(fragment);
		this.measure();
		return this.count - begin;
	}

	/* Adds up to n rows above; returns how much higher that makes it, px. */
	prepend(n) {
		const before = this.height;
		const made = [], seqs = [];
		let seq = this.first ?? Infinity;

		while (seqs.length < n &&
		    (seq = this.#rows.before(seq)) !== null) {
			seqs.push(seq);
			made.push(this.#make(seq));
		}
		this.#seqs.unshift(...seqs.reverse());
		this.#list.prepend(...made.reverse());
		this.measure();
		return this.height - before;
	}

	/* Drops rows that end above px; returns how much lower that makes it. */
	trimTop(px) {
		const before = this.height;
		const n = this.#indexAt(px);

		for (let i = 0; i < n; i++)
			this.#list.firstElementChild.remove();
		this.#seqs.splice(0, n);
		if (n > 0)
			this.measure();
		return before - this.height;
	}

	/* Drops rows that begin below px. */
	trimBottom(px) {
		const n = this.#indexAt(px) + 1;

		while (this.count > n) {
			this.#list.lastElementChild.remove();
			this.#seqs.pop();
		}
		this.measure();
	}

	/* The row at px from the top: { seq, top, height }, or null. */
	at(px) {
		const i = this.#indexAt(px);

		return this.#place(i);
	}

	/* The same for a row by its number, where it is here. */
	find(seq) {
		const i = this.#seqs.indexOf(seq);

		return i < 0 ? null : this.#place(i);
	}

	row(seq) {
		return this.#list.children[this.#seqs.indexOf(seq)] ?? null;
	}

	*entries() {
		for (let i = 0; i < this.count; i++)
			yield [this.#seqs[i], this.#list.children[i]];
	}

	replace(seq) {
		this.row(seq)?.replaceWith(this.#make(seq));
		this.measure();
	}

	setTail(rows) {
		if (rows.length === 0 && this.#tail.childElementCount === 0)
			return;
		this.#tail.replaceChildren(...rows);
		this.measure();
	}

	measure() {
		this.height = this.element.getBoundingClientRect().height;
	}

	#place(i) {
		const row = this.#list.children[i];

		return row === undefined ? null : {
			seq: this.#seqs[i],
			top: row.offsetTop,
			height: row.offsetHeight,
		};
	}

	/* The last row that begins at px or above; 0 if none does. */
	#indexAt(px) {
		let low = 0, high = this.count;

		while (high - low > 1) {
			const middle = (low + high) >> 1;

			if (this.#list.children[middle].offsetTop <= px)
				low = middle;
			else
				high = middle;
		}
		return low;
	}
}
