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
import { markerOf } from "./sections.js";
import { clip, splitAt } from "./segments.js";
import { PLAIN } from "./sgr.js";
import { layOut } from "./terminal.js";

const MARKER_SIZE = "::group::".length; /* also of the other kind */
const QUIET = Object.freeze({ ...PLAIN, dim: true });

const SHOWN = 5000; /* characters of a line; more at the reader's wish */

/* found: ranges of the text that a search has found. */
export function renderRow({ seq, text, record }, { store },
    { found = [], isWhole = false } = {}) {
	const contents = element("span", "text");
	const style = styleBefore((at) => store.get(at), seq, record.stream);
	const laidOut = layOut(text, style).segments;
	const { segments, hidden } = clip(quietMarker(laidOut, text),
	    isWhole ? Infinity : SHOWN);
	const marked = splitAt(linkAddresses(segments), found,
	    (piece) => ({ ...piece, isHit: true }));

	contents.dir = "auto";
	paint(contents, marked);
	if (hidden > 0)
		contents.append(makeMore(hidden));
	return contents;
}

/* The name of a section is what counts, not how it is said to be one. */
function quietMarker(segments, text) {
	const marker = markerOf(text);

	if (marker === null || !marker.isStart || marker.id !== null)
		return segments;
	return splitAt(segments, [{ start: 0, end: MARKER_SIZE }],
	    (piece) => ({ ...piece, style: QUIET }));
}

function makeMore(hidden) {
	const more = element("button", "more",
	    `show all: ${count(hidden)} more characters`);

	more.type = "button";
	return more;
}
