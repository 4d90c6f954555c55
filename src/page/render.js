/* SPDX-License-Identifier: ISC */

/*
 * The contents of a row that shows a line.  Rows are made in any order, and
 * again whenever they come back to the screen: from the line, and the few
 * before it that may have left a colour on.
 */

import { styleBefore } from "./colours.js";
import { linkAddresses } from "./links.js";
import { paint } from "./paint.js";
import { count, element } from "./row.js";
import { clip, splitAt } from "./segments.js";
import { layOut } from "./terminal.js";

const SHOWN = 5000; /* characters of a line; more at the reader's wish */

/* found: ranges of the text that a search has found. */
export function renderRow({ seq, text, record }, { store },
    { found = [], isWhole = false } = {}) {
	const contents = element("span", "text");
	const style = styleBefore((at) => store.get(at), seq, record.stream);
	const laidOut = layOut(text, style).segments;
	const { segments, hidden } = clip(laidOut,
	    isWhole ? Infinity : SHOWN);
	const marked = splitAt(linkAddresses(segments), found,
	    (piece) => ({ ...piece, isHit: true }));

	contents.dir = "auto";
	paint(contents, marked);
	if (hidden > 0)
		contents.append(makeMore(hidden));
	return contents;
}

function makeMore(hidden) {
	const more = element("button", "more",
	    `show all: ${count(hidden)} more characters`);

	more.type = "button";
	return more;
}
