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
import { clip, splitAt, textOf } from "./segments.js";
import { PLAIN } from "./sgr.js";
import { layOut } from "./terminal.js";

const MARKER_SIZE = "::group::".length; /* also of the other kind */
const QUIET = Object.freeze({ ...PLAIN, dim: true });

const SEGMENTS_MAX = 20_000; /* of a line; what is more is plain */
const SHOWN = 5000; /* characters of a line; more at the reader's wish */
const SHOWN_NEXT = 200_000;

/* found: ranges of the text that a search has found. */
export function renderRow({ seq, text, record }, { store },
    { found = [], shown = SHOWN } = {}) {
	const contents = element("span", "text");
	const style = styleBefore((at) => store.get(at), seq, record.stream);
	const laidOut = layOut(text, style).segments;
	const { segments, hidden } = clip(quietMarker(laidOut, text), shown);
	const marked = splitAt(linkAddresses(segments), found,
	    (piece) => ({ ...piece, isHit: true }));

	contents.dir = "auto";
	paint(contents, bounded(marked));
	if (hidden > 0)
		contents.append(makeMore(hidden, moreThan(shown) - shown));
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

/* What changes its colour with each character would stop the browser. */
function bounded(segments) {
	if (segments.length <= SEGMENTS_MAX)
		return segments;
	const rest = textOf(segments.slice(SEGMENTS_MAX));

	return [...segments.slice(0, SEGMENTS_MAX),
		{ text: rest, style: PLAIN, link: null }];
}

/* The next step of what is shown of a line: no browser can take it all. */
export function moreThan(shown = SHOWN) {
	return Math.max(SHOWN_NEXT, 3 * shown);
}

function makeMore(hidden, next) {
	const more = element("button", "more", (hidden <= next ?
	    "show all: " : "show more: ") + `${count(hidden)} more characters`);

	more.type = "button";
	return more;
}
