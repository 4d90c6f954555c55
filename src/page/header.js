/* SPDX-License-Identifier: ISC */

/*
 * The bar above the log: what is run, how it is going and for how long, who
 * else is looking, how it ended, and what is wrong with the connection.
 */

import { duration } from "./row.js";

const find = (id) => document.getElementById(id);

const WORDS = {
	waiting: "waiting for the command",
	connecting: "connecting",
	live: "running",
	ended: "ended",
	reconnecting: "connection lost",
	refused: "refused",
};

/* Fetching a part of the log makes the page a client more, for a moment. */
const CLIENTS_STEADY_MS = 700;

export class Header {
	#start = null;
	#exit = null;
	#timer = null;
	#clients = null;
	#clientsTimer = null;
	#left = null; /* until the next attempt: performance.now() */

	constructor(retry) {
		find("retry").addEventListener("click", retry);
		setInterval(() => this.#tick(), 500);
	}

	/* A run has begun, or was found going on. */
	start(record) {
		const title = titleOf(record);

		this.#start = record;
		this.#exit = null;
		find("state").textContent = WORDS.live;
		find("title").textContent = title;
		find("title").title = record.command.join(" ") || title;
		find("exit").hidden = true;
		this.#tick();
	}

	/* It is started again, as the start record will tell. */
	restart() {
		find("state").textContent = "restarting";
	}

	exit(record) {
		const { code, signal, seconds, timeout } = record;
		const banner = find("exit");
		const how = signal ? `Ended by signal ${signal}` :
		    code === 0 ? "Passed" : `Failed with exit status ${code}`;

		this.#exit = record;
		banner.textContent = `${how} after ${duration(seconds)}` +
		    (timeout ? " (time limit)." : ".");
		banner.className = code === 0 ? "passed" : "failed";
		banner.hidden = false;
		this.#tick();
	}

	/* The count is shown when it has stayed for a moment. */
	clients({ count }) {
		clearTimeout(this.#clientsTimer);
		this.#clientsTimer = setTimeout(() => {
			this.#clients = count;
			this.#showClients();
		}, this.#clients === null ? 0 : CLIENTS_STEADY_MS);
	}

	state({ state, message, seconds }) {
		const isLost = state === "reconnecting" || state === "refused";

		document.body.dataset.state = state;
		find("state").textContent = WORDS[state] ?? state;
		this.#left = state === "reconnecting" ?
		    performance.now() + 1000 * seconds : null;
		find("lost").hidden = !isLost;
		find("lost-reason").textContent = message === "" ?
		    "The connection to the server is lost." :
		    `${capital(message)}.`;
		if (state !== "live") {
			clearTimeout(this.#clientsTimer);
			this.#clients = null;
		}
		this.#showClients();
		this.#tick();
	}

	#showClients() {
		find("clients").textContent = this.#clients === null ? "" :
		    `${this.#clients} watching`;
	}

	#tick() {
		const left = this.#left === null ? null : Math.max(
		    Math.ceil((this.#left - performance.now()) / 1000), 0);

		setText(find("wait"), left === null ? "" :
		    `Next attempt in ${left} s.`);
		setText(find("time"), this.#elapsed());
	}

	#elapsed() {
		if (this.#exit !== null)
			return duration(this.#exit.seconds);
		if (this.#start === null)
			return "";
		return duration(Math.floor(Math.max(
		    Date.now() / 1000 - this.#start.time, 0)))
		    .replace(".0", "");
	}
}

export function titleOf(record) {
	return record?.title || record?.command.join(" ") || "wsexec";
}

/* What does not change is not to be laid out, or read out, again. */
function setText(element, text) {
	if (element.textContent !== text)
		element.textContent = text;
}

function capital(text) {
	return text[0].toUpperCase() + text.slice(1).replace(/\.$/, "");
}
