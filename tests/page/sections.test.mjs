// SPDX-License-Identifier: ISC
// Sections that can be folded, however their markers come.

import assert from "node:assert/strict";
import test from "node:test";

import { markerOf, Sections } from "../../src/page/sections.js";

function sectionsOf(markers) {
	const sections = new Sections();

	for (const [seq, text] of markers)
		sections.add(seq, markerOf(text));
	return sections;
}

function shown(sections) {
	return sections.list().map(({ first, last, name, depth }) =>
	    [first, last, name, depth]);
}

test("markers are what CI systems write", () => {
	assert.deepEqual(markerOf("::group::Build it"), { isStart: true,
		name: "Build it", id: null, isFolded: false });
	assert.equal(markerOf("##[group]Run").name, "Run");
	assert.equal(markerOf("::endgroup::").isStart, false);
	assert.equal(markerOf("##[endgroup]\r").isStart, false);
	assert.deepEqual(
	    markerOf("\x1b[0Ksection_start:1560896352:my_s\r\x1b[0KHeader"),
	    { isStart: true, name: "Header", id: "my_s", isFolded: false });
	assert.deepEqual(
	    markerOf("section_start:1:a[collapsed=true]\r\x1b[0KHead"),
	    { isStart: true, name: "Head", id: "a", isFolded: true });
	assert.deepEqual(markerOf("section_end:1:my_s\r\x1b[0K"),
	    { isStart: false, name: "my_s", id: "my_s", isFolded: false });
	for (const text of ["", "group", "::group", "x ::group::a",
		"section_start:x:y", "a section_start:1:b", "# heading",
		": nothing", "::endgroup::x"])
		assert.equal(markerOf(text), null, text);
});

const NESTED = [
	[1, "::group::a"], [3, "section_start:1:s\r\x1b[0Kb"],
	[5, "::group::c"], [6, "::endgroup::"], [7, "section_end:1:s\r\x1b[0K"],
	[9, "::endgroup::"], [12, "::group::open"],
];

test("sections are nested", () => {
	const sections = sectionsOf(NESTED);

	assert.deepEqual(shown(sections), [[1, 9, "a", 0], [3, 7, "b", 1],
		[5, 6, "c", 2], [12, Infinity, "open", 0]]);
	assert.equal(sections.startingAt(3).name, "b");
	assert.equal(sections.startingAt(4), undefined);
	assert.equal(sections.startingAt(6), undefined);
	assert.deepEqual(sections.around(5).map(({ name }) => name),
	    ["a", "b", "c"]);
	assert.deepEqual(sections.around(10), []);
	assert.deepEqual(sections.around(13).map(({ name }) => name), ["open"]);
	assert.ok(sections.isEnd(6));
	assert.ok(!sections.isEnd(5));
});

test("the order in which markers come does not matter", () => {
	const expected = shown(sectionsOf(NESTED));
	const random = (() => {
		let seed = 20261124;

		return () => (seed = seed * 1103515245 + 12345 & 0x7fffffff);
	})();

	for (let i = 0; i < 100; i++) {
		const sections = new Sections();
		const order = NESTED.map((marker) => [random(), marker])
		    .sort(([a], [b]) => a - b).map(([, marker]) => marker);

		for (const [seq, text] of [...order, ...order.slice(0, 3)]) {
			sections.add(seq, markerOf(text));
			sections.list();
		}
		assert.deepEqual(shown(sections), expected);
	}
});

test("what ends a section ends those inside", () => {
	assert.deepEqual(shown(sectionsOf([[1, "section_start:1:a"],
		[2, "section_start:1:b"], [3, "::group::c"],
		[4, "section_end:1:a"], [5, "section_end:1:b"],
		[6, "::endgroup::"]])),
	    [[1, 4, "a", 0], [2, 4, "b", 1], [3, 4, "c", 2]]);
});

test("a flood of markers is bounded", () => {
	const sections = new Sections();

	for (let seq = 1; seq <= 200_000; seq++)
		sections.add(seq, markerOf("::group::x"));
	assert.equal(sections.list().length, 100_000);
	sections.clear();
	assert.ok(sections.isEmpty);
	assert.deepEqual(sections.list(), []);
});

test("of many sections each is found in no time", () => {
	const start = process.cpuUsage();
	const sections = new Sections();

	for (let seq = 50_000; seq > 0; seq--) {
		sections.add(2 * seq, markerOf("::endgroup::"));
		sections.add(2 * seq - 1, markerOf("::group::x"));
	}
	for (let seq = 1; seq <= 100_000; seq += 2)
		assert.equal(sections.startingAt(seq).last, seq + 1);
	assert.ok(process.cpuUsage(start).user < 10e6);
});

test("a long line takes no time", () => {
	const start = process.cpuUsage();

	for (const text of ["section_", "\rsection_start:1:", "\x1b[0K",
		"section_start:1:a[", "::group::"])
		markerOf("\r" + text.repeat((1 << 20) / text.length) + "\n");
	assert.ok(process.cpuUsage(start).user < 10e6);
});
