// SPDX-License-Identifier: ISC
// What a terminal makes of a line: colours, moves, and all that is dropped.

import assert from "node:assert/strict";
import test from "node:test";

import { styleBefore } from "../../src/page/colours.js";
import { textOf } from "../../src/page/segments.js";
import { PLAIN } from "../../src/page/sgr.js";
import {
	layOut, MARK, plainText, styleAfter,
} from "../../src/page/terminal.js";

// What differs from plain, so that tests are short.
function describe({ text, style, link }) {
	const differences = Object.fromEntries(Object.entries(style)
	    .filter(([name, value]) => PLAIN[name] !== value));

	return link === null ? [text, differences] : [text, differences, link];
}

function segmentsOf(text) {
	return layOut(text).segments.map(describe);
}

const COLOURS = [
	["plain", [["plain", {}]]],
	["", []],
	["\x1b[31mred\x1b[0m", [["red", { fg: 1 }]]],
	["\x1b[1;97;44mloud\x1b[m", [["loud", { bold: true, fg: 15, bg: 4 }]]],
	["\x1b[2;3;4;7;9mall", [["all", { dim: true, italic: true,
		underline: true, inverse: true, strike: true }]]],
	["\x1b[1m\x1b[22mno", [["no", {}]]],
	["\x1b[1;4;7;9;3mon\x1b[21;22;23;27;29mstill\x1b[24mno", [
		["on", { bold: true, italic: true, underline: true,
			inverse: true, strike: true }],
		["still", { underline: true }], ["no", {}]]],
	["\x1b[38;5;9mof the 16\x1b[39mnone", [
		["of the 16", { fg: 9 }], ["none", {}]]],
	["\x1b[38;5;196mof the 256", [["of the 256",
		{ fg: "rgb(255, 0, 0)" }]]],
	["\x1b[38;5;232mgrey", [["grey", { fg: "rgb(8, 8, 8)" }]]],
	["\x1b[48;2;1;2;3;4mdirect", [["direct",
		{ bg: "rgb(1, 2, 3)", underline: true }]]],
	["\x1b[38:2::1:2:3ma\x1b[38:2:4:5:6mb\x1b[38:5:9mc", [
		["a", { fg: "rgb(1, 2, 3)" }], ["b", { fg: "rgb(4, 5, 6)" }],
		["c", { fg: 9 }]]],
	["\x1b[4:3mcurly\x1b[4:0mno", [
		["curly", { underline: true }], ["no", {}]]],
	["\x1b[58;5;1;31mof the line", [["of the line", { fg: 1 }]]],
	["\x1b[38;5mshort", [["short", {}]]],
	["\x1b[38;2;999;0;0mmuch", [["much", {}]]],
	["\x1b[>4;1mno colour", [["no colour", {}]]],
	["\u009b31mC1", [["C1", { fg: 1 }]]],
];

for (const [text, expected] of COLOURS) {
	test(`colours of ${JSON.stringify(text)}`, () => {
		assert.deepEqual(segmentsOf(text), expected);
	});
}

const TEXTS = [
	["\x1b[2Jclear\x1b[10;5Hmove\x1b[?25l", "clearmove"],
	["\x1b]0;title\x07bell\x1b]2;t\x1b\\st", "bellst"],
	["\x1bP1$q\x1b\\after\x1b(Bcharset\x1b7\x1bc\x0e\x0f", "aftercharset"],
	["\x9d0;title\x9c.\x85\x90q\x9c", "."],
	["\x1b_Gf=1\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\ok", "ok"],
	["\x1b[31\u00e9nd", "\u00e9nd"],
	["\x1b", ""],
	["cut\x1b[", "cut"],
	["cut\x1b[38;5", "cut"],
	["cut\x1b]8;;http://exam", "cut"],
	["\x1b[3\x18text", "text"],
	["null \x00 bell \x07 del \x7f",
		"null \u2400 bell \u2407 del \u2421"],
	["turned \u202eround\u2066", "turned \u2039RLO\u203around\u2039LRI\u203a"],
	["line\u2028end", "line\u2039LS\u203aend"],
	["10%\r50%\r100%", "100%"],
	["downloading\rdone", "doneloading"],
	["downloading\r\x1b[Kdone", "done"],
	["downloading\x1b[2K\rdone", "done"],
	["downloading\r\x1b[2Kdone", "done"],
	["abcdef\r\x1b[3C\x1b[K", "abc"],
	["abc\x1b[1Kx", "   x"],
	["abcdef\r\x1b[2C\x1b[1K", "   def"],
	["abcdef\r\x1b[2C\x1b[1KX", "  Xdef"],
	["\u4f60\u597dx\r\x1b[1K", "  \u597dx"],
	["abcdef\x1b[D\x1b[1Kx", "     x"],
	["dos\r", "dos"],
	["dos\r\r", "dos"],
	["\r\ra", "a"],
	["spin |\b/\b-\b\\", "spin \\"],
	["a\b\b\bb", "b"],
	["abc\x1b[2Dx", "axc"],
	["abc\x1b[10Gx", "abc      x"],
	["abc\x1b[1Gx", "xbc"],
	["abc\x1b[Gx", "xbc"],
	["a\x1b[3Cb", "a   b"],
	["a\tb", "a\tb"],
	["a\tb\rc", "c\tb"],
	["a\tb\r12345", "12345   b"],
	["1234567890\r\tx", "12345678x0"],
	["\u4f60\u597d\rab", "ab\u597d"],
	["\u4f60\u597d\rabc", "abc "],
	["ab\r\u4f60", "\u4f60"],
	["e\u0301x\ra", "ax"],
	["x\b\u0301", "\u0301"],
	["\u{1f468}\u200d\u{1f469}z\rab", "abz"],
	["section_start:1:x\r\x1b[0KHead", "Head"],
];

