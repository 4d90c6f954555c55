/* SPDX-License-Identifier: ISC */

/*
 * When a line came, as its reader wants it: by the clock, since the run
 * began, or since the line before it.  Times are in seconds since 1970.
 */

export const KINDS = ["off", "clock", "since start", "between lines"];

const pad = (number, digits) => String(number).padStart(digits, "0");

/* start and before may be null: they are not known. */
export function timeText(kind, time, start, before) {
	if (kind === "clock")
		return clock(time);
	if (kind === "since start")
		return start === null ? "" : elapsed(time - start);
	if (kind === "between lines")
		return before === null ? "" : `+${gap(time - before)}`;
	return "";
}

/* The time of day where the reader is: 14:03:07.250 */
function clock(time) {
	const date = new Date(1000 * time);

	return [date.getHours(), date.getMinutes(), date.getSeconds()]
	    .map((part) => pad(part, 2)).join(":") +
	    `.${pad(date.getMilliseconds(), 3)}`;
}

/* 7.250, 3:07.250, 1:03:07.250; what came before the start is 0. */
function elapsed(seconds) {
	const whole = Math.round(1000 * Math.max(seconds, 0));
	const minutes = Math.floor(whole / 60000);
	const rest = pad(((whole % 60000) / 1000).toFixed(3), 6);

	if (minutes === 0)
		return String(Number(rest).toFixed(3));
	if (minutes < 60)
		return `${minutes}:${rest}`;
	return `${Math.floor(minutes / 60)}:${pad(minutes % 60, 2)}:${rest}`;
}

/* Lines of different streams may be a hair out of order. */
function gap(seconds) {
	const late = Math.max(seconds, 0);

	return late < 60 ? late.toFixed(3) : elapsed(late);
}
