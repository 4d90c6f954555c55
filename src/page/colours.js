/* SPDX-License-Identifier: ISC */

/*
 * A colour that a line does not end goes on in the next, as on a terminal:
 * programs write whole paragraphs in red.  But rows are made in any order,
 * from wherever somebody has scrolled to, so what a line begins with is found
 * in the few lines before it, as far as they are at hand.  That is cheap, and
 * a program that was killed in the middle of a red line does not turn all that
 * comes after it red.
 */

import { PLAIN } from "./sgr.js";
import { styleAfter } from "./terminal.js";

const LINES_BACK = 100;

const ENDS_PLAIN = /\x1b\[0?m(?:\x1b\[K|\r)*$/;

/*
 * The style a line begins with.  get(seq) is the record before it, null for
 * none there, undefined where it is not at hand; of other streams nothing
 * is taken.
 */
export function styleBefore(get, seq, stream) {
	const before = [];

	for (let at = seq - 1; at >= seq - LINES_BACK; at--) {
		const record = get(at);

		if (record === undefined ||
		    (record !== null && record.type !== "line"))
			break;
		if (record === null || record.stream !== stream ||
		    !/[\x1b\x9b]/.test(record.text))
			continue;
		if (ENDS_PLAIN.test(record.text))
			break;
		before.push(record.text);
	}
	return before.reduceRight((style, text) => styleAfter(text, style),
	    PLAIN);
}
