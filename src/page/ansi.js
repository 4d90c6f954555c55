/* SPDX-License-Identifier: ISC */

/*
 * What a terminal would make of a line, as far as colours go.  A Parser eats
 * the text of one stream and gives it back as runs of plain text, each with a
 * style; of escape sequences only SGR (ECMA-48 8.3.117) means anything, all
 * others and all control characters but the tab vanish.  The style lasts from
 * line to line.  However the text is portioned, the same text comes out.
 */

/* Styles are never changed once made, so runs can share them. */
const PLAIN = Object.freeze({
	fg: null, /* null, 0 to 15, or "rgb(...)" */
	bg: null,
	bold: false,
	dim: false,
	italic: false,
	underline: false,
	inverse: false,
	strike: false,
});

const ATTRIBUTES =
    ["bold", "dim", "italic", "underline", "inverse", "strike"];

/*
 * C0, DEL and C1 controls but the tab, and the characters that reorder text:
 * what cannot be shown as it is.
 */
const INVISIBLE =
    /[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;
const NEXT_INVISIBLE = new RegExp(INVISIBLE, "g");

const GROUND = 0;
const ESCAPE = 1; /* after ESC, up to the final byte */
const CONTROL_SEQUENCE = 2; /* after CSI, up to the final byte */
const STRING = 3; /* inside OSC, DCS, SOS, PM or APC, up to BEL or ST */

const COLLECTED_MAX = 256; /* characters of a sequence; more are dropped */

const ESC = 0x1b;
const CSI = 0x9b;

export class Parser {
	#style = PLAIN;
	#state = GROUND;
	#collected = ""; /* of the sequence, after its introducer */
	#returned = false; /* a \r was the last thing that counted */
	#runs = [];
	#overwritten = false;

	/* A parser in the same state, to try text that may yet change. */
	clone() {
		const other = new Parser();

		other.#style = this.#style;
		other.#state = this.#state;
		other.#collected = this.#collected;
		other.#returned = this.#returned;
		return other;
	}

	/*
	 * Eats a line or a piece of one.  overwritten: the runs replace all
	 * that came before them on this line.
	 */
	feed(text) {
		let at = 0;

		this.#runs = [];
		this.#overwritten = false;
		while (at < text.length) {
			if (this.#state !== GROUND) {
				this.#step(text.charCodeAt(at));
				at++;
				continue;
			}
			NEXT_INVISIBLE.lastIndex = at;
			const found = NEXT_INVISIBLE.exec(text);
			const end = found === null ? text.length : found.index;

			if (end > at)
				this.#print(text.slice(at, end));
			if (found !== null)
				this.#control(text.charCodeAt(end));
			at = end + 1;
		}
		return { runs: this.#runs, overwritten: this.#overwritten };
	}

	/* A sequence does not go on past the end of its line; a colour does. */
	endLine() {
		this.#state = GROUND;
		this.#returned = false;
	}

	reset() {
		this.endLine();
		this.#style = PLAIN;
	}

	#print(text) {
		if (this.#returned) {
			this.#returned = false;
			this.#runs = [];
			this.#overwritten = true;
		}
		this.#runs.push({ text, style: this.#style });
	}

	#control(code) {
		if (code === 0x0d)
			this.#returned = true;
		else if (code === ESC)
			this.#enter(ESCAPE);
		else if (code >= 0x80 && code <= 0x9f)
			this.#introduce(code);
	}

	/* A C1 control, as itself or as ESC and a letter. */
	#introduce(code) {
		if (code === CSI)
			this.#enter(CONTROL_SEQUENCE);
		else if (code === 0x90 || code === 0x98 || code >= 0x9d)
			this.#enter(STRING);
		else
			this.#enter(GROUND);
	}

	#enter(state) {
		this.#state = state;
		this.#collected = "";
	}

	/* One character inside a sequence. */
	#step(code) {
		if (code === ESC)
			this.#enter(ESCAPE);
		else if (code === 0x18 || code === 0x1a || code === 0x9c)
			this.#enter(GROUND);
		else if (this.#state === STRING)
			this.#state = code === 0x07 ? GROUND : STRING;
		else if (code === 0x0d)
			this.#returned = true;
		else if (code >= 0x80 && code <= 0x9f)
			this.#introduce(code);
		else if (code > 0x9f)
			this.#abandon(code);
		else if (this.#state === ESCAPE)
			this.#stepEscape(code);
		else
			this.#stepControlSequence(code);
	}

	/* No sequence has such a character in it: it is text again. */
	#abandon(code) {
		this.#enter(GROUND);
		if (!INVISIBLE.test(String.fromCharCode(code)))
			this.#print(String.fromCharCode(code));
	}

	/* Other control characters inside a sequence do not end it. */
	#stepEscape(code) {
		if (code >= 0x20 && code <= 0x2f)
			this.#collect(code);
		else if (code >= 0x40 && code <= 0x5f && this.#collected === "")
			this.#introduce(code + 0x40);
		else if (code >= 0x30 && code <= 0x7e)
			this.#enter(GROUND);
	}

	#stepControlSequence(code) {
		if (code >= 0x20 && code <= 0x3f) {
			this.#collect(code);
		} else if (code >= 0x40 && code <= 0x7e) {
			if (code === 0x6d && /^[\d;:]*$/.test(this.#collected))
				this.#select(this.#collected);
			this.#enter(GROUND);
		}
	}

	#collect(code) {
		if (this.#collected.length < COLLECTED_MAX)
			this.#collected += String.fromCharCode(code);
	}

	#select(parameters) {
		const style = { ...this.#style };
		const queue = parameters.split(";");

		while (queue.length > 0)
			applyParameter(style, queue.shift(), queue);
		this.#style = Object.freeze(style);
	}
}

