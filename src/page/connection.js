/* SPDX-License-Identifier: ISC */

/*
 * The WebSocket to the server the page came from.  It owns the position: the
 * run and the last sequence number that were delivered.  After a break it
 * goes on from there, so that every record is delivered once, whatever the
 * network does.  After a long one it begins again at the live end, as when the
 * page was opened: what is between can be fetched where it is looked at.
 *
 * A browser is not told why a WebSocket was refused, so that this asks again
 * by HTTP.
 */

import { asked, serverAddress, socketAddress } from "./address.js";

const TAIL = 500; /* records to begin with; others are fetched */
const MISSED_MAX = 10_000; /* records; what is more is fetched as well */

const FORBIDDEN = 1008; /* RFC 6455 section 7.4.1: policy violation */

const RETRY_LEAST_S = 0.5;
const RETRY_MOST_S = 15;
const LOST_FAILURES = 3; /* from then on it is worth a word */

export class Connection extends EventTarget {
	state = "connecting";
	#store;
	#socket = null;
	#greeted = false; /* by it, with a start record */
	#run = null;
	#last = 0;
	#exited = false;
	#skips = false; /* it has missed too much to be told all of it */
	#failures = 0; /* attempts since the last one that got a start record */
	#timer = null;

	constructor(store) {
		super();
		this.#store = store;
	}

	open() {
		const query = this.#run === null || this.#skips ?
		    { tail: tail() } : { after: this.#last, run: this.#run };
		const socket = new WebSocket(
		    socketAddress({ format: "json", ...query }));

		clearTimeout(this.#timer);
		this.#timer = null;
		this.#socket?.close();
		this.#socket = socket;
		this.#greeted = false;
		socket.onmessage = ({ data }) => {
			if (socket === this.#socket)
				this.#receive(data);
		};
		socket.onclose = (event) => {
			if (socket === this.#socket)
				this.#closed(event);
		};
	}

	/* Whoever waits for the next attempt need not wait any longer. */
	hurry() {
		if (this.#timer !== null || this.state === "refused")
			this.open();
	}

	/* False: there is no connection that could take it. */
	send(text) {
		const open = this.#socket?.readyState === WebSocket.OPEN;

		if (open)
			this.#socket.send(text);
		return open;
	}

	#report(state, message = "", seconds = 0) {
		this.state = state;
		this.dispatchEvent(new CustomEvent("state",
		    { detail: { state, message, seconds } }));
	}

	/* Records of the log are handed on together, the others one by one. */
	#receive(data) {
		let records = [], after = 0;
		const flush = () => {
			if (records.length > 0)
				this.#store.append(after, records);
			records = [];
		};

		for (const text of data.split("\n")) {
			const record = JSON.parse(text);

			if (isOfLog(record)) {
				if (records.length === 0)
					after = this.#last;
				records.push(record);
			} else {
				flush();
			}
			if (record.type === "start" && !this.#started(record))
				return;
			this.#note(record);
		}
		flush();
	}

	/* Where the record leads to. */
	#note(record) {
		if (record.type === "gap")
			this.#last = record.last;
		else if (isOfLog(record) && !record.partial)
			this.#last = record.seq;
		if (record.type === "exit")
			this.#store.end(record);
		else if (record.type === "clients")
			this.dispatchEvent(
			    new CustomEvent("clients", { detail: record }));
		this.#exited = record.type === "exit" ||
		    (this.#exited && record.type === "clients");
	}

	/* False: it is another log, for which all begins anew. */
	#started(record) {
		const fresh = this.#run === null;
		const same = record.resumed || this.#store.runs.has(record.run);
		const missed = this.#greeted ? 0 : record.last - this.#last;

		this.#failures = 0;
		this.#greeted = true;
		if (!fresh && !same) {
			this.#run = null;
			this.#last = 0;
			this.#skips = false;
			this.open();
			return false;
		}
		if (!fresh && !this.#skips && missed > MISSED_MAX) {
			this.#store.runs.add(record.run);
			this.#store.skip();
			this.#skips = true;
			this.open();
			return false;
		}
		if (fresh || this.#skips)
			this.#last = Math.max(record.first - 1, this.#last);
		this.#skips = false;
		this.#run = record.run;
		this.#store.begin(record, fresh, firstAsked(record));
		this.#report("live");
		return true;
	}

	async #closed({ code, reason, wasClean }) {
		const socket = this.#socket;

		if (this.#exited && wasClean) {
			this.#report("ended", reason);
			return;
		}
		if (code === FORBIDDEN) {
			this.#report("refused", reason);
			return;
		}
		if (!this.#greeted) {
			const { refused, message, seconds } = await probe();

			if (socket !== this.#socket)
				return;
			if (refused) {
				this.#report("refused", message);
				return;
			}
			this.#retry(message, seconds);
		} else {
			this.#retry(reason, 0);
		}
	}

	#retry(message, least_s) {
		const limit_s = Math.min(RETRY_MOST_S,
		    2 * RETRY_LEAST_S * 2 ** this.#failures);
		const delay_s = Math.max(least_s, limit_s / 2) +
		    limit_s / 2 * Math.random();

		this.#failures++;
		this.#timer = setTimeout(() => this.open(), 1000 * delay_s);
		this.#report("reconnecting",
		    message === GONE && this.#failures < LOST_FAILURES ? "" :
		    message, delay_s);
	}
}

/* The page's own address may ask for less than all. */
function tail() {
	return Math.min(asked.tail ?? TAIL, TAIL);
}

function firstAsked({ last }) {
	if (asked.after !== null)
		return asked.after + 1;
	return asked.tail === null ? 1 : Math.max(last - asked.tail + 1, 1);
}

function isOfLog({ type }) {
	return type === "line" || type === "gap" || type === "restart";
}

const GONE = "the server does not answer; it may have ended";

/* Why there is no WebSocket: { refused, message, seconds }. */
async function probe() {
	const address = serverAddress("./", { format: "json", limit: 0 });
	let answer;

	try {
		answer = await fetch(address, { cache: "no-store" });
	} catch {
		return { refused: false, message: GONE, seconds: 0 };
	}
	const message = answer.ok ? "" : (await answer.text()).trim();
	const seconds = Number(answer.headers.get("Retry-After") ?? 0);

	return {
		refused: !answer.ok && answer.status < 500,
		message,
		seconds,
	};
}
