/* SPDX-License-Identifier: ISC */

/*
 * The WebSocket to the server the page came from.  It owns the position: the
 * run and the last sequence number that were delivered.  After a break it
 * goes on from there, so that every record is delivered once, whatever the
 * network does.  Besides the server's records it delivers its own,
 * {type: "state", state: ...}, in their order with the others.
 */

const PASSED_ON = ["after", "tail", "run", "stream", "token"];

const FORBIDDEN = 1008; /* RFC 6455 section 7.4.1: policy violation */

const RETRY_LEAST_S = 0.5;
const RETRY_MOST_S = 10;

export class Connection {
	#address;
	#deliver;
	#query = new Map();
	#run = null;
	#last = 0;
	#exited = false;
	#failures = 0; /* attempts since the last one that got a start record */
	#timer = null;

	/* deliver(records) gets an array of records, in order. */
	constructor(location, deliver) {
		const given = new URL(location).searchParams;

		this.#address = new URL("./", location);
		this.#address.protocol =
		    this.#address.protocol === "https:" ? "wss:" : "ws:";
		for (const name of PASSED_ON) {
			if (given.has(name))
				this.#query.set(name, given.get(name));
		}
		this.#deliver = deliver;
	}

	open() {
		const address = new URL(this.#address);

		address.searchParams.set("format", "json");
		for (const [name, value] of this.#position())
			address.searchParams.set(name, value);
		this.#timer = null;

		const socket = new WebSocket(address);

		socket.onmessage = (event) => this.#receive(event.data);
		socket.onclose = (event) => this.#closed(event);
	}

	/* Whoever waits for the next attempt need not wait any longer. */
	hurry() {
		if (this.#timer === null)
			return;
		clearTimeout(this.#timer);
		this.open();
	}

	/* What the page was asked for at first; where it got to afterwards. */
	#position() {
		const query = new Map(this.#query);

		if (this.#run !== null) {
			query.delete("tail");
			query.set("after", this.#last);
			query.set("run", this.#run);
		}
		return query;
	}

	#report(change) {
		this.#deliver([{ type: "state", ...change }]);
	}

	#receive(data) {
		const records = data.split("\n").filter((text) => text !== "")
		    .map((text) => JSON.parse(text));

		for (const record of records)
			this.#note(record);
		this.#deliver(records);
	}

	/* Where the record leads to. */
	#note(record) {
		if (record.type === "start")
			this.#started(record);
		else if (record.type === "line" && !record.partial)
			this.#last = record.seq;
		else if (record.type === "gap")
			this.#last = record.last;
		else if (record.type === "exit")
			this.#exited = true;
	}

	#started(record) {
		this.#failures = 0;
		this.#exited = false;
		this.#report({ state: "live" });
		if (record.run === this.#run)
			return;
		/*
		 * A position is right for one run only.  What the history no
		 * longer has is before record.first, and a gap record will
		 * say so: that is not behind us before it has come.
		 */
		const before = Math.max(record.first - 1, 0);
		const asked = Number(this.#query.get("after") ?? 0);

		if (this.#run === null && this.#query.has("tail"))
			this.#last = before;
		else
			this.#last = Math.min(before,
			    this.#run === null ? asked : 0);
		this.#run = record.run;
	}

	#closed(event) {
		if (event.code === FORBIDDEN ||
		    (this.#exited && event.wasClean)) {
			this.#report({ state: "ended", reason: event.reason });
			return;
		}
		const limit_s = Math.min(RETRY_MOST_S,
		    2 * RETRY_LEAST_S * 2 ** this.#failures);
		const delay_s = limit_s * (0.5 + 0.5 * Math.random());

		this.#failures++;
		this.#report({
			state: "reconnecting",
			reason: event.reason,
			seconds: delay_s,
		});
		this.#timer = setTimeout(() => this.open(), 1000 * delay_s);
	}
}
