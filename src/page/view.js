/* SPDX-License-Identifier: ISC */

/* The bar of how the log is shown: times, wrapping, streams, sections. */

import { KINDS } from "./times.js";
import { button, element, select } from "./widgets.js";

const STREAMS = ["both", "stdout", "stderr"];

/* Event "stream": another one is to be shown. */
export class View extends EventTarget {
	element = element("div", "bar");
	#settings;
	#stream = select("streams", STREAMS, (name) =>
	    name === "both" ? "stdout and stderr" : `only ${name}`,
	    () => this.dispatchEvent(new Event("stream")));
	#times = select("times", KINDS, (kind) =>
	    kind === "off" ? "no times" : `times: ${kind}`,
	    () => this.#settings.set("times", this.#times.value));
	#wrap = button("Wrap lines", "wrap long lines (S)", () =>
	    this.#settings.cycle("wrap"));
	#folds = element("span", "group");

	constructor({ settings }, folding, marked) {
		super();
		this.#settings = settings;
		this.element.id = "view";
		this.element.hidden = true;
		this.element.setAttribute("role", "region");
		this.element.setAttribute("aria-label", "how the log is shown");
		this.#folds.append(
		    button("Fold all", "fold all sections", () =>
		        folding.setAll(true)),
		    button("Unfold all", "unfold all sections", () =>
		        folding.setAll(false)));
		this.element.append(this.#wrap, this.#times, this.#stream,
		    this.#folds, ...marked);
		for (const name of ["change", "load"])
			folding.addEventListener(name, () =>
			    this.#folds.hidden = folding.isEmpty);
		this.#folds.hidden = true;
		settings.addEventListener("change", () => this.#show());
		this.#show();
	}

	get stream() {
		return this.#stream.value;
	}

	#show() {
		this.#times.value = this.#settings.get("times");
		this.#wrap.setAttribute("aria-pressed",
		    this.#settings.get("wrap") === "on");
	}
}
