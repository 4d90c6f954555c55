/* SPDX-License-Identifier: ISC */

/*
 * Records on their way to the screen.  They are handled a frame's worth at a
 * time, so that a flood leaves the browser time to paint and to listen to its
 * user.  The queue is bounded: when it is full, whoever adds to it does the
 * work at once, and the socket is read no faster than that.
 */

const FRAME_RECORDS = 4000;
const FRAME_CHARACTERS = 1 << 19;
const RECORDS_MAX = 40000;
const CHARACTERS_MAX = 1 << 23;

/* Hidden pages get no frames; they must neither stop nor fall behind. */
const FRAME_LATEST_MS = 250;

export class Queue {
	#records = [];
	#next = 0; /* up to here they are handled */
	#characters = 0; /* of text, from there on */
	#handle;
	#settle;
	#frame = null;
	#timer = null;

	/* handle(record) for each one; settle() after each batch of them. */
	constructor(handle, settle) {
		this.#handle = handle;
		this.#settle = settle;
	}

	push(records) {
		for (const record of records) {
			this.#records.push(record);
			this.#characters += sizeOf(record);
		}
		while (this.#characters > CHARACTERS_MAX ||
		    this.#records.length - this.#next > RECORDS_MAX)
			this.#work();
		this.#schedule();
	}

	#schedule() {
		if (this.#frame !== null || this.#next === this.#records.length)
			return;
		const run = () => {
			cancelAnimationFrame(this.#frame);
			clearTimeout(this.#timer);
			this.#frame = null;
			this.#work();
			this.#schedule();
		};

		this.#frame = requestAnimationFrame(run);
		this.#timer = setTimeout(run, FRAME_LATEST_MS);
	}

	#work() {
		const end = Math.min(this.#records.length,
		    this.#next + FRAME_RECORDS);
		const enough = this.#characters - FRAME_CHARACTERS;

		while (this.#next < end && this.#characters >= enough) {
			const record = this.#records[this.#next++];

			this.#characters -= sizeOf(record);
			this.#handle(record);
		}
		if (2 * this.#next >= this.#records.length) {
			this.#records.splice(0, this.#next);
			this.#next = 0;
		}
		this.#settle();
	}
}

function sizeOf(record) {
	return record.text?.length ?? 0;
}
