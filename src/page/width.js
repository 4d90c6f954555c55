/* SPDX-License-Identifier: ISC */

/*
 * How many columns of a terminal a character takes: 0, 1 or 2.  Wide are East
 * Asian Wide and Fullwidth (UAX #11) and what is shown as a picture; nothing
 * takes what combines with the character before it.
 */

const COMBINING = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff\u{1f3fb}-\u{1f3ff}]$/u;
const PICTURE = /^\p{Emoji_Presentation}$/u;
const FLAG_LETTER = /^\p{Regional_Indicator}$/u;

/* First and last of each, in order. */
const WIDE = [
	[0x1100, 0x115f], [0x2e80, 0x303e], [0x3041, 0xa4cf],
	[0xa960, 0xa97c], [0xac00, 0xd7a3], [0xf900, 0xfaff],
	[0xfe10, 0xfe19], [0xfe30, 0xfe6f], [0xff01, 0xff60],
	[0xffe0, 0xffe6], [0x16fe0, 0x18cff], [0x1aff0, 0x1b2ff],
	[0x20000, 0x3fffd],
];

/* character: one code point, as a string. */
export function columnsOf(character) {
	const code = character.codePointAt(0);

	if (code < 0x300)
		return 1;
	if (COMBINING.test(character))
		return 0;
	if (WIDE.some(([first, last]) => code >= first && code <= last))
		return 2;
	return PICTURE.test(character) && !FLAG_LETTER.test(character) ? 2 : 1;
}
