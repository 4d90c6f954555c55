/* SPDX-License-Identifier: ISC */

/*
 * Select Graphic Rendition (ECMA-48 8.3.117): what the parameters of an SGR
 * sequence make of a style.  Colours are 0 to 15, whose value is up to the
 * page, or "rgb(...)".
 */

/* Styles are never changed once made, so segments can share them. */
export const PLAIN = Object.freeze({
	fg: null, /* null, 0 to 15, or "rgb(...)" */
	bg: null,
	bold: false,
	dim: false,
	italic: false,
	underline: false,
	inverse: false,
	strike: false,
});

export const ATTRIBUTES =
    ["bold", "dim", "italic", "underline", "inverse", "strike"];

/* Values that set one attribute or unset some. */
const SIMPLE = new Map([
	[0, PLAIN],
	[1, { bold: true }],
	[2, { dim: true }],
	[3, { italic: true }],
	[4, { underline: true }],
	[7, { inverse: true }],
	[9, { strike: true }],
	[21, { underline: true }],
	[22, { bold: false, dim: false }],
	[23, { italic: false }],
	[24, { underline: false }],
	[27, { inverse: false }],
	[29, { strike: false }],
	[39, { fg: null }],
	[49, { bg: null }],
]);

/* The style after parameters such as "1;31"; other text changes nothing. */
export function select(style, parameters) {
	if (parameters === "" || parameters === "0")
		return PLAIN;
	if (!/^[\d;:]*$/.test(parameters))
		return style;
	const next = { ...style };
	const queue = parameters.split(";").reverse();

	while (queue.length > 0)
		apply(next, queue.pop(), queue);
	return isPlain(next) ? PLAIN : Object.freeze(next);
}

/* rest: the parameters after it, last first, for forms that take several. */
function apply(style, parameter, rest) {
	const parts = parameter.split(":").map(Number);
	const value = parts[0];

	if (value === 4 && parts.length > 1)
		style.underline = parts[1] !== 0;
	else if (SIMPLE.has(value))
		Object.assign(style, SIMPLE.get(value));
	else if (value >= 30 && value <= 37)
		style.fg = value - 30;
	else if (value >= 40 && value <= 47)
		style.bg = value - 40;
	else if (value >= 90 && value <= 97)
		style.fg = value - 90 + 8;
	else if (value >= 100 && value <= 107)
		style.bg = value - 100 + 8;
	else if (value === 38 || value === 48 || value === 58)
		applyColour(style, value, parts, rest);
}

/* 38;5;N and 38;2;R;G;B, also with colons (38:5:N, 38:2:SPACE:R:G:B). */
function applyColour(style, value, parts, rest) {
	const colour = parts.length > 1 ?
	    colourOf(parts[1], () => parts[2], () => parts.slice(-3)) :
	    colourOf(Number(rest.pop()), () => Number(rest.pop()),
	        () => [rest.pop(), rest.pop(), rest.pop()].map(Number));

	if (colour === undefined)
		return;
	if (value === 38)
		style.fg = colour;
	else if (value === 48)
		style.bg = colour;
}

function colourOf(kind, takeIndex, takeValues) {
	if (kind === 5)
		return indexed(takeIndex());
	if (kind === 2)
		return direct(takeValues());
	return undefined;
}

/* The usual 256: the 16, a cube of 6 x 6 x 6, and 24 greys. */
function indexed(n) {
	const level = (step) => step === 0 ? 0 : 55 + 40 * step;

	if (!(n >= 0 && n <= 255))
		return undefined;
	if (n < 16)
		return n;
	if (n >= 232)
		return direct(Array(3).fill(8 + 10 * (n - 232)));
	return direct([36, 6, 1].map((unit) =>
	    level(Math.floor((n - 16) / unit) % 6)));
}

function direct(values) {
	const valid = values.length === 3 &&
	    values.every((v) => v >= 0 && v <= 255);

	return valid ? `rgb(${values.join(", ")})` : undefined;
}

function isPlain(style) {
	return style.fg === null && style.bg === null &&
	    !ATTRIBUTES.some((name) => style[name]);
}
