/* SPDX-License-Identifier: ISC */

/*
 * A line to type into, where the server takes input for the command.  The
 * arrow keys bring back what was typed before.
 */

import { button, element } from "./widgets.js";

const HISTORY_MAX = 200;
const BYTES_MAX = 4000; /* what the server takes at once */

export class Prompt {
	#store;
	#connection;
	#form = element("form", "bar");
	#input = element("input");
	#send = button("Send", "send the line", () => this.#submit());
	#reason = element("span", "reason");
	#history = [];
	#at = 0; /* in the history; its length: a new line */
	#draft = "";

	constructor(parent, { store, connection }) {
		this.#store = store;
		this.#connection = connection;
		this.#build();
		parent.append(this.#form);
		for (const name of ["start", "reset", "exit"])
			store.addEventListener(name, () => this.#update());
		connection.addEventListener("state", () => this.#update());
		this.#update();
	}

	focus() {
		if (!this.#form.hidden)
			this.#input.focus();
	}

	#build() {
		this.#form.id = "prompt";
		this.#reason.id = "prompt-reason";
		this.#reason.setAttribute("role", "status");
		this.#input.type = "text";
		this.#input.autocomplete = "off";
		this.#input.autocapitalize = "off";
		this.#input.spellcheck = false;
		this.#input.placeholder = "Type a line for the command";
		this.#input.setAttribute("aria-label", "a line for the command");
		this.#input.setAttribute("aria-describedby", this.#reason.id);
		this.#input.setAttribute("enterkeyhint", "send");
		this.#form.append(element("span", "sign", "\u203a"),
		    this.#input, this.#reason, this.#send);
		this.#form.addEventListener("submit", (event) => {
			event.preventDefault();
			this.#submit();
		});
		this.#input.addEventListener("keydown", (event) =>
		    this.#pressed(event));
		this.#input.addEventListener("input", () => this.#check());
	}

	/* Whether it can be used, and if not, why. */
	#update() {
		const { run, exit } = this.#store;
		const reason = exit !== null ? "The command has ended." :
		    this.#connection.state !== "live" ?
		    "There is no connection." : "";

		this.#form.hidden = run?.writable !== true;
		this.#input.disabled = this.#send.disabled = reason !== "";
		this.#reason.textContent = reason;
	}

	#check() {
		const size = new TextEncoder().encode(this.#input.value).length;
		const isLong = size > BYTES_MAX;

		this.#reason.textContent = isLong ?
		    `Too long by ${size - BYTES_MAX} bytes.` : "";
		this.#send.disabled = isLong;
		return !isLong;
	}

	#submit() {
		const text = this.#input.value;

		if (this.#input.disabled || !this.#check())
			return;
		if (!this.#connection.send(text)) {
			this.#reason.textContent = "It was not sent.";
			return;
		}
		if (text !== "" && text !== this.#history.at(-1))
			this.#history.push(text);
		if (this.#history.length > HISTORY_MAX)
			this.#history.shift();
		this.#at = this.#history.length;
		this.#draft = "";
		this.#input.value = "";
	}

	#pressed(event) {
		const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];

		if (event.key === "Escape")
			document.getElementById("log").focus();
		if (step === undefined || event.isComposing)
			return;
		event.preventDefault();
		this.#recall(this.#at + step);
	}

	#recall(at) {
		if (at < 0 || at > this.#history.length)
			return;
		if (this.#at === this.#history.length)
			this.#draft = this.#input.value;
		this.#at = at;
		this.#input.value = this.#history[at] ?? this.#draft;
		this.#check();
	}
}
