/* SPDX-License-Identifier: ISC */

/*
 * The contents of a row that shows a line, from the line alone: rows are made
 * in any order, and again whenever they come back to the screen.
 */

import { makeNode, Parser } from "./ansi.js";
import { element } from "./row.js";

export function renderRow({ text }) {
	const contents = element("span", "text");
	const { runs } = new Parser().feed(text);

	contents.dir = "auto";
	for (const run of runs)
		contents.append(makeNode(run));
	return contents;
}
