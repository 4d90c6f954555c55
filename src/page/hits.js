/* SPDX-License-Identifier: ISC */

/*
 * The sequence numbers of lines that a search has found, in order.  They are
 * added in rising order, a slice of the log at a time.
 */

export class Hits {
	#seqs = [];

	get count() {
		return this.#seqs.length;
	}

	add(seqs) {
		for (const seq of seqs)
			if (seq > (this.#seqs.at(-1) ?? 0))
				this.#seqs.push(seq);
	}

	at(index) {
		return this.#seqs[index];
	}

	has(seq) {
		return this.#seqs[this.rank(seq)] === seq;
	}

	/* How many are before this one; so it is also its index. */
	rank(seq) {
		let low = 0;
		let high = this.#seqs.length;

		while (low < high) {
			const middle = (low + high) >>> 1;

			if (this.#seqs[middle] < seq)
				low = middle + 1;
			else
				high = middle;
		}
		return low;
	}

	/* The next one from here, or the first again; undefined: there is none. */
	after(seq) {
		return this.#seqs[this.rank(seq + 1)] ?? this.#seqs[0];
	}

	before(seq) {
		return this.#seqs[this.rank(seq) - 1] ?? this.#seqs.at(-1);
	}

	/* Whether one is within so many lines of this one. */
	isNear(seq, lines) {
		return this.#seqs[this.rank(seq - lines)] <= seq + lines;
	}
}
