/* SPDX-License-Identifier: ISC */

/*
 * Ranges of sequence numbers that nobody has any more, in order, apart from
 * each other, and with the reason why.
 */

export class Lost {
	#ranges = []; /* { first, last, reason } */

	/* The range that has seq, or null. */
	find(seq) {
		const range = this.#ranges[this.#search(seq)];

		return range !== undefined && range.first <= seq ? range : null;
	}

	/* Those that have something of first to last. */
	*within(first, last) {
		for (let i = this.#search(first); i < this.#ranges.length &&
		    this.#ranges[i].first <= last; i++)
			yield this.#ranges[i];
	}

	/* What overlaps or touches becomes one range; it is returned. */
	add(first, last, reason) {
		const begin = this.#search(first - 1);
		const range = { first, last, reason };
		let end = begin;

		while (end < this.#ranges.length &&
		    this.#ranges[end].first <= last + 1) {
			range.first = Math.min(range.first,
			    this.#ranges[end].first);
			range.last = Math.max(range.last,
			    this.#ranges[end].last);
			end++;
		}
		this.#ranges.splice(begin, end - begin, range);
		return range;
	}

	/* The first range that ends at seq or later. */
	#search(seq) {
		let low = 0, high = this.#ranges.length;

		while (low < high) {
			const middle = (low + high) >> 1;

			if (this.#ranges[middle].last < seq)
				low = middle + 1;
			else
				high = middle;
		}
		return low;
	}
}
