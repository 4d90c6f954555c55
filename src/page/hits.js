/* SPDX-License-Identifier: ISC */

/*
 * The sequence numbers of lines that a search has found, in order.  They come
 * a block of the log at a time; blocks come in any order.
 */

export class Hits {
	#seqs = [];

	get count() {
		return this.#seqs.length;
	}

	/* Those of one part of the log, in order; again is no harm. */
	add(seqs) {
		const fresh = seqs.filter((seq) => !this.has(seq));

		if (fresh.length === 0)
			return;
		const at = this.rank(fresh[0]);

		if (at === this.#seqs.length) {
			for (const seq of fresh)
				this.#seqs.push(seq);
		} else if (this.#seqs[at] > fresh.at(-1)) {
			this.#seqs = [...this.#seqs.slice(0, at), ...fresh,
				...this.#seqs.slice(at)];
		} else {
			this.#seqs = [...this.#seqs, ...fresh]
			    .sort((a, b) => a - b);
		}
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

	/* The next one behind seq, or undefined. */
	after(seq) {
		return this.#seqs[this.rank(seq + 1)];
	}

	before(seq) {
		return this.#seqs[this.rank(seq) - 1];
	}

	/* How many there are from first to last. */
	within(first, last) {
		return this.rank(last + 1) - this.rank(first);
	}
}
