/* SPDX-License-Identifier: ISC */

/*
 * Segments as nodes: bare text where nothing is asked for.  One of the 16
 * colours is a class, as its value depends on the colours of the page.
 */

import { element } from "./row.js";
import { ATTRIBUTES, PLAIN } from "./sgr.js";

/* Appends the nodes; segments as of terminal.js, links.js and render.js. */
export function paint(parent, segments) {
	segments.forEach((segment, i) => {
		const isLast = segments[i + 1]?.link !== segment.link;

		parent.append(makeNode(segment, isLast));
	});
}

function makeNode({ text, style, link, isAddress, isHit }, isLast) {
	const inner = isHit ? element("mark", "hit", text) :
	    document.createTextNode(text);

	if (link !== null) {
		const anchor = makeLink(link, isLast && !isAddress);

		dress(anchor, style);
		anchor.append(inner);
		return anchor;
	}
	if (style === PLAIN)
		return inner;
	const span = element("span");

	dress(span, style);
	span.append(inner);
	return span;
}

/*
 * Text may say one thing and lead to another: the address of a link whose
 * text is the program's own stands behind it, before anybody opens it.
 */
function makeLink(address, isTold) {
	const anchor = element("a");

	anchor.href = address;
	anchor.target = "_blank";
	anchor.rel = "noopener noreferrer";
	anchor.title = address;
	if (isTold)
		anchor.dataset.target = address.length > 60 ?
		    `${address.slice(0, 59)}\u2026` : address;
	return anchor;
}

function dress(node, style) {
	if (style === PLAIN)
		return;
	const names = ATTRIBUTES.filter((name) => style[name]);

	if (style.mark)
		names.push("unseen");
	if (style.bg !== null)
		names.push("on");
	colour(node, names, "bg", style.bg);
	if (typeof style.bg === "string" && style.fg === null)
		node.style.setProperty("--fg", readableOn(style.bg));
	colour(node, names, "fg", style.fg);
	node.className = ["sgr", ...names].join(" ");
}

function colour(node, names, property, value) {
	if (typeof value === "number")
		names.push(`${property}-${value}`);
	else if (value !== null)
		node.style.setProperty(`--${property}`, value);
}

/* Black or white, whichever has more contrast (WCAG relative luminance). */
function readableOn(rgb) {
	const [r, g, b] = rgb.match(/\d+/g).map((v) => (v / 255) ** 2.2);
	const luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b;

	return luminance > 0.18 ? "#000000" : "#ffffff";
}
