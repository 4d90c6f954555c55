/* SPDX-License-Identifier: ISC */

/*
 * Parts of a log that can be folded, which the output marks itself:
 *
 *	::group::NAME              ::endgroup::
 *	##[group]NAME              ##[endgroup]
 *	section_start:TIME:ID\r\e[0KNAME   section_end:TIME:ID\r\e[0K
 *
 * Markers come in any order, and more than once.  A section goes from its
 * first marker to the one that ends it, or to the end of the log; one that
 * its surroundings end is ended with them.
 *
 *	1 group a | 2 ... | 3 group b | 4 ... | 5 end | 6 ... | 7 end
 *	a: 1 to 7, depth 0; b: 3 to 5, depth 1
 */

const MARKERS_MAX = 100_000;

const GROUP = /^(?:::group::|##\[group\])(.*)$/s;
const END_GROUP = /^(?:::endgroup::|##\[endgroup\])\s*$/;
const SECTION =
    /(?:^|[\r\n]|\x1b\[0?K)section_(start|end):\d+:([\w.-]+)(\[[^\]]*\])?(?:\r?\x1b\[0?K)?(.*)$/s;

/*
 * What a line says, as the command wrote it: null, or {isStart, name, id,
 * isFolded}; id is null for groups, which end in the order of their nesting.
 */
export function markerOf(text) {
	const first = text.charCodeAt(0);

	if (first === 0x3a || first === 0x23)
		return groupMarker(text);
	return text.includes("section_") ? sectionMarker(text) : null;
}

function groupMarker(text) {
	const group = GROUP.exec(text);

	if (group !== null)
		return { isStart: true, name: group[1].trim() || "group",
			id: null, isFolded: false };
	return END_GROUP.test(text) ?
	    { isStart: false, name: "", id: null, isFolded: false } : null;
}

function sectionMarker(text) {
	const [, kind, id, options, name] = SECTION.exec(text) ?? [];

	if (kind === undefined)
		return null;
	return { isStart: kind === "start", name: name.trim() || id, id,
		isFolded: /\bcollapsed=true\b/.test(options ?? "") };
}

export class Sections {
	#markers = new Map(); /* by sequence number */
	#sections = null; /* by their first line; null: to be made again */

	get isEmpty() {
		return this.#markers.size === 0;
	}

	/* Too many markers are noise: what comes then is not looked at. */
	add(seq, marker) {
		if (this.#markers.has(seq) ||
		    this.#markers.size >= MARKERS_MAX)
			return;
		this.#markers.set(seq, marker);
		this.#sections = null;
	}

	clear() {
		this.#markers.clear();
		this.#sections = null;
	}

	/*
	 * {first, last, name, depth, isFolded}, in their order; last is
	 * Infinity: still open.
	 */
	list() {
		return [...this.#all.values()];
	}

	/* The section that begins with this line, or undefined. */
	startingAt(seq) {
		return this.#markers.get(seq)?.isStart ? this.#all.get(seq) :
		    undefined;
	}

	/* The sections that this line is in, outermost first. */
	around(seq) {
		return this.list().filter(({ first, last }) =>
		    first <= seq && seq <= last);
	}

	isEnd(seq) {
		return this.#markers.get(seq)?.isStart === false;
	}

	get #all() {
		this.#sections ??= pair([...this.#markers].sort(
		    ([a], [b]) => a - b));
		return this.#sections;
	}
}

function pair(markers) {
	const sections = new Map();
	const open = [];

	for (const [seq, { isStart, name, id, isFolded }] of markers) {
		if (isStart) {
			const section = { first: seq, last: Infinity, name, id,
				depth: open.length, isFolded };

			sections.set(seq, section);
			open.push(section);
			continue;
		}
		const at = open.findLastIndex((section) => section.id === id);

		if (at >= 0)
			for (const section of open.splice(at))
				section.last = seq;
	}
	return sections;
}
