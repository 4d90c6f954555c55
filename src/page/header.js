/* SPDX-License-Identifier: ISC */

/*
 * The bar above the log, and the title of the tab: what is run, how it is
 * going, who else is looking, and how it ended.
 */

const find = (id) => document.getElementById(id);

export class Header {
	#title = "wsexec";
	#timer = null;

	/* A run has begun, or was found going on. */
	start(record) {
		this.#title = record.title || record.command.join(" ") ||
		    "wsexec";
		find("title").textContent = this.#title;
		find("title").title = this.#title;
		find("exit").hidden = true;
		this.#mark("\u25b6");
	}

	exit({ code, signal, seconds }) {
		const ok = code === 0 && !signal;
		const banner = find("exit");
		const how = signal ? `ended by signal ${signal}` :
		    `exit status ${code}`;

		banner.textContent = `${how} after ${duration(seconds)}`;
		banner.className = ok ? "ok" : "failed";
		banner.hidden = false;
		this.#mark(ok ? "\u2713" : "\u2717");
	}

	clients({ count }) {
		find("clients").textContent = `${count} watching`;
	}

	state({ state, reason, seconds }) {
		clearInterval(this.#timer);
		document.body.dataset.state = state;
		find("state").textContent = state;
		find("wait").textContent = "";
		find("state").parentElement.title = reason ?? "";
		if (state === "reconnecting")
			this.#count(seconds);
		if (state !== "live")
			find("clients").textContent = "";
	}

	/* Counts down beside the state, which is read out when it changes. */
	#count(seconds) {
		const end_ms = performance.now() + 1000 * seconds;
		const show = () => {
			const left_ms = end_ms - performance.now();
			const left = Math.max(Math.ceil(left_ms / 1000), 0);

			find("wait").textContent = `in ${left} s`;
		};

		show();
		this.#timer = setInterval(show, 500);
	}

	#mark(mark) {
		document.title = `${mark} ${this.#title}`;
	}
}

/* 12.3 s, 3 min 5 s, 2 h 7 min */
function duration(seconds) {
	const whole = Math.floor(seconds);

	if (whole < 60)
		return `${seconds.toFixed(1)} s`;
	if (whole < 3600)
		return `${Math.floor(whole / 60)} min ${whole % 60} s`;
	return `${Math.floor(whole / 3600)} h ` +
	    `${Math.floor(whole / 60) % 60} min`;
}
