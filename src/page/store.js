/* SPDX-License-Identifier: ISC */

/*
 * What the page has of the log: the newest records as they come, and parts of
 * the rest as they were fetched, each found by its sequence number.  Memory is
 * bounded: chunks far from where the reader is go first, as they can be
 * fetched again.
 *
 *	first                                                    last
 *	  |   lost   |  not here  | chunk | chunk |  not here  | chunk
 *
 * Of a record that is not there get() tells why: undefined is one that may be
 * fetched, null one that is not of this log.
 */

import { Lost } from "./lost.js";

export const CHUNK = 512; /* sequence numbers */

const CHUNKS_MAX = 200;
const CHARACTERS_MAX = 1 << 25;
const SPARED = 3; /* chunks on each side of where the reader is */

/* Of a chunk that is known to have no record: it takes no memory. */
const NOTHING = Object.freeze({
	slots: Object.freeze(Array(CHUNK).fill(null)),
	missing: 0,
	characters: 0,
});

export const chunkOf = (seq) => Math.floor((seq - 1) / CHUNK);
export const chunkFirst = (chunk) => chunk * CHUNK + 1;

export class Store extends EventTarget {
	first = 1;
	last = 0; /* the newest there is; less than first: none */
	focus = Infinity; /* where the reader is; beyond last: at the end */
	run = null; /* the start record */
	runs = new Set(); /* ids of the runs whose output this is */
	exit = null;
	#chunks = new Map();
	#lost = new Lost();
	#kept = 0; /* chunks that take memory */
	#characters = 0;
	#partials = new Map();
	#hasPieces = false;

	/*
	 * A start record; fresh: what was before it is another log.  There is
	 * nothing before first for this page.
	 */
	begin(record, fresh, first = 1) {
		if (fresh)
			this.#forget(first);
		this.run = record;
		this.runs.add(record.run);
		this.exit = null;
		this.last = Math.max(this.last, record.last);
		this.#emit(fresh ? "reset" : "start");
	}

	end(record) {
		this.exit = record;
		this.last = Math.max(this.last, record.last);
		this.#emit("exit");
	}

	/*
	 * Takes live records, which begin behind the one numbered after and
	 * are all that there is up to the newest of them.
	 */
	append(after, records) {
		let position = after;

		for (const record of records) {
			if (record.type === "gap") {
				this.#gap(record);
				position = record.last;
			} else if (record.partial) {
				this.#partials.set(record.stream, record);
			} else {
				this.#partials.delete(record.stream);
				this.#cover(position + 1, record.seq - 1);
				this.#put(record);
				position = record.seq;
				if (record.type === "restart")
					this.#restart(record);
			}
			this.last = Math.max(this.last, position);
		}
		this.#trim();
		this.#emit("append", { first: after + 1, last: position });
	}

	/* Takes all records from first to last, whatever is here of them. */
	load(first, last, records) {
		for (const record of records) {
			if (record.type === "gap")
				this.#lose(record);
			else if (this.get(record.seq) === undefined)
				this.#put(record);
		}
		this.#cover(first, last);
		this.#trim();
		this.#emit("load", { first, last });
	}

	get(seq) {
		if (seq < this.first || seq > this.last)
			return undefined;
		const chunk = this.#chunks.get(chunkOf(seq));
		const record = chunk?.slots[(seq - 1) % CHUNK];

		if (record !== undefined)
			return record;
		const range = this.#lost.find(seq);

		if (range === null)
			return undefined;
		return seq !== Math.max(range.first, this.first) ? null :
		    { type: "gap", seq, ...range };
	}

	/* Between the last record and the next one there may be others. */
	skip() {
		this.#partials.clear();
	}

	/* The newest state of a line that is not finished, or null. */
	partial(stream) {
		return this.#partials.get(stream) ?? null;
	}

