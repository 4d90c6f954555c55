/* SPDX-License-Identifier: ISC */

/*
 * What is searched for.  Places are ranges {start, end} in the text of a line
 * as it is shown, in order and apart.  A regular expression can take longer
 * than anybody wants to wait, and nothing can stop it from outside but the
 * end of its thread: only the scanner, which has one of its own, calls find()
 * and test() for expressions that it has not tried before.
 */

const RANGES_MAX = 1000; /* in one line */

export class Matcher {
	#expression;

	/* Throws SyntaxError, with the browser's words, if it is none. */
	constructor({ text, isExpression, matchCase }) {
		const source = isExpression ? text : literal(text);

		this.#expression = compile(source, matchCase ? "g" : "gi");
	}

	test(text) {
		this.#expression.lastIndex = 0;
		return this.#expression.test(text);
	}

	find(text) {
		const ranges = [];

		this.#expression.lastIndex = 0;
		while (ranges.length < RANGES_MAX) {
			const match = this.#expression.exec(text);

			if (match === null)
				break;
			const end = match.index + match[0].length;

			if (match[0] === "")
				this.#expression.lastIndex++;
			else
				ranges.push({ start: match.index, end });
		}
		return ranges;
	}
}

/* By characters, not by halves of pairs; but some old ways only go so. */
function compile(source, flags) {
	try {
		return new RegExp(source, flags + "u");
	} catch {
		return new RegExp(source, flags);
	}
}

function literal(text) {
	return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
