/* SPDX-License-Identifier: ISC */

/*
 * The lines on the screen.  Rows are kept in blocks; a full block that is off
 * screen costs the browser next to nothing, and what is too old goes a block
 * at a time.  Everything that came over the wire becomes a text node.
 *
 *	#log   block full | block full | block        | unfinished
 *	       row row .. | row row .. | row row row  | stdout stderr
 */

import { makeNode, Parser } from "./ansi.js";

const BLOCK_ROWS = 50;
const BLOCK_CHARACTERS = 1 << 16;

/* A guess, for the height of blocks that have not been on screen yet. */
const COLUMNS = 120;

/* Somebody who reads further up keeps what is there for longer. */
const FOLLOWED_ROWS_MAX = 20000;
const FOLLOWED_CHARACTERS_MAX = 1 << 24;
const PAUSED_FACTOR = 5;

/* Pieces of one line are joined up to this; a longer line has more rows. */
const LINE_CHARACTERS_MAX = 1 << 18;

const REASONS = {
	evicted: "evicted from the history",
	slow: "this viewer was too slow",
};

export class Log {
	#element;
	#unfinished = document.createElement("div");
	#blocks = []; /* oldest first */
	#rows = 0;
	#characters = 0;
	#streams = new Map();
	#dropped = 0;
	#digits = 4;

	constructor(element) {
		this.#element = element;
		element.append(this.#unfinished);
	}

	/* Lines that were shown, or said to be missing, and have gone since. */
	get dropped() {
		return this.#dropped;
	}

	addLine(record) {
		const stream = this.#stream(record.stream);

		stream.partial?.remove();
		stream.partial = null;
		if (record.partial)
			this.#addPartial(record, stream);
		else
			this.#addRecord(record, stream);
	}

	addGap({ first, last, reason }) {
		const lines = first === last ? `line ${first} is` :
		    `lines ${first} to ${last} are`;
		const row = makeRow("gap");

		row.dataset.first = first;
		row.dataset.last = last;
		row.textContent =
		    `${lines} missing: ${REASONS[reason] ?? reason}`;
		this.#place(row);
		this.#blocks.at(-1).records += last - first + 1;
		this.#reset();
	}

	beginRun() {
		const row = makeRow("run");

		row.textContent = "a new run has begun";
		this.#place(row);
		this.#reset();
	}

	/* Drops what is too old.  paused: somebody reads further up. */
	trim(paused) {
		const factor = paused ? PAUSED_FACTOR : 1;

		while (this.#blocks.length > 1 &&
		    (this.#rows > factor * FOLLOWED_ROWS_MAX ||
		    this.#characters > factor * FOLLOWED_CHARACTERS_MAX)) {
			const block = this.#blocks.shift();

			block.element.remove();
			this.#rows -= block.rows;
			this.#characters -= block.characters;
			this.#dropped += block.records;
		}
	}

	#stream(name) {
		if (!this.#streams.has(name)) {
			this.#streams.set(name, {
				parser: new Parser(),
				partial: null, /* row of an unfinished line */
				joined: null, /* row for the next piece */
				size: 0, /* of joined, in characters */
			});
		}
		return this.#streams.get(name);
	}

	/* What comes next does not go on from what came last. */
	#reset() {
		for (const stream of this.#streams.values()) {
			stream.parser.reset();
			stream.partial?.remove();
			stream.partial = null;
			stream.joined = null;
		}
	}

	#addPartial(record, stream) {
		const row = makeLineRow(record);

		row.classList.add("partial");
		fill(row, stream.parser.clone().feed(record.text));
		this.#unfinished.append(row);
		stream.partial = row;
	}

	#addRecord(record, stream) {
		const parsed = stream.parser.feed(record.text);
		let row = stream.joined;

		if (row?.isConnected && stream.size < LINE_CHARACTERS_MAX) {
			row.dataset.last = record.seq;
			fill(row, parsed);
			this.#count(0, record.text.length);
		} else {
			row = makeLineRow(record);
			row.dataset.seq = record.seq;
			fill(row, parsed);
			this.#place(row);
			this.#count(0, record.text.length);
			stream.size = 0;
		}
		this.#blocks.at(-1).records++;
		stream.size = parsed.overwritten ? 0 :
		    stream.size + record.text.length;
		stream.joined = record.continued ? row : null;
		if (!record.continued)
			stream.parser.endLine();
		this.#widen(record.seq);
	}

	#place(row) {
		const block = this.#blocks.at(-1);

		if (block === undefined || block.rows >= BLOCK_ROWS ||
		    block.characters >= BLOCK_CHARACTERS)
			this.#addBlock();
		this.#blocks.at(-1).element.append(row);
		this.#count(1, 0);
	}

	#addBlock() {
		const element = document.createElement("div");
		const full = this.#blocks.at(-1);

		if (full !== undefined) {
			full.element.style.setProperty("--lines", full.lines);
			full.element.classList.add("full");
		}
		element.className = "block";
		this.#blocks.push({
			element,
			rows: 0,
			lines: 0, /* on the screen, about */
			records: 0,
			characters: 0,
		});
		this.#unfinished.before(element);
	}

	#count(rows, characters) {
		const block = this.#blocks.at(-1);

		block.rows += rows;
		block.lines += rows + Math.floor(characters / COLUMNS);
		block.characters += characters;
		this.#rows += rows;
		this.#characters += characters;
	}

	/* The column of numbers is as wide as the widest one so far. */
	#widen(seq) {
		const digits = String(seq).length;

		if (digits <= this.#digits)
			return;
		this.#digits = digits;
		this.#element.style.setProperty("--digits", digits);
	}
}

function makeRow(name) {
	const row = document.createElement("div");

	row.className = name;
	return row;
}

/* stdout is what a log is made of; to hear it before every line is noise. */
function makeLineRow(record) {
	const row = makeRow("row");

	row.dataset.stream = record.stream;
	if (record.stream === "stderr") {
		row.setAttribute("role", "group");
		row.setAttribute("aria-label", "stderr");
	}
	return row;
}

function fill(row, { runs, overwritten }) {
	if (overwritten)
		row.replaceChildren();
	for (const run of runs)
		row.append(makeNode(run));
}
