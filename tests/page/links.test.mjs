// SPDX-License-Identifier: ISC
// Addresses in text, segments cut to pieces, and lines that are too long.

import assert from "node:assert/strict";
import test from "node:test";

import { linkAddresses, safeAddress } from "../../src/page/links.js";
import { clip, splitAt, textOf } from "../../src/page/segments.js";
import { PLAIN } from "../../src/page/sgr.js";
import { layOut } from "../../src/page/terminal.js";

function linksIn(text) {
	const segments = linkAddresses(layOut(text).segments);

	return segments.filter(({ link }) => link !== null)
	    .map((segment) => [segment.text, segment.link]);
}

const ADDRESSES = [
	["see https://example.org/a?b=c#d now",
		["https://example.org/a?b=c#d"]],
	["https://example.org/.", ["https://example.org/"]],
	["(https://example.org/a_(b))", ["https://example.org/a_(b)"]],
	["<http://example.org/>", ["http://example.org/"]],
	["\"http://example.org/\"", ["http://example.org/"]],
	["http://a/ and HTTP://b/", ["http://a/", "HTTP://b/"]],
	["xhttp://a/", []],
	["http://", []],
	["javascript://a/ data:text/html,http", []],
	["https://user@example.org/", []],
	["[http://[::1]:8080/]", ["http://[::1]:8080/"]],
];

for (const [text, expected] of ADDRESSES) {
	test(`addresses in ${text}`, () => {
		assert.deepEqual(linksIn(text).map(([found]) => found), expected);
	});
}

test("an address may have several colours", () => {
	assert.deepEqual(linksIn("\x1b[1mhttp://\x1b[31mexample.org\x1b[m/a b"),
	    ["http://", "example.org", "/a"].map((text) =>
	        [text, "http://example.org/a"]));
});

test("a program's own link stays", () => {
	assert.deepEqual(
	    linksIn("\x1b]8;;http://real/\x07http://shown/\x1b]8;;\x07"),
	    [["http://shown/", "http://real/"]]);
});

test("hosts that look like others are written so that it is seen", () => {
	assert.match(safeAddress("https://\u0430pple.com/"), /xn--/);
});

test("many addresses, and their ends, take no time", () => {
	const start = process.cpuUsage();

	linksIn("http://a/ ".repeat(1 << 15));
	linksIn(("http://a/" + ")".repeat(2000) + " ").repeat(500));
	linksIn("http://a/" + ".".repeat(1 << 20));
	linksIn("http://".repeat(1 << 17));
	linksIn("\x1b[1mh\x1b[2m".repeat(1 << 16) + "://");
	assert.ok(process.cpuUsage(start).user < 10e6);
});

const segment = (text) => ({ text, style: PLAIN, link: null });

test("segments are cut where ranges are", () => {
	const segments = ["abc", "def", "ghi"].map(segment);
	const cut = splitAt(segments, [{ start: 1, end: 2 },
		{ start: 2, end: 7 }, { start: 9, end: 12 }],
	    (piece, range) => ({ ...piece, range }));

	assert.deepEqual(cut.map(({ text, range }) => [text, range?.start]), [
		["a", undefined], ["b", 1], ["c", 2], ["def", 2], ["g", 2],
		["hi", undefined]]);
	assert.equal(textOf(cut), "abcdefghi");
	assert.deepEqual(splitAt(segments, [], () => assert.fail()), segments);
});

test("what is too long is clipped, but no character is cut", () => {
	const segments = ["abc", "d\u{1f600}f"].map(segment);
	const clipped = (most) => {
		const { segments: kept, hidden } = clip(segments, most);

		return [textOf(kept), hidden];
	};

	assert.deepEqual(clipped(7), ["abcd\u{1f600}f", 0]);
	assert.deepEqual(clipped(4), ["abcd", 3]);
	assert.deepEqual(clipped(5), ["abcd", 3]);
	assert.deepEqual(clipped(0), ["", 7]);
});
