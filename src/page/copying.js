/* SPDX-License-Identifier: ISC */

/*
 * Lines for the clipboard: as they are shown, without numbers, times, and
 * what the program wrote over.
 */

import { plainText } from "./terminal.js";

const CHARACTERS_MAX = 1 << 25;

/* The text of the lines from first to last, wherever they are. */
export async function textOfLines({ ranges, shows }, first, last) {
	const pieces = [];
	let size = 0;

	for await (const records of ranges.read(first, last)) {
		for (const record of records) {
			if (record.type !== "line" || !shows(record))
				continue;
			const text = plainText(record.text);

			pieces.push(record.continued ? text : `${text}\n`);
			size += text.length;
		}
		if (size > CHARACTERS_MAX)
			throw new Error("that is too much for the clipboard");
	}
	return pieces.join("");
}

/*
 * Browsers have a clipboard for pages they think secure, which a page that
 * came by plain HTTP from another machine is not: there it is done the old
 * way.
 */
export async function copy(text) {
	if (navigator.clipboard !== undefined) {
		await navigator.clipboard.writeText(text);
		return;
	}
	const focused = document.activeElement;
	const area = document.createElement("textarea");

	area.className = "out-of-sight";
	area.value = text;
	document.body.append(area);
	area.select();
	const done = document.execCommand("copy");

	area.remove();
	focused?.focus({ preventScroll: true });
	if (!done)
		throw new Error("the browser does not allow it");
}