/* Values of SGR that set one attribute or unset some. */
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

/* rest: the parameters after it, for the forms that take more than one. */
function applyParameter(style, parameter, rest) {
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
	let colour;

	if (parts.length > 1) {
		colour = parts[1] === 5 ? indexed(parts[2]) :
		    parts[1] === 2 ? direct(parts.slice(-3)) : undefined;
	} else {
		const kind = Number(rest.shift());

		colour = kind === 5 ? indexed(Number(rest.shift())) :
		    kind === 2 ? direct(rest.splice(0, 3).map(Number)) :
		    undefined;
	}
	if (colour === undefined)
		return;
	if (value === 38)
		style.fg = colour;
	else if (value === 48)
		style.bg = colour;
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

/* A node for a run: bare text where nothing is asked for. */
export function makeNode({ text, style }) {
	if (style === PLAIN || isPlain(style))
		return document.createTextNode(text);
	const span = document.createElement("span");
	const names = ATTRIBUTES.filter((name) => style[name]);

	if (style.bg !== null)
		names.push("on");
	paint(span, names, "bg", style.bg);
	if (typeof style.bg === "string" && style.fg === null)
		span.style.setProperty("--fg", readableOn(style.bg));
	paint(span, names, "fg", style.fg);
	span.className = ["sgr", ...names].join(" ");
	span.textContent = text;
	return span;
}

function isPlain(style) {
	return style.fg === null && style.bg === null &&
	    !ATTRIBUTES.some((name) => style[name]);
}

/* One of the 16 is a class, as its value depends on the colour scheme. */
function paint(span, names, property, colour) {
	if (typeof colour === "number")
		names.push(`${property}-${colour}`);
	else if (colour !== null)
		span.style.setProperty(`--${property}`, colour);
}

/* Black or white, whichever has more contrast (WCAG relative luminance). */
function readableOn(rgb) {
	const [r, g, b] = rgb.match(/\d+/g).map((v) => (v / 255) ** 2.2);
	const luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b;

	return luminance > 0.18 ? "#000000" : "#ffffff";
}
