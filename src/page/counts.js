/* SPDX-License-Identifier: ISC */

/*
 * A growing list of numbers that knows the sum of any of its beginnings, in
 * logarithmic time (a Fenwick tree).
 */

export class Counts {
	#values = [];
	#tree = [0]; /* [i]: sum of the values that end with number i - 1 */
	#total = 0;

	get length() {
		return this.#values.length;
	}

	get total() {
		return this.#total;
	}

	get(i) {
		return this.#values[i] ?? 0;
	}

	set(i, value) {
		while (this.#values.length <= i)
			this.#push();
		const change = value - this.#values[i];

		if (change === 0)
			return;
		this.#values[i] = value;
		this.#total += change;
		for (let at = i + 1; at < this.#tree.length; at += at & -at)
			this.#tree[at] += change;
	}

	/* The sum of the first i values. */
	before(i) {
		let sum = 0;

		for (let at = Math.min(i, this.length); at > 0; at -= at & -at)
			sum += this.#tree[at];
		return sum;
	}

	/*
	 * The value in which the sum exceeds n, as [i, n - before(i)]; the
	 * last one if none does.
	 */
	find(n) {
		let at = 0, rest = n;
		let step = 2 ** Math.floor(Math.log2(this.length || 1));

		for (; step >= 1; step /= 2) {
			if (at + step <= this.length &&
			    this.#tree[at + step] <= rest) {
				at += step;
				rest -= this.#tree[at];
			}
		}
		if (at < this.length)
			return [at, rest];
		return [this.length - 1, this.get(this.length - 1)];
	}

	#push() {
		const at = this.#tree.length;
		let sum = 0;

		for (let step = 1; step < (at & -at); step *= 2)
			sum += this.#tree[at - step];
		this.#tree.push(sum);
		this.#values.push(0);
	}
}
