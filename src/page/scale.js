/* SPDX-License-Identifier: ISC */

/*
 * How far the scroll bar is for a place in a log that may be higher than any
 * element can be.  Near both ends a pixel of the bar is a pixel of the log, so
 * that who scrolls there gets to the very end; in between it is more than one.
 *
 *	log	|------|--------------------------------|------|
 *	bar	|------|-----------|------|
 */

/* Firefox has elements up to 17.8 million pixels high, others up to 33. */
export const HEIGHT_MAX = 15_000_000;

const EXACT_SCREENS = 10;

export class Scale {
	/* total: height of the whole log; screen: what is seen of it; both px */
	constructor(total, screen) {
		this.height = Math.max(Math.min(total, HEIGHT_MAX), screen, 1);
		this.way = Math.max(total - screen, 0);
		this.barWay = this.height - screen;
		this.exact = Math.min(EXACT_SCREENS * screen, this.barWay / 4);
		this.factor = this.way <= this.barWay ? 1 :
		    (this.way - 2 * this.exact) /
		    (this.barWay - 2 * this.exact);
	}

	/* The scrollTop for a place in the log. */
	toBar(place) {
		const at = Math.min(Math.max(place, 0), this.way);

		if (this.factor === 1 || at <= this.exact)
			return at;
		if (this.way - at <= this.exact)
			return this.barWay - (this.way - at);
		return this.exact + (at - this.exact) / this.factor;
	}

	toPlace(bar) {
		const at = Math.min(Math.max(bar, 0), this.barWay);

		if (this.factor === 1 || at <= this.exact)
			return at;
		if (this.barWay - at <= this.exact)
			return this.way - (this.barWay - at);
		return this.exact + (at - this.exact) * this.factor;
	}
}
