/* SPDX-License-Identifier: ISC */

/*
 * Looks through lines in a thread of its own, which scan.js starts: it can be
 * ended when an expression takes too long, and the page goes on meanwhile.
 *
 * The first message is what to look for, as below.  Each one after it is an
 * array of [seq, text], and is answered with those found, as [seq, details].
 */

import { Matcher } from "./matcher.js";
import { markerOf } from "./sections.js";
import { severityOf } from "./severity.js";
import { plainText } from "./terminal.js";

const PLACES_MAX = 50_000; /* lines whose places are told */

/* Each gives a function: of a text, what is found in it, or null. */
const KINDS = {
	text(wanted) {
		const matcher = new Matcher(wanted);
		let left = PLACES_MAX;

		return (text) => {
			const plain = plainText(text);

			if (left === 0)
				return matcher.test(plain) ? [] : null;
			const ranges = matcher.find(plain);

			if (ranges.length === 0)
				return matcher.test(plain) ? [] : null;
			left--;
			return ranges;
		};
	},

	severity({ severity }) {
		return (text) =>
		    severityOf(plainText(text)) === severity ? [] : null;
	},

	sections() {
		return markerOf;
	},
};

let look = null;

onmessage = ({ data }) => {
	if (look === null) {
		look = KINDS[data.kind](data);
		return;
	}
	const found = [];

	for (const [seq, text] of data) {
		const details = look(text);

		if (details !== null)
			found.push([seq, details]);
	}
	postMessage(found);
};
