/* SPDX-License-Identifier: ISC */

/*
 * Goes through the whole log, whatever of it is here, and through what comes
 * later: from where the reader is to the end, then back to the beginning, a
 * block at a time, and then waits for new lines.
 *
 *	first      low          anchor        high     last
 *	  |   ...   |<-- 2. ------|---- 1. --->|  ...   |
 */

import { chunkOf } from "./store.js";

const BLOCK = 16_384; /* records */
const PORTION_LINES = 4096; /* that are looked through at once */
const PORTION_CHARACTERS = 1 << 18;
const PATIENCE_MS = 3000; /* for them */
const RETRY_MS = 3000;

let policy;

/* Of the one script that may be started so. */
function scannerAddress() {
	policy ??= globalThis.trustedTypes?.createPolicy("wsexec-scanner",
	    { createScriptURL: () => "scanner.js" }) ??
	    { createScriptURL: () => "scanner.js" };
	return policy.createScriptURL("");
}

/* Events: "found", detail: [[seq, details]]; "progress"; "stuck". */
export class Scan extends EventTarget {
	problem = ""; /* why it does not go on */
	#store;
	#ranges;
	#worker;
	#low;
	#high;
	#stop = new AbortController();

	/* job: what scanner.js is to look for; anchor: where to begin. */
	constructor({ store, ranges }, job, anchor) {
		super();
		this.#store = store;
		this.#ranges = ranges;
		this.#high = Math.min(Math.max(anchor, store.first),
		    store.last + 1) - 1;
		this.#low = this.#high + 1;
		this.#worker = new Worker(scannerAddress(),
		    { type: "module" });
		this.#worker.postMessage(job);
		this.#run();
	}

	stop() {
		this.#stop.abort();
		this.#worker.terminate();
	}

	get isDone() {
		return this.#high >= this.#store.last && this.#hasBeginning;
	}

	/* Whether all from seq on, or all up to it, has been looked through. */
	covers(seq, direction) {
		return direction > 0 ? this.#high >= this.#store.last :
		    this.#hasBeginning || this.#low <= 1;
	}

	/* Of the log, 0 to 1. */
	get part() {
		const all = this.#store.last - this.#store.first + 1;

		return all <= 0 ? 1 :
		    Math.min((this.#high - this.#low + 1) / all, 1);
	}

	has(seq) {
		return seq >= this.#low && seq <= this.#high;
	}

	get #hasBeginning() {
		return this.#low <= this.#store.first;
	}

	async #run() {
		while (!this.#stop.signal.aborted) {
			try {
				const worked = await this.#step();

				this.problem = "";
				this.#tell("progress");
				if (!worked)
					await this.#change();
			} catch (error) {
				if (this.#stop.signal.aborted)
					return;
				this.problem = error.message;
				this.#tell("progress");
				await this.#change(RETRY_MS);
			}
		}
	}

	/* Takes the next block; false: there is none. */
	async #step() {
		const { first, last } = this.#store;

		if (this.#high < last) {
			await this.#search(this.#high + 1,
			    Math.min(this.#high + BLOCK, last));
			return true;
		}
		if (this.#low <= first)
			return false;
		await this.#search(Math.max(this.#low - BLOCK, first),
		    this.#low - 1);
		return true;
	}

	async #search(first, last) {
		const joiner = new Joiner();

		for await (const records of
		    this.#ranges.read(first, last, this.#stop.signal))
			await this.#ask(joiner.join(records));
		await this.#ask(joiner.rest());
		if (first > this.#high)
			this.#high = last;
		else
			this.#low = first;
	}

	async #ask(lines) {
		for (const portion of portions(lines)) {
			const found = await this.#answer(portion);

			if (found.length > 0)
				this.dispatchEvent(new CustomEvent("found",
				    { detail: found }));
		}
	}

	#answer(lines) {
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => {
				this.stop();
				this.dispatchEvent(new CustomEvent("stuck", {
					detail: { first: lines[0][0],
						last: lines.at(-1)[0] },
				}));
				reject(new Error("it takes too long"));
			}, PATIENCE_MS);

			this.#worker.onmessage = ({ data }) => {
				clearTimeout(timer);
				resolve(data);
			};
			this.#stop.signal.addEventListener("abort", () => {
				clearTimeout(timer);
				reject(new Error("stopped"));
			}, { once: true });
			this.#worker.postMessage(lines);
		});
	}

	/* Waits until there may be something to do. */
	#change(most_ms = null) {
		return new Promise((resolve) => {
			const stop = new AbortController();
			const go = () => {
				stop.abort();
				resolve();
			};
			const options = { signal: stop.signal };

			this.#store.addEventListener("append", go, options);
			this.#store.addEventListener("load", go, options);
			this.#stop.signal.addEventListener("abort", go, options);
			if (most_ms !== null)
				setTimeout(go, most_ms);
		});
	}

	#tell(name) {
		if (!this.#stop.signal.aborted)
			this.dispatchEvent(new Event(name));
	}
}

function* portions(lines) {
	let begin = 0, size = 0;

	for (let i = 0; i < lines.length; i++) {
		size += lines[i][1].length;
		if (i + 1 === lines.length || size > PORTION_CHARACTERS ||
		    i + 1 - begin === PORTION_LINES) {
			yield lines.slice(begin, i + 1);
			begin = i + 1;
			size = 0;
		}
	}
}

/* Lines as rows show them: pieces put together within a chunk of the store. */
class Joiner {
	#open = new Map(); /* stream: [seq, text] that goes on */

	join(records) {
		const lines = [];

		for (const { type, seq, stream, text, continued } of records) {
			if (type !== "line") {
				lines.push(...this.rest());
				continue;
			}
			const open = this.#open.get(stream);
			const isPiece = open !== undefined &&
			    chunkOf(open[0]) === chunkOf(seq);
			const line = isPiece ? [open[0], open[1] + text] :
			    [seq, text];

			if (open !== undefined && !isPiece)
				lines.push(open);
			this.#open.delete(stream);
			if (continued)
				this.#open.set(stream, line);
			else
				lines.push(line);
		}
		return lines.sort((a, b) => a[0] - b[0]);
	}

	rest() {
		const lines = [...this.#open.values()];

		this.#open.clear();
		return lines;
	}
}
