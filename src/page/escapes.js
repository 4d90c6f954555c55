/* SPDX-License-Identifier: ISC */

/*
 * Takes a line apart into text, control characters and escape sequences
 * (ECMA-48), in time that is linear in its length.  A sequence that is cut by
 * the end of the line is dropped with the line; it never goes on in the next.
 */

/*
 * C0 but the tab, DEL and C1; marks that reorder text without being seen; and
 * the two characters that browsers break lines at.
 */
export const SPECIAL =
    /[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

const NEXT_SPECIAL = new RegExp(SPECIAL, "g");

const GROUND = 0;
const ESCAPE = 1; /* after ESC, up to the final byte */
const CONTROL_SEQUENCE = 2; /* after CSI, up to the final byte */
const STRING = 3; /* inside OSC, DCS, SOS, PM or APC, up to BEL or ST */

const COLLECTED_MAX = 256; /* characters of a sequence; more make it void */
const COMMAND_MAX = 4096; /* of an OSC, which may have an address in it */

const ESC = 0x1b;
const CSI = 0x9b;
const OSC = 0x9d;

/*
 * Calls sink.print(text) for text without special characters, control(code)
 * for a special character that is no part of a sequence, csi(parameters,
 * final) and osc(command) for the sequences of these kinds.  Others vanish.
 */
export function scan(text, sink) {
	const scanner = new Scanner(sink);
	let at = 0;

	while (at < text.length) {
		if (!scanner.isOnGround) {
			scanner.step(text.charCodeAt(at));
			at++;
			continue;
		}
		NEXT_SPECIAL.lastIndex = at;
		const found = NEXT_SPECIAL.exec(text);
		const end = found === null ? text.length : found.index;

		if (end > at)
			sink.print(text.slice(at, end));
		if (found !== null)
			scanner.control(text.charCodeAt(end));
		at = end + 1;
	}
}

class Scanner {
	#sink;
	#state = GROUND;
	#collected = ""; /* of the sequence, after its introducer */
	#isCommand = false; /* the string is an OSC */

	constructor(sink) {
		this.#sink = sink;
	}

	get isOnGround() {
		return this.#state === GROUND;
	}

	/* A special character outside of sequences. */
	control(code) {
		if (code === ESC)
			this.#enter(ESCAPE);
		else if (code >= 0x80 && code <= 0x9f)
			this.#introduce(code);
		else
			this.#sink.control(code);
	}

	/* One character inside a sequence. */
	step(code) {
		if (this.#state === STRING)
			this.#stepString(code);
		else if (code === ESC)
			this.#enter(ESCAPE);
		else if (code === 0x18 || code === 0x1a)
			this.#enter(GROUND);
		else if (code >= 0x80 && code <= 0x9f)
			this.#introduce(code);
		else if (code < 0x20)
			this.#sink.control(code);
		else if (code > 0x9f)
			this.#abandon(code);
		else if (this.#state === ESCAPE)
			this.#stepEscape(code);
		else
			this.#stepControlSequence(code);
	}

	/* ESC ends a string: by the rules ESC \ does, terminals take any. */
	#stepString(code) {
		const ended = code === 0x07 || code === 0x9c || code === ESC;

		if (!ended && code !== 0x18 && code !== 0x1a) {
			this.#collect(code, COMMAND_MAX);
			return;
		}
		if (ended && this.#isCommand && this.#collected !== null)
			this.#sink.osc(this.#collected);
		this.#enter(code === ESC ? ESCAPE : GROUND);
	}

	/* A C1 control, as itself or as ESC and a letter. */
	#introduce(code) {
		if (code === CSI)
			this.#enter(CONTROL_SEQUENCE);
		else if (code === 0x90 || code === 0x98 || code >= OSC)
			this.#enter(STRING);
		else
			this.#enter(GROUND);
		this.#isCommand = code === OSC;
	}

	#enter(state) {
		this.#state = state;
		this.#collected = "";
	}

	/* No sequence has such a character in it: it is text again. */
	#abandon(code) {
		const character = String.fromCharCode(code);

		this.#enter(GROUND);
		if (SPECIAL.test(character))
			this.#sink.control(code);
		else
			this.#sink.print(character);
	}

	#stepEscape(code) {
		if (code >= 0x20 && code <= 0x2f)
			this.#collect(code, COLLECTED_MAX);
		else if (code >= 0x40 && code <= 0x5f && this.#collected === "")
			this.#introduce(code + 0x40);
		else if (code !== 0x7f)
			this.#enter(GROUND);
	}

	#stepControlSequence(code) {
		if (code >= 0x20 && code <= 0x3f) {
			this.#collect(code, COLLECTED_MAX);
		} else if (code !== 0x7f) {
			if (this.#collected !== null)
				this.#sink.csi(this.#collected,
				    String.fromCharCode(code));
			this.#enter(GROUND);
		}
	}

	/* What is longer than anything sensible is null: it means nothing. */
	#collect(code, most) {
		if (this.#collected === null)
			return;
		this.#collected = this.#collected.length < most ?
		    this.#collected + String.fromCharCode(code) : null;
	}
}
