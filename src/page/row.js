/* SPDX-License-Identifier: ISC */

/*
 * The element of one row: number and contents.  Whatever came over the wire
 * becomes a text node.  The number is generated content: it is not selected or
 * copied with the line.
 */

const REASONS = {
	evicted: "older than the history that is kept",
	slow: "this viewer was too slow",
};

/* line: as from Store.line(), undefined where it is not here yet. */
export function makeRow(seq, line, makeContents) {
	const type = line === undefined ? "pending" : line.record.type;
	const row = element("div", type === "line" ? "row" : `row ${type}`);

	row.dataset.seq = seq;
	row.dataset.last = line?.last ?? seq;
	if (type === "gap")
		row.append(makeGap(line.record, row));
	else if (type === "restart")
		row.append(makeBoundary(line.record));
	else
		row.append(makeNumber(seq));
	if (type === "line") {
		markStream(row, line.record.stream);
		row.append(makeContents(line));
	} else if (type === "pending") {
		row.append(element("span", "text", "\u2026"));
	}
	return row;
}

/* A line that is not finished, below all others. */
export function makePartialRow(record, makeContents) {
	const row = element("div", "row partial");

	markStream(row, record.stream);
	row.append(makeContents(
	    { seq: record.seq, last: record.seq, record, text: record.text }));
	return row;
}

/* stdout is what a log is made of; to hear it before every line is noise. */
function markStream(row, stream) {
	row.dataset.stream = stream;
	if (stream === "stderr") {
		row.setAttribute("role", "group");
		row.setAttribute("aria-label", "stderr");
	}
}

function makeNumber(seq) {
	const link = element("a", "number");

	link.href = `#L${seq}`;
	link.tabIndex = -1;
	link.dataset.number = seq;
	link.setAttribute("aria-label", `line ${seq}`);
	return link;
}

function makeGap({ first, last, reason }, row) {
	const lines = first === last ? `Line ${count(first)} is` :
	    `Lines ${count(first)} to ${count(last)} are`;

	row.dataset.last = last;
	return element("span", "notice",
	    `${lines} missing: ${REASONS[reason] ?? reason}.`);
}

function makeBoundary({ code, signal, seconds, count: restarts }) {
	return element("span", "notice", `The command ended with ` +
	    (signal ? `signal ${signal}` : `status ${code}`) +
	    ` after ${duration(seconds)}. Restart ${count(restarts)}:`);
}

export function element(tag, className = "", text = "") {
	const made = document.createElement(tag);

	made.className = className;
	made.textContent = text;
	return made;
}

/* 1,234,567 as the reader writes it. */
export function count(number) {
	return number.toLocaleString();
}

/* 12.3 s, 3 min 5 s, 2 h 7 min */
export function duration(seconds) {
	const whole = Math.floor(seconds);

	if (whole < 60)
		return `${seconds.toFixed(1)} s`;
	if (whole < 3600)
		return `${Math.floor(whole / 60)} min ${whole % 60} s`;
	return `${Math.floor(whole / 3600)} h ` +
	    `${Math.floor(whole / 60) % 60} min`;
}
