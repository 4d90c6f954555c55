/* SPDX-License-Identifier: ISC */

/*
 * Text in pieces that look different: a segment is {text, style, link}.  The
 * text of a line is that of its segments, one after the other; places in it
 * are counted in UTF-16 units, as in strings.
 */

export function textOf(segments) {
	return segments.map((segment) => segment.text).join("");
}

/*
 * Cuts segments at the ends of ranges {start, end}, which are in order and
 * do not overlap, and maps the pieces within a range by change(piece, range).
 */
export function splitAt(segments, ranges, change) {
	const result = [];
	let at = 0; /* of the segment, in the whole text */
	let next = 0;

	for (const segment of segments) {
		const end = at + segment.text.length;
		let from = at;

		while (from < end) {
			while (next < ranges.length && ranges[next].end <= from)
				next++;
			const range = ranges[next];
			const inside = range !== undefined &&
			    range.start <= from;
			const to = Math.min(end, inside ? range.end :
			    range?.start ?? end);
			const piece = { ...segment,
				text: segment.text.slice(from - at, to - at) };

			result.push(inside ? change(piece, range) : piece);
			from = to;
		}
		at = end;
	}
	return result;
}

/*
 * The first characters of segments, and how many there are behind them.  A
 * pair of surrogates is not cut.
 */
export function clip(segments, most) {
	const kept = [];
	let left = most;
	let hidden = 0;

	for (const segment of segments) {
		let size = Math.min(left, segment.text.length);

		if (size < segment.text.length &&
		    /[\ud800-\udbff]/.test(segment.text[size - 1] ?? ""))
			size--;
		if (size > 0)
			kept.push({ ...segment,
				text: segment.text.slice(0, size) });
		hidden += segment.text.length - size;
		left = size < segment.text.length ? 0 : left - size;
	}
	return { segments: kept, hidden };
}