	/* What a row shows, see the pieces below; null: there is no row. */
	line(seq) {
		const record = this.get(seq);

		if (record === undefined || record === null ||
		    this.#isPiece(seq, record))
			return record === undefined ? undefined : null;
		const line = { seq, last: seq, record, text: record.text ?? "" };

		for (let next = record; next?.continued;) {
			next = this.#neighbour(line.last, 1, record.stream);
			if (next === null)
				break;
			line.last = next.seq;
			line.text += next.text;
		}
		return line;
	}

	/* Whether nothing at all is here of this chunk. */
	isAbsent(chunk) {
		return !this.#chunks.has(chunk);
	}

	/* How many rows there are of first to last, which are not here. */
	guessRows(first, last) {
		let rows = last - first + 1;

		for (const range of this.#lost.within(first, last)) {
			const begin = Math.max(range.first, this.first);

			rows -= Math.min(range.last, last) -
			    Math.max(begin, first) + 1;
			if (begin >= first)
				rows++;
		}
		return rows;
	}

	/* The first range of first to last that is to be fetched, or null. */
	hole(first, last) {
		const end = Math.min(last, this.last);
		let begin = Math.max(first, this.first);

		while (begin <= end && this.#isKnown(begin))
			begin = this.#skip(begin);
		if (begin > end)
			return null;
		return { first: begin, last: this.#holeEnd(begin, end) };
	}

	/* What is to be fetched around seq, up to reach on each side. */
	holeAround(seq, reach) {
		const least = Math.max(seq - reach, this.first);
		const most = Math.min(seq + reach, this.last);
		let first = seq;

		while (first > least && !this.#isKnown(first - 1))
			first--;
		return { first, last: this.#holeEnd(seq, most) };
	}

	/* One of the last chunk of first to last where there is one, or null. */
	lastHole(first, last) {
		let chunk = chunkOf(Math.min(last, this.last));

		for (; chunk >= chunkOf(first); chunk--) {
			const hole = this.hole(
			    Math.max(chunkFirst(chunk), first),
			    Math.min(chunkFirst(chunk + 1) - 1, last));

			if (hole !== null)
				return hole;
		}
		return null;
	}

	/* Whether more can be kept without something else going. */
	get hasRoom() {
		return this.#kept < 0.8 * CHUNKS_MAX &&
		    this.#characters < 0.8 * CHARACTERS_MAX;
	}

	get characters() {
		return this.#characters;
	}

	/* Those of the past are told by rows only. */
	#restart(record) {
		this.runs.add(record.run);
		if (record.seq > this.run.last)
			this.#emit("restart", record);
	}

	#isKnown(seq) {
		return this.#chunks.get(chunkOf(seq))
		    ?.slots[(seq - 1) % CHUNK] !== undefined ||
		    this.#lost.find(seq) !== null;
	}

	/* Behind seq, which is known, and more of what is. */
	#skip(seq) {
		const range = this.#lost.find(seq);

		if (range !== null)
			return range.last + 1;
		if (this.#chunks.get(chunkOf(seq))?.missing === 0)
			return chunkFirst(chunkOf(seq) + 1);
		return seq + 1;
	}

	#holeEnd(begin, end) {
		let seq = begin;

		while (seq < end && !this.#isKnown(seq + 1))
			seq++;
		return seq;
	}

	/*
	 * A line that was too long comes as pieces.  They are one row as far
	 * as they are of one chunk, so that what a row is depends on nothing
	 * but its chunk.
	 */
	#isPiece(seq, record) {
		return this.#hasPieces && record.type === "line" &&
		    this.#neighbour(seq, -1, record.stream)?.continued === true;
	}

	/* The next record of the stream in this chunk, or null. */
	#neighbour(seq, step, stream) {
		const { slots } = this.#chunks.get(chunkOf(seq));

		for (let i = (seq - 1) % CHUNK + step; i >= 0 && i < CHUNK;
		    i += step) {
			const record = slots[i];

			if (record === undefined || record?.type === "restart")
				return null;
			if (record?.stream === stream)
				return record;
		}
		return null;
	}

	#chunk(number) {
		let chunk = this.#chunks.get(number);

		if (chunk === undefined || chunk === NOTHING) {
			chunk = {
				slots: Array(CHUNK).fill(undefined),
				missing: CHUNK,
				characters: 0,
			};
			this.#chunks.set(number, chunk);
			this.#kept++;
		}
		return chunk;
	}

