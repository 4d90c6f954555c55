/* SPDX-License-Identifier: ISC */

/*
 * Which lines have a row: all, less those that a search hides, those of the
 * other stream, and those of folded sections.  Gaps and restarts stay, as
 * long as nothing is folded over them.
 */

export class Visibility {
	finder = null; /* of the search that hides what it does not find */
	context = 0; /* lines around those found that stay */
	stream = "both";
	folded = []; /* {first, last}: sections without their first lines */

	get isNeeded() {
		return this.finder !== null || this.stream !== "both" ||
		    this.folded.length > 0;
	}

	shows(record) {
		if (this.#isFolded(record.seq))
			return false;
		if (record.type !== "line")
			return true;
		if (this.stream !== "both" && record.stream !== this.stream)
			return false;
		return this.finder === null || this.#isNear(record.seq);
	}

	/* About how many rows there are of lines that are not here. */
	count(first, last) {
		const shown = last - first + 1 - this.#foldedOf(first, last);

		if (this.finder === null)
			return shown;
		const near = this.finder.hits.within(first - this.context,
		    last + this.context);

		return Math.min(shown, near * (2 * this.context + 1));
	}

	#isNear(seq) {
		return this.finder.hits.within(seq - this.context,
		    seq + this.context) > 0;
	}

	#isFolded(seq) {
		return this.folded.some(({ first, last }) =>
		    first < seq && seq <= last);
	}

	#foldedOf(first, last) {
		let folded = 0;
		let from = first;

		for (const range of this.folded) {
			const begin = Math.max(range.first + 1, from);
			const end = Math.min(range.last, last);

			if (begin <= end) {
				folded += end - begin + 1;
				from = end + 1;
			}
		}
		return folded;
	}
}
