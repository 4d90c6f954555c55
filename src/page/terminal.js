/* SPDX-License-Identifier: ISC */

/*
 * A line of output as a terminal would show it at its end: colours, and what
 * carriage returns, backspaces and moves within the line have left of it.
 * A line stays one line: moves to other lines mean nothing here.
 *
 * It comes out as segments, {text, style, link}: styles are those of sgr.js,
 * a link is null or the address a program gave with OSC 8.  What cannot be
 * seen, such as NUL or the marks that turn text around, is told by name, in
 * segments with the style MARK.
 */

import { Cells } from "./cells.js";
import { scan, SPECIAL } from "./escapes.js";
import { safeAddress } from "./links.js";
import { textOf } from "./segments.js";
import { PLAIN, select } from "./sgr.js";

export const MARK = Object.freeze({ ...PLAIN, mark: true });

const NAMES = new Map([
	[0x7f, "\u2421"],
	[0x061c, "\u2039ALM\u203a"],
	[0x200e, "\u2039LRM\u203a"],
	[0x200f, "\u2039RLM\u203a"],
	[0x2028, "\u2039LS\u203a"],
	[0x2029, "\u2039PS\u203a"],
	[0x202a, "\u2039LRE\u203a"],
	[0x202b, "\u2039RLE\u203a"],
	[0x202c, "\u2039PDF\u203a"],
	[0x202d, "\u2039LRO\u203a"],
	[0x202e, "\u2039RLO\u203a"],
	[0x2066, "\u2039LRI\u203a"],
	[0x2067, "\u2039RLI\u203a"],
	[0x2068, "\u2039FSI\u203a"],
	[0x2069, "\u2039PDI\u203a"],
]);

const SHIFTS = [0x0e, 0x0f]; /* of the character set, which is Unicode */

/*
 * style: what the line begins with, which is what the one before it ended
 * with.  Returns {segments, style}, the style that the next one begins with.
 */
export function layOut(text, style = PLAIN) {
	if (!SPECIAL.test(text))
		return { segments: segmentsOf(text, style), style };
	const line = new Line(style);

	scan(text, line);
	return { segments: line.segments(), style: line.style };
}

/* The text alone: what is searched, and what is copied. */
export function plainText(text) {
	if (!SPECIAL.test(text))
		return text;
	return textOf(layOut(text).segments);
}

/* The style after a line, for what comes after it. */
export function styleAfter(text, style) {
	if (!/[\x1b\x9b]/.test(text))
		return style;
	const follower = new Follower(style);

	scan(text, follower);
	return follower.style;
}

function segmentsOf(text, style) {
	return text === "" ? [] : [{ text, style, link: null }];
}

/* Takes nothing but colours from what is scanned. */
class Follower {
	constructor(style) {
		this.style = style;
	}

	print() {}

	control() {}

	osc() {}

	csi(parameters, final) {
		if (final === "m")
			this.style = select(this.style, parameters);
	}
}

/*
 * Most lines are only ever written at their end: these are runs of text.
 * They become cells when something is written over.
 */
class Line extends Follower {
	#link = null;
	#runs = [];
	#cells = null;
	#returned = false; /* the cursor is at the beginning of the runs */

	print(text) {
		this.#add(text, this.style, "put");
	}

	control(code) {
		if (code === 0x0d)
			this.#return();
		else if (code === 0x08)
			this.#asCells().moveBy(-1);
		else if (!SHIFTS.includes(code))
			this.#add(nameOf(code), MARK, "putMark");
	}

	csi(parameters, final) {
		if (final === "m")
			this.style = select(this.style, parameters);
		else if (/^\d*$/.test(parameters))
			this.#move(final, Number(parameters));
	}

	/* 8;PARAMETERS;ADDRESS begins a link, without an address it ends. */
	osc(command) {
		const link = /^8;[^;]*;(.*)$/s.exec(command);

		if (link !== null)
			this.#link = safeAddress(link[1]);
	}

	segments() {
		if (this.#cells === null)
			return this.#runs.map(({ text, style, link }) =>
			    ({ text, style, link }));
		const joined = new Segments();

		this.#cells.visit((text, { style, link }) =>
		    joined.add(text, style, link), { style: PLAIN, link: null });
		return joined.done();
	}

	#add(text, style, put) {
		if (this.#returned)
			this.#asCells();
		if (this.#cells !== null)
			this.#cells[put](text, { style, link: this.#link });
		else
			this.#append(text, style);
	}

	/* Of many marks in a row only the cells need to know each. */
	#append(text, style) {
		const last = this.#runs.at(-1);

		if (style === MARK && last?.style === MARK &&
		    last.link === this.#link) {
			last.text += text;
			last.marks.push(text);
		} else {
			this.#runs.push({ text, style, link: this.#link,
				marks: style === MARK ? [text] : null });
		}
	}

	#return() {
		if (this.#cells !== null)
			this.#cells.moveTo(0);
		else
			this.#returned = this.#runs.length > 0;
	}

	#move(final, n) {
		if (final === "C")
			this.#asCells().moveBy(Math.max(n, 1));
		else if (final === "D")
			this.#asCells().moveBy(-Math.max(n, 1));
		else if (final === "G")
			this.#asCells().moveTo(Math.max(n, 1) - 1);
		else if (final === "K")
			this.#erase(n);
	}

	/* To the end, to the beginning, all of it. */
	#erase(part) {
		if (this.#cells === null && this.#returned && part !== 1) {
			this.#runs = [];
			this.#returned = false;
		} else if (part === 0 && this.#cells !== null) {
			this.#cells.eraseAfter();
		} else if (part === 1) {
			this.#asCells().eraseBefore();
		} else if (part === 2) {
			this.#asCells().eraseAll();
		}
	}

	#asCells() {
		if (this.#cells !== null)
			return this.#cells;
		this.#cells = new Cells();
		for (const { text, style, link, marks } of this.#runs) {
			if (marks === null)
				this.#cells.put(text, { style, link });
			for (const mark of marks ?? [])
				this.#cells.putMark(mark, { style, link });
		}
		if (this.#returned)
			this.#cells.moveTo(0);
		this.#returned = false;
		return this.#cells;
	}
}

/* Neighbours that look the same are one segment. */
class Segments {
	#done = [];
	#pieces = [];
	#style = null;
	#link = null;

	add(text, style, link) {
		if (style !== this.#style || link !== this.#link)
			this.#flush(style, link);
		this.#pieces.push(text);
	}

	done() {
		this.#flush(null, null);
		return this.#done;
	}

	#flush(style, link) {
		if (this.#pieces.length > 0)
			this.#done.push({
				text: this.#pieces.join(""),
				style: this.#style,
				link: this.#link,
			});
		this.#pieces = [];
		this.#style = style;
		this.#link = link;
	}
}

function nameOf(code) {
	return NAMES.get(code) ?? String.fromCharCode(0x2400 + code);
}
