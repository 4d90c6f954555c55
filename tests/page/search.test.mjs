// SPDX-License-Identifier: ISC
// What is searched for, what was found, and what lines are about.

import assert from "node:assert/strict";
import test from "node:test";

import { Hits } from "../../src/page/hits.js";
import { Matcher } from "../../src/page/matcher.js";
import { severityOf } from "../../src/page/severity.js";
import { timeText } from "../../src/page/times.js";
import { Visibility } from "../../src/page/visibility.js";

function find(wanted, text) {
	return new Matcher(wanted).find(text)
	    .map(({ start, end }) => text.slice(start, end));
}

test("text is found, with or without regard to case", () => {
	assert.deepEqual(find({ text: "ab" }, "abcABc"), ["ab", "AB"]);
	assert.deepEqual(find({ text: "ab", matchCase: true }, "abcAB"), ["ab"]);
	assert.deepEqual(find({ text: "\u00c4" }, "\u00e4"), ["\u00e4"]);
	assert.deepEqual(find({ text: "aa" }, "aaaaa"), ["aa", "aa"]);
	assert.deepEqual(find({ text: "x" }, "abc"), []);
});

test("text is no expression", () => {
	for (const text of ["a.c", "[x](y)", "a|b", "^a$", "{1}", "a/b", "\\d",
		"*", "a-b", "?", "\u{1f600}"])
		assert.deepEqual(find({ text }, `.${text}.abc`), [text]);
});

test("expressions are found", () => {
	const expression = (text) => ({ text, isExpression: true });

	assert.deepEqual(find(expression("a.c"), "abc"), ["abc"]);
	assert.deepEqual(find(expression("^."), "\u{1f600}"), ["\u{1f600}"]);
	assert.deepEqual(find(expression("\\d*"), "a12b"), ["12"]);
	assert.deepEqual(find(expression("\\-"), "a-b"), ["-"]);
	assert.throws(() => new Matcher(expression("(")), SyntaxError);
	assert.equal(find(expression("."), "x".repeat(5000)).length, 1000);
});

test("a matcher can be used again", () => {
	const matcher = new Matcher({ text: "b" });

	assert.ok(matcher.test("ab"));
	assert.ok(matcher.test("b"));
	assert.equal(matcher.find("b").length, 1);
	assert.ok(!matcher.test("a"));
});

test("hits are in order, each once, and can be walked through", () => {
	const hits = new Hits();

	assert.equal(hits.after(1), undefined);
	assert.equal(hits.before(1), undefined);
	hits.add([9, 20]);
	hits.add([9, 30]);
	hits.add([3, 5]);
	hits.add([5, 9]);
	hits.add([]);
	assert.equal(hits.count, 5);
	assert.deepEqual([0, 3, 4, 30].map((seq) => hits.after(seq)),
	    [3, 5, 5, undefined]);
	assert.deepEqual([3, 4, 21, Infinity].map((seq) => hits.before(seq)),
	    [undefined, 3, 20, 30]);
	assert.deepEqual([3, 4].map((seq) => hits.has(seq)), [true, false]);
	assert.equal(hits.rank(9), 2);
	assert.equal(hits.within(4, 20), 3);
	hits.add([4, 21]);
	assert.deepEqual([4, 5, 9, 20, 21, 30].map((seq) =>
	    hits.before(seq + 1)), [4, 5, 9, 20, 21, 30]);
});

test("what is shown is what is found, of one stream, and not folded", () => {
	const visibility = new Visibility();
	const line = (seq, stream = "stdout") => ({ type: "line", seq, stream });
	const shown = () => [1, 2, 3, 4, 5, 6, 7, 8, 9].filter((seq) =>
	    visibility.shows(line(seq, seq === 5 ? "stderr" : "stdout")));

	assert.ok(!visibility.isNeeded);
	visibility.folded = [{ first: 2, last: 4 }, { first: 8, last: Infinity }];
	assert.ok(visibility.isNeeded);
	assert.deepEqual(shown(), [1, 2, 5, 6, 7, 8]);
	assert.equal(visibility.count(1, 9), 6);
	assert.equal(visibility.count(3, 4), 0);
	assert.ok(visibility.shows({ type: "gap", seq: 1 }));
	assert.ok(!visibility.shows({ type: "gap", seq: 3 }));
	visibility.stream = "stdout";
	assert.deepEqual(shown(), [1, 2, 6, 7, 8]);
	visibility.finder = { hits: new Hits() };
	assert.deepEqual(shown(), []);
	assert.equal(visibility.count(1, 9), 0);
	visibility.finder.hits.add([6]);
	assert.deepEqual(shown(), [6]);
	visibility.context = 1;
	assert.deepEqual(shown(), [6, 7]);
	assert.equal(visibility.count(7, 7), 1);
	assert.equal(visibility.count(8, 8), 0);
	assert.ok(visibility.shows({ type: "restart", seq: 1 }));
});

const SEVERITIES = {
	error: [
		"foo.c:7:3: error: expected ';'",
		"error[E0425]: cannot find value",
		"ERROR [main] something",
		"[error] it broke",
		"2024-01-01T00:00:00Z ERROR x",
		"level=error msg=bad",
		"make: *** [all] Error 2",
		"ValueError: bad",
		"java.lang.NullPointerException: x",
		"Traceback (most recent call last):",
		"panic: runtime error",
		"FAILED tests/x.py::test",
		"--- FAIL: TestX",
		"Segmentation fault (core dumped)",
		"sh: 1: x: command not found",
		"fatal: not a git repository",
		"npm ERR! code 1",
		"::error file=x::message",
		"not ok 3 - it",
		"error: unused [-Werror=unused-variable]",
	],
	warning: [
		"foo.c:7:3: warning: unused variable",
		"WARNING: x",
		"[WARN] x",
		"npm warn deprecated x",
		"DeprecationWarning: x",
		"warning: error handling is deprecated",
		"W0101 12:00:00 x",
	],
	null: [
		"gcc -c error.c -o error.o -Werror",
		"0 errors, 0 warnings",
		"no errors",
		"tests failed: 0",
		"errors=0",
		"compiling src/error/mod.rs",
		"error_count",
		"forewarned",
		"all good",
		"",
	],
};

for (const [severity, lines] of Object.entries(SEVERITIES))
	for (const line of lines)
		test(`severity of ${line}`, () =>
		    assert.equal(String(severityOf(line)), severity));

test("severity of a long line takes no time", () => {
	const start = process.cpuUsage();

	for (const text of ["error", "a.", "A", "0 ", "no no ", "\u26a0", " "])
		for (let i = 0; i < 100; i++)
			severityOf(text.repeat(1 << 18));
	assert.ok(process.cpuUsage(start).user < 10e6);
});

test("times are told as wanted", () => {
	assert.equal(timeText("off", 1, 0, 0), "");
	assert.match(timeText("clock", 1700000000.25, null, null),
	    /^\d\d:\d\d:20\.250$/);
	assert.equal(timeText("since start", 107.25, 100, null), "7.250");
	assert.equal(timeText("since start", 287.25, 100, null), "3:07.250");
	assert.equal(timeText("since start", 3887.25, 100, 1), "1:03:07.250");
	assert.equal(timeText("since start", 159.9999, 100, 1), "1:00.000");
	assert.equal(timeText("since start", 99, 100, 1), "0.000");
	assert.equal(timeText("since start", 99, null, 1), "");
	assert.equal(timeText("between lines", 99.5, null, 99), "+0.500");
	assert.equal(timeText("between lines", 200, null, 99), "+1:41.000");
	assert.equal(timeText("between lines", 200, null, null), "");
});
