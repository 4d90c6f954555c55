/* SPDX-License-Identifier: ISC */

/*
 * Fetches parts of the log: first what the reader looks at, then what is just
 * before the newest lines, so that it is still here when the server has gone.
 * One answer at a time.
 */

import { serverAddress } from "./address.js";

const AROUND = 1024; /* records fetched on each side of what is wanted */
const AROUND_MAX = 1 << 18; /* where most are of the other stream */
const BEHIND = 80_000; /* records before the newest that are kept ready */
const FILL_RECORDS = 4096;
const READ_RECORDS = 16_384;
const ANSWER_CHARACTERS_MAX = 1 << 23;
const RETRY_LEAST_MS = 500;
const RETRY_MOST_MS = 10_000;

export class Ranges extends EventTarget {
	problem = ""; /* why nothing can be fetched just now */
	#store;
	#wanted = null;
	#around = AROUND;
	#live = false; /* what nobody waits for may be fetched as well */
	#persistent = false; /* what failed is tried again */
	#busy = false;
	#failures = 0;

	constructor(store) {
		super();
		this.#store = store;
		store.addEventListener("reset", () => this.#wanted = null);
	}

	/* What the reader looks at, or null; all else is less urgent. */
	want(seq) {
		this.#wanted = seq;
		if (seq !== null)
			this.#pump();
	}

	/*
	 * Whether the server is there, as far as one can tell.  After the end
	 * of the run it may be for long, or be gone in a moment: until then
	 * what can be had is fetched, but what fails is not tried again.
	 */
	setState(state) {
		this.#persistent = state === "live";
		this.#live = this.#persistent || state === "ended";
		if (this.#live)
			this.#pump();
	}

	/*
	 * The log from first to last, in arrays of records, which are not kept
	 * here.  Throws where the server does not give them.
	 */
	async *read(first, last, signal = undefined) {
		for (let seq = first; seq <= last;) {
			const records = this.#collect(seq, last);

			if (records.next > seq) {
				yield records;
				seq = records.next;
				continue;
			}
			const answer = await fetchRange(this.#store, seq,
			    Math.min(seq + READ_RECORDS - 1, last), signal);

			yield answer.records.filter(({ seq: at, first: gap }) =>
			    (at ?? gap) <= last);
			seq = Math.max(answer.last, seq) + 1;
		}
	}

	/* What is here of the log from first on, in one piece. */
	#collect(first, last) {
		const records = [];
		const end = Math.min(last, first + READ_RECORDS - 1);
		let seq = first;

		for (; seq <= end; seq++) {
			const record = this.#store.get(seq);

			if (record === undefined)
				break;
			if (record !== null)
				records.push(record);
		}
		records.next = seq;
		return records;
	}

	async #pump() {
		if (this.#busy)
			return;
		this.#busy = true;
		for (let hole; (hole = this.#next()) !== null;) {
			try {
				await this.#fetch(hole);
				this.#tell("");
				this.#failures = 0;
			} catch (error) {
				this.#tell(error.message);
				if (!this.#persistent) {
					this.#live = false;
					break;
				}
				await this.#pause();
			}
		}
		this.#busy = false;
	}

	#next() {
		if (this.#store.run === null)
			return null;
		return this.#nextWanted() ?? this.#nextFirst() ??
		    this.#nextBehind();
	}

	/* Where the log begins tells how long it is. */
	#nextFirst() {
		const { first } = this.#store;

		return this.#live ? this.#store.hole(first, first) : null;
	}

	/* With some of what is around it, which will be wanted next. */
	#nextWanted() {
		const seq = this.#wanted;

		if (seq === null || this.#store.hole(seq, seq) === null) {
			this.#around = AROUND;
			return null;
		}
		return this.#store.holeAround(seq, this.#around);
	}

	#nextBehind() {
		const { last, hasRoom } = this.#store;
		const hole = this.#live && hasRoom ?
		    this.#store.lastHole(Math.max(last - BEHIND, 1), last) :
		    null;

		if (hole === null)
			return null;
		return {
			first: Math.max(hole.last - FILL_RECORDS + 1,
			    last - BEHIND, this.#store.first),
			last: hole.last,
		};
	}

	async #fetch({ first, last }) {
		const answer = await fetchRange(this.#store, first, last);

		this.#store.load(answer.first, answer.last, answer.records);
		if (answer.records.length < 100)
			this.#around = Math.min(2 * this.#around, AROUND_MAX);
	}

	async #pause() {
		const most_ms = Math.min(RETRY_MOST_MS,
		    RETRY_LEAST_MS * 2 ** this.#failures);

		this.#failures++;
		await new Promise((resolve) => setTimeout(resolve,
		    most_ms * (0.5 + 0.5 * Math.random())));
	}

	#tell(problem) {
		if (problem === this.problem)
			return;
		this.problem = problem;
		this.dispatchEvent(new Event("problem"));
	}
}

/*
 * Of the log from first to last what there is, or less if that is much text:
 * { first, last, records }, where the records are lines, restarts, and a gap
 * if it begins later.
 */
async function fetchRange(store, first, last, signal) {
	const stop = new AbortController();

	signal?.addEventListener("abort", () => stop.abort(signal.reason));
	const answer = await request(serverAddress("./", {
		format: "json",
		after: first - 1,
		limit: last - first + 1,
		run: store.run.run,
	}), stop.signal);
	const { texts, whole } = await readTexts(answer, stop);
	const all = texts.map((text) => JSON.parse(text));
	const start = all.find(({ type }) => type === "start");
	const records = all.filter((record) => isOfLog(record) &&
	    (record.seq ?? record.first) <= store.last);

	if (!store.runs.has(start?.run))
		throw new Error("another run is there now");
	if (records.length === 0 && store.last < start.first)
		throw new Error("these lines are not there");
	return {
		first: start.first,
		last: whole ? Math.min(start.first + last - first, start.last,
		    store.last) : records.at(-1).seq,
		records,
	};
}

function isOfLog({ type, partial }) {
	return type === "gap" || type === "restart" ||
	    (type === "line" && !partial);
}

async function request(address, signal) {
	let answer;

	try {
		answer = await fetch(address, { signal, cache: "no-store" });
	} catch (error) {
		signal.throwIfAborted();
		throw new Error("the server does not answer");
	}
	if (!answer.ok)
		throw new Error((await answer.text()).trim());
	return answer;
}

/* The lines of the answer, as many as are good for one piece of work. */
async function readTexts(answer, stop) {
	const reader = answer.body.pipeThrough(new TextDecoderStream())
	    .getReader();
	const texts = [];
	let rest = "", size = 0;

	for (;;) {
		const { done, value } = await reader.read();

		if (done)
			return { texts, whole: true };
		const lines = (rest + value).split("\n");

		size += value.length;
		rest = lines.pop();
		for (const line of lines)
			texts.push(line);
		if (size > ANSWER_CHARACTERS_MAX && texts.length > 8) {
			stop.abort();
			return { texts, whole: false };
		}
	}
}