for (const [text, expected] of TEXTS) {
	test(`text of ${JSON.stringify(text)}`, () => {
		assert.equal(plainText(text), expected);
		assert.equal(textOf(layOut(text).segments), expected);
	});
}

test("a progress bar keeps its colours", () => {
	assert.deepEqual(segmentsOf("\x1b[31m##..\x1b[m\r\x1b[32m###"), [
		["###", { fg: 2 }], [".", { fg: 1 }]]);
	assert.deepEqual(segmentsOf("a\x1b[31mbc\r\x1b[39mx"), [
		["x", {}], ["bc", { fg: 1 }]]);
});

test("what cannot be seen is marked", () => {
	const { segments } = layOut("a\x00\u202e\x00");

	assert.deepEqual(segments.map(({ text }) => text),
	    ["a", "\u2400\u2039RLO\u203a\u2400"]);
	assert.ok(segments.slice(1).every(({ style }) => style === MARK));
	assert.equal(segments[0].style, PLAIN);
	assert.deepEqual(layOut("x\x00\ry").segments.map(({ style }) => style),
	    [PLAIN, MARK]);
	assert.equal(plainText("\x00\x00\x00\rab"), "ab\u2400");
});

test("a style goes on where a line does not end it", () => {
	const first = layOut("\x1b[31mred");

	assert.equal(first.style.fg, 1);
	assert.equal(layOut("more", first.style).segments[0].style.fg, 1);
	assert.equal(layOut("x\x1b[0m", first.style).style, PLAIN);
	assert.deepEqual(styleAfter("a\x1b[1;31mb\x00", PLAIN),
	    layOut("a\x1b[1;31mb").style);
});

test("the style of a line comes from those before it", () => {
	const texts = ["\x1b[31mred", "still", "other", "\x1b[1mbold", "end"];
	const records = new Map(texts.map((text, i) => [i + 1, {
		type: "line", stream: i === 2 ? "stderr" : "stdout", text,
	}]));
	const get = (seq) => records.get(seq);

	assert.equal(styleBefore(get, 1, "stdout"), PLAIN);
	assert.equal(styleBefore(get, 2, "stdout").fg, 1);
	assert.equal(styleBefore(get, 3, "stderr"), PLAIN);
	assert.deepEqual([styleBefore(get, 5, "stdout").fg,
		styleBefore(get, 5, "stdout").bold], [1, true]);
	records.set(2, { type: "gap" });
	assert.equal(styleBefore(get, 4, "stdout"), PLAIN);
	records.set(2, null);
	assert.equal(styleBefore(get, 4, "stdout").fg, 1);
	records.set(2, { type: "line", stream: "stdout", text: "x\x1b[0m" });
	assert.equal(styleBefore(get, 4, "stdout"), PLAIN);
	assert.equal(styleBefore((seq) => seq === 1 ? records.get(1) : null,
	    102, "stdout"), PLAIN);
});

test("links of programs are http or https, others are text", () => {
	const link = (address) =>
	    segmentsOf(`\x1b]8;id=1;${address}\x1b\\here\x1b]8;;\x07 there`);

	assert.deepEqual(link("https://example.org/a;b"), [
		["here", {}, "https://example.org/a;b"], [" there", {}]]);
	for (const address of ["javascript:alert(1)", "data:text/html,x",
		"file:///etc/passwd", "//example.org", "x", "http://",
		"https://user:secret@example.org/", "vbscript:x",
		" javascript:alert(1)", "https://e/" + "x".repeat(3000)])
		assert.deepEqual(link(address).map(([, , to]) => to),
		    [undefined, undefined], address);
});

test("a line can be taken to pieces anywhere and never throws", () => {
	const all = [...COLOURS, ...TEXTS].map(([text]) => text).join("");

	for (let end = 0; end <= all.length; end++) {
		const text = textOf(layOut(all.slice(0, end)).segments);

		assert.ok(!/[\x00-\x08\x0a-\x1f\x7f-\x9f\u202e]/.test(text));
	}
});

const MEGABYTE = 1 << 20;
const HOSTILE = ["\x1b[", "\x1b]8;;", "\x1b[31m", "\x1b[1;2;3;4;5mx", "\b",
	"x\b", "x\r", "\r\x1b[2Kx", "\x1b[999999Cx\r", "\x1b[2K\x1b[999Gx",
	"x\x1b[1K", "\x1b[999C\x1b[1K", "\t", "x\t\r", "\u4f60\r", "\u0301",
	"\x00", "\u202e", "\x1b", "\x9b", "\x1bP", "1;", "\u{1f600}\u200d",
	"https://x.y/ ", "\x1b]8;;http://x/\x07y"];

for (const piece of HOSTILE) {
	test(`a megabyte of ${JSON.stringify(piece)} takes no time`, () => {
		const start = process.cpuUsage();

		for (const before of ["", "\x1b[", "\x1b]", "ab\r"])
			layOut(before + piece.repeat(MEGABYTE / piece.length));
		const { user } = process.cpuUsage(start);

		assert.ok(user < 10e6, `${user / 1e6} s`);
	});
}

test("erasing what is long again and again takes no time", () => {
	const start = process.cpuUsage();

	for (const piece of ["\x1b[2Kx", "\r\x1b[Kx", "x\x1b[1K", "\x1b[2K\x1b[C",
		"\x1b[99999G\x1b[1Kx\r"])
		layOut("y".repeat(MEGABYTE / 4) + "\ry" +
		    piece.repeat(MEGABYTE / piece.length));
	assert.ok(process.cpuUsage(start).user < 10e6);
});
