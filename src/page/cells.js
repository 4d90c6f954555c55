/* SPDX-License-Identifier: ISC */

/*
 * One line of a terminal as cells, for output that moves back over what it
 * has written.  The line is as wide as it has to be.
 *
 *	glyph   | a | b | 你 | "" | e◌́ | \t | "" | "" | undefined | c |
 *
 * A wide character or a tab is followed by empty cells; a cell that was
 * jumped over is undefined and looks like a blank.
 */

import { columnsOf } from "./width.js";

/*
 * A move to the right stops here, as at the edge of a terminal, or at the end
 * of a line that is longer.  So a short sequence cannot ask for a long line.
 */
const REACH = 512;

/*
 * What is erased in front of something that stays is paid for in cells: of a
 * long line a short sequence could have it done again and again.
 */
const ERASED_MAX = 1 << 20;

const TAB = 8;
const JOINER = "\u200d";

export class Cells {
	#glyphs = [];
	#looks = []; /* of each cell: what put() was given */
	#column = 0;
	#erased = 0;
	#joining = -1; /* the cell that goes on with the next character */

	/* Writes text at the cursor and moves it behind. */
	put(text, look) {
		for (const character of text) {
			if (character === "\t")
				this.#tab(look);
			else
				this.#place(character, look);
		}
	}

	/* Writes one cell, whatever the text in it. */
	putMark(text, look) {
		this.#write(text, 1, look);
	}

	moveBy(columns) {
		this.moveTo(this.#column + columns);
	}

	/* The first column is 0. */
	moveTo(column) {
		const edge = Math.max(this.#glyphs.length, REACH);

		this.#column = Math.min(Math.max(column, 0), edge);
	}

	/* Erases from the cursor to the end. */
	eraseAfter() {
		if (this.#column >= this.#glyphs.length)
			return;
		this.#split(this.#column);
		this.#glyphs.length = this.#column;
		this.#looks.length = this.#column;
	}

	eraseAll() {
		this.#glyphs.length = 0;
		this.#looks.length = 0;
		this.moveBy(0);
	}

	/* Erases up to the cursor, and what is under it. */
	eraseBefore() {
		const end = this.#column + 1;

		if (end >= this.#glyphs.length) {
			this.eraseAll();
			return;
		}
		this.#erased += end;
		if (this.#erased > ERASED_MAX)
			return;
		this.#split(end);
		this.#glyphs.fill(undefined, 0, end);
		this.#joining = -1;
	}

	/* Calls visit(text, look) for what is there, in order. */
	visit(visit, blankLook) {
		for (let i = 0; i < this.#glyphs.length; i++) {
			const glyph = this.#glyphs[i];

			if (glyph === undefined)
				visit(" ", blankLook);
			else if (glyph !== "")
				visit(glyph, this.#looks[i]);
		}
	}

	#place(character, look) {
		const head = this.#headBefore();
		const columns = columnsOf(character);

		if (head < 0 || (columns > 0 && head !== this.#joining)) {
			this.#write(character, Math.max(columns, 1), look);
			return;
		}
		this.#glyphs[head] += character;
		this.#joining = character === JOINER ? head : -1;
	}

	/* The cell before the cursor that has a character; -1: none has. */
	#headBefore() {
		let at = this.#column - 1;

		while (at > 0 && this.#glyphs[at] === "")
			at--;
		return at >= 0 && this.#glyphs[at] ? at : -1;
	}

	/* A tab moves; over what is not there yet it also writes. */
	#tab(look) {
		const columns = TAB - this.#column % TAB;

		if (this.#column >= this.#glyphs.length)
			this.#write("\t", columns, look);
		else
			this.#column += columns;
	}

	#write(glyph, columns, look) {
		this.#split(this.#column);
		this.#split(this.#column + columns);
		this.#joining = -1;
		for (let i = 0; i < columns; i++) {
			this.#glyphs[this.#column] = i === 0 ? glyph : "";
			this.#looks[this.#column] = look;
			this.#column++;
		}
	}

	/* What lies across the left edge of this column becomes blanks. */
	#split(column) {
		if (this.#glyphs[column] !== "")
			return;
		let first = column;
		let end = column;

		while (this.#glyphs[first] === "")
			first--;
		while (this.#glyphs[end] === "")
			end++;
		this.#glyphs.fill(" ", first, end);
	}
}
