/* SPDX-License-Identifier: ISC */

/*
 * Addresses in output.  Only http and https ones can be opened, and where one
 * leads is always to be seen: it is the text itself, or stands beside it.
 */

import { splitAt, textOf } from "./segments.js";

/* Not what ends a quotation or a tag, and no blank or control. */
const ADDRESS = /\bhttps?:\/\/[^\s"'<>`\\^{|}\x00-\x1f\x7f-\x9f\u2039\u203a]+/gi;

const ADDRESS_MAX = 2048;
const PAIRS = { ")": "(", "]": "[" };

/* The address as the browser understands it, or null if it is not for us. */
export function safeAddress(text) {
	if (text === "" || text.length > ADDRESS_MAX)
		return null;
	try {
		const address = new URL(text);
		const known = address.protocol === "http:" ||
		    address.protocol === "https:";

		return known && address.username === "" ? address.href : null;
	} catch {
		return null;
	}
}

/*
 * Makes links of the addresses in the text of segments, also of one that has
 * several colours.  A program's own links stay as they are.
 */
export function linkAddresses(segments) {
	const text = textOf(segments);

	if (!text.includes("://"))
		return segments;
	const found = findAddresses(text);

	return found.length === 0 ? segments :
	    splitAt(segments, found, (segment, { link }) =>
	        segment.link === null ?
	        { ...segment, link, isAddress: true } : segment);
}

function findAddresses(text) {
	const found = [];

	for (const match of text.matchAll(ADDRESS)) {
		const address = withoutEnd(match[0]);
		const link = safeAddress(address);

		if (link !== null)
			found.push({
				start: match.index,
				end: match.index + address.length,
				link,
			});
	}
	return found;
}

/* The end of a sentence, or of the brackets around it, is not its own. */
function withoutEnd(address) {
	const short = address.slice(0, ADDRESS_MAX + 1);
	const surplus = new Map(Object.entries(PAIRS).map(([closed, opened]) =>
	    [closed, count(short, closed) - count(short, opened)]));
	let end = short.length;

	while (end > 0) {
		const last = short[end - 1];

		if (surplus.get(last) > 0)
			surplus.set(last, surplus.get(last) - 1);
		else if (!".,;:!?*_~".includes(last))
			break;
		end--;
	}
	return short.slice(0, end);
}

function count(text, character) {
	return text.split(character).length - 1;
}