	#put(record) {
		const chunk = this.#chunk(chunkOf(record.seq));
		const i = (record.seq - 1) % CHUNK;
		const before = chunk.slots[i];
		const size = (record.text?.length ?? 0) -
		    (before?.text?.length ?? 0);

		if (before === undefined)
			chunk.missing--;
		chunk.slots[i] = record;
		chunk.characters += size;
		this.#characters += size;
		this.#hasPieces ||= record.continued === true;
	}

	/* Whatever is not here of first to last is known not to be. */
	#cover(first, last) {
		for (let c = chunkOf(first); first <= last &&
		    c <= chunkOf(last); c++) {
			const begin = Math.max(first, chunkFirst(c));
			const end = Math.min(last, chunkFirst(c + 1) - 1);

			if (end - begin === CHUNK - 1 && this.isAbsent(c))
				this.#chunks.set(c, NOTHING);
			else
				this.#coverIn(this.#chunk(c), begin, end);
		}
	}

	#coverIn(chunk, first, last) {
		for (let seq = first; seq <= last && chunk.missing > 0; seq++) {
			const i = (seq - 1) % CHUNK;

			if (chunk.slots[i] !== undefined ||
			    this.#lost.find(seq) !== null)
				continue;
			chunk.slots[i] = null;
			chunk.missing--;
		}
	}

	/* What this page was too slow for may well be there to be fetched. */
	#gap(record) {
		if (record.reason !== "slow")
			this.#lose(record);
	}

	/* What is still here of lost ones stays. */
	#lose({ first, last, reason }) {
		let seq = Math.max(first, this.first);

		while (seq <= last) {
			let end = seq;

			while (end <= last && !this.#isHere(end))
				end = this.#skipAbsent(end);
			if (end > seq) {
				this.#lost.add(seq, Math.min(end - 1, last),
				    reason);
			}
			seq = Math.max(end, seq + 1);
		}
	}

	#isHere(seq) {
		return this.#chunks.get(chunkOf(seq))
		    ?.slots[(seq - 1) % CHUNK] !== undefined;
	}

	#skipAbsent(seq) {
		return this.isAbsent(chunkOf(seq)) ?
		    chunkFirst(chunkOf(seq) + 1) : seq + 1;
	}

	/* Down to nine tenths, lest there is something to do for each line. */
	#trim() {
		if (this.#kept <= CHUNKS_MAX &&
		    this.#characters <= CHARACTERS_MAX)
			return;
		const focus = chunkOf(Math.min(this.focus, this.last));
		const far = (number) => Math.abs(number - focus);
		const numbers = [...this.#chunks.keys()].filter((number) =>
		    this.#chunks.get(number) !== NOTHING &&
		    number !== chunkOf(this.last) && far(number) > SPARED);

		numbers.sort((a, b) => far(b) - far(a));
		for (const number of numbers) {
			if (this.#kept <= 0.9 * CHUNKS_MAX &&
			    this.#characters <= 0.9 * CHARACTERS_MAX)
				break;
			this.#drop(number);
		}
	}

	#drop(number) {
		this.#characters -= this.#chunks.get(number).characters;
		this.#chunks.delete(number);
		this.#kept--;
	}

	#forget(first) {
		this.first = first;
		this.last = 0;
		this.runs.clear();
		this.#chunks.clear();
		this.#lost = new Lost();
		this.#kept = 0;
		this.#characters = 0;
		this.#partials.clear();
		this.#hasPieces = false;
	}

	#emit(name, detail = null) {
		this.dispatchEvent(new CustomEvent(name, { detail }));
	}
}
