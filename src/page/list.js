/* SPDX-License-Identifier: ISC */

/*
 * Shows the log: a scroller in which a layer has the rows on the screen and
 * some around it, over an empty element that is as high as the log, or as an
 * element can be.
 *
 * While somebody scrolls, the browser moves the layer, and rows are added to
 * it at its ends: nothing on the screen moves by itself, however high rows
 * are.  The scroll bar is then only about right.  It is put right, together
 * with the layer, when scrolling rests or comes to an end of what there is.  A
 * long way, such as by the bar itself, is a jump to where the bar is.
 */

import { renderRow } from "./render.js";
import { makePartialRow, makeRow } from "./row.js";
import { Rows } from "./rows.js";
import { Layer } from "./layer.js";
import { Scale } from "./scale.js";

const MARGIN_SCREENS = 0.75; /* of rows above and below the screen */
const JUMP_SCREENS = 4; /* a longer way is not scrolled but jumped */
const NEAR_PX = 4; /* this close to the end is there */
const REST_MS = 150; /* without scrolling it rests */
const ROWS_MAX = 400; /* in the document, however low they are */
const SAMPLES_MAX = 20_000; /* rows whose mean height counts */

export class List extends EventTarget {
	renderRow = renderRow;
	decorate = () => {};
	isMarked = () => false;
	#store;
	#ranges;
	#rows;
	#context;
	#element;
	#sizer = document.createElement("div");
	#layer;
	#top = 0; /* of the layer, px */
	#bar = 0; /* scrollTop as it was last seen or set */
	#following = true;
	#pinned = null; /* the row that keeps its place, if it is not the first */
	#frame = null;
	#rest = null;
	#stale = false; /* rows on the screen have changed */
	#heights = { sum: 0, rows: 0 };
	#digits = 4;

	constructor(element, { store, ranges, settings }) {
		super();
		const layer = document.createElement("div");

		this.#element = element;
		this.#store = store;
		this.#ranges = ranges;
		this.#context = { store, settings };
		this.#rows = new Rows(store);
		this.#layer = new Layer(layer, this.#rows,
		    (seq) => this.#make(seq));
		this.#sizer.className = "sizer";
		layer.className = "layer";
		element.append(this.#sizer, layer);
		element.addEventListener("scroll", () => this.#scrolled(),
		    { passive: true });
		new ResizeObserver(() => this.refresh()).observe(element);
		this.#listen();
	}

	#listen() {
		const changed = ({ detail }) => {
			this.#stale ||= this.#layer.count === 0 ||
			    (detail.first <= this.#layer.last &&
			    detail.last >= this.#layer.first);
			this.#schedule();
		};

		this.#store.addEventListener("append", changed);
		this.#store.addEventListener("load", changed);
		this.#store.addEventListener("exit", () => this.#schedule());
		this.#store.addEventListener("start", () => this.#schedule());
		this.#store.addEventListener("reset", () => {
			this.#layer.reset();
			this.scrollToEnd();
		});
	}

	get following() {
		return this.#following;
	}

	/* How many rows there are. */
	get count() {
		return this.#rows.total;
	}

	/* The first and last row on the screen, or null. */
	get top() {
		return this.#layer.at(this.#above)?.seq ?? null;
	}

	get bottom() {
		return this.#layer.at(this.#above + this.#screen - 1)?.seq ??
		    null;
	}

	/* How many rows there are behind seq. */
	rowsAfter(seq) {
		return this.#rows.total - this.#rows.indexOf(seq + 1);
	}

	rowOf(seq) {
		return this.#layer.row(seq);
	}

	/* A filter; see Rows. */
	setVisibility(visibility) {
		this.#rows.setVisibility(visibility);
		this.refresh();
	}

	/* Rows look different now; what is on the screen stays there. */
	refresh() {
		this.#stale = true;
		this.#heights = { sum: 0, rows: 0 };
		this.#schedule();
	}

	refreshRow(seq) {
		this.#scrolled();
		if (this.#layer.find(seq) !== null)
			this.#layer.replace(seq);
		this.#settle();
	}

	scrollToEnd() {
		this.#pinned = null;
		/* What was scrolled before, but is yet to be told, is over. */
		this.#bar = this.#element.scrollTop;
		this.#follow(true);
		this.#stale = true;
		this.#schedule();
	}

	scrollToStart() {
		const seq = this.#rows.after(0);

		this.#follow(false);
		this.#pinned = null;
		if (seq !== null)
			this.#show(seq, 0);
	}

	scrollLines(n) {
		this.#element.scrollBy(0, n * this.#rowHeight);
	}

	scrollBy(pages) {
		this.#element.scrollBy(0, pages *
		    Math.max(this.#screen - 2 * this.#rowHeight,
		    this.#rowHeight));
	}

	/*
	 * Shows a row, also one that is yet to be fetched; resolves when it is
	 * there.  align: start, center, end, or nearest, which moves nothing
	 * if it is on the screen.
	 */
	async scrollToSeq(seq, { align = "center" } = {}) {
		const row = this.#rows.has(seq) ? seq :
		    this.#rows.before(seq) ?? this.#rows.after(seq);

		if (row === null)
			return;
		if (align !== "nearest" || !this.#isOnScreen(row)) {
			this.#follow(false);
			this.#pinned = row;
			this.#show(row, this.#offset(align));
		}
		await this.#arrival(row);
	}

	#offset(align) {
		if (align === "start")
			return 0;
		/* Rows may be higher than the screen. */
		const way = Math.max(this.#screen - this.#rowHeight, 0);

		return align === "end" ? way : way / 3;
	}

	#isOnScreen(seq) {
		const place = this.#layer.find(seq);

		return place !== null && place.top >= this.#above &&
		    place.top + place.height <= this.#above + this.#screen;
	}

	#arrival(seq) {
		return new Promise((resolve) => {
			const look = () => {
				if (this.#store.get(seq) === undefined)
					return;
				this.#store.removeEventListener("load", look);
				resolve();
			};

			this.#store.addEventListener("load", look);
			look();
		});
	}

	get #screen() {
		return this.#element.clientHeight;
	}

	/* How much of the layer is above the screen, px. */
	get #above() {
		return this.#element.scrollTop - this.#top;
	}

	get #margin() {
		return MARGIN_SCREENS * this.#screen;
	}

	/* The mean one, px. */
	get #rowHeight() {
		const { sum, rows } = this.#heights;

		return rows > 0 ? sum / rows : 20;
	}

	get #scale() {
		return new Scale(this.#rows.total * this.#rowHeight,
		    this.#screen);
	}

	#make(seq) {
		const line = this.#store.line(seq);
		const row = makeRow(seq, line,
		    (each) => this.renderRow(each, this.#context));

		row.classList.toggle("marked", this.isMarked(seq));
		if (line !== undefined)
			this.decorate(row, line);
		return row;
	}

	#follow(following) {
		if (following === this.#following)
			return;
		this.#following = following;
		this.dispatchEvent(new Event("follow"));
	}

	#schedule() {
		this.#frame ??= requestAnimationFrame(() => {
			this.#frame = null;
			this.#update();
		});
	}

	/* There is something new, or something has changed. */
	#update() {
		if (this.#screen === 0)
			return;
		this.#widen();
		if (this.#following)
			this.#showEnd();
		else if (this.#stale)
			this.#showAgain();
		else
			this.#fill();
		this.#stale = false;
		this.#showPartials();
		this.#settle();
	}

	/* The end, with what is there already if that is not far from it. */
	#showEnd() {
		const last = this.#rows.before(Infinity);

		if (this.#stale || last === null || this.#layer.last === null ||
		    last - this.#layer.last > ROWS_MAX / 2)
			this.#layer.reset(last);
		else
			this.#layer.append(ROWS_MAX);
		while (this.#layer.height < this.#screen + this.#margin &&
		    this.#layer.prepend(this.#rowsFor(this.#screen +
		    this.#margin - this.#layer.height)) > 0)
			;
		this.#layer.trimTop(this.#layer.height - this.#screen -
		    2 * this.#margin);
	}

	/* What is on the screen, made anew. */
	#showAgain() {
		const pinned = this.#pinned === null ? null :
		    this.#layer.find(this.#pinned);
		const place = pinned ?? this.#layer.at(this.#above);
		let seq = place?.seq ?? this.#rows.after(0);

		if (seq === null) {
			this.#layer.reset();
			return;
		}
		if (!this.#rows.has(seq))
			seq = this.#rows.before(seq) ?? this.#rows.after(seq);
		this.#show(seq, place === null ? 0 : place.top - this.#above);
	}

	/* Puts the row that many pixels below the top of the screen. */
	#show(seq, offset) {
		this.#layer.reset(seq);
		this.#move(this.#element.scrollTop + offset);
		this.#fill();
		/* There may be nothing to show further up, or down. */
		if (this.#layer.hasFirst && this.#above < 0)
			this.#move(this.#element.scrollTop);
		const below = this.#top + this.#layer.height -
		    this.#element.scrollTop - this.#screen;

		if (this.#layer.hasLast && below < 0) {
			this.#move(this.#top - below);
			this.#fill();
			if (this.#layer.hasFirst && this.#above < 0)
				this.#move(this.#element.scrollTop);
		}
		this.#settle();
	}

	/* Adds rows where the screen comes near the end of those that are. */
	#fill() {
		let missing;

		if (this.#layer.count === 0)
			this.#layer.append(1);
		while ((missing = this.#above + this.#screen + this.#margin -
		    this.#layer.height) > 0 &&
		    this.#layer.append(this.#rowsFor(missing)) > 0)
			;
		while ((missing = this.#margin - this.#above) > 0) {
			const more = this.#layer.prepend(
			    this.#rowsFor(missing));

			if (more === 0)
				break;
			this.#move(this.#top - more);
		}
		this.#trim();
	}

	#trim() {
		const above = this.#above;

		this.#layer.trimBottom(above + this.#screen + 2 * this.#margin);
		this.#move(this.#top +
		    this.#layer.trimTop(above - 2 * this.#margin));
	}

	#rowsFor(px) {
		return Math.min(Math.ceil(px / this.#rowHeight) + 1, ROWS_MAX / 2);
	}

	#move(top) {
		this.#top = top;
		this.#layer.element.style.top = `${top}px`;
	}

	#showPartials() {
		const rows = [];

		for (const stream of ["stdout", "stderr"]) {
			const record = this.#store.partial(stream);

			if (record === null || !this.#layer.hasLast)
				continue;
			rows.push(makePartialRow(record,
			    (line) => this.renderRow(line, this.#context)));
		}
		this.#layer.setTail(rows);
	}

	/* Afterwards the scroll bar is right, and what is missing is asked for. */
	#settle() {
		this.#sample();
		if (this.#following || this.#rest === null)
			this.#putBar();
		else
			this.#size(this.#scale.height);
		this.#look();
	}

	/* Tells what is on the screen, and asks for what is missing there. */
	#look() {
		const middle = this.#above + this.#screen / 2;
		const seq = this.#layer.at(middle)?.seq ?? 0;
		let wanted = null;

		for (const [each] of this.#layer.entries()) {
			if (this.#store.get(each) === undefined &&
			    (wanted === null || Math.abs(each - seq) <
			    Math.abs(wanted - seq)))
				wanted = each;
		}
		this.#store.focus = this.#following ? Infinity : seq;
		this.#ranges.want(wanted);
		this.dispatchEvent(new Event("view"));
	}

	#sample() {
		const { sum, rows } = this.#heights;

		if (rows > SAMPLES_MAX || this.#layer.count === 0)
			return;
		this.#heights = {
			sum: sum + this.#layer.height,
			rows: rows + this.#layer.count,
		};
	}

	#size(height) {
		const end = this.#top + this.#layer.height;

		this.#sizer.style.height =
		    `${this.#layer.hasLast ? end : Math.max(height, end)}px`;
		this.#bar = this.#element.scrollTop;
	}

	/* Moves scroll bar and layer together: nothing moves on the screen. */
	#putBar() {
		const scale = this.#scale;
		const above = this.#following ?
		    Math.max(this.#layer.height - this.#screen, 0) : this.#above;
		const below = this.#layer.height - above - this.#screen;
		let bar = scale.toBar(this.#place(above));

		if (this.#layer.hasFirst)
			bar = above;
		else if (this.#layer.hasLast)
			bar = Math.max(scale.barWay - below, above);
		else
			bar = Math.max(Math.min(bar,
			    scale.barWay - below - 1), above + 1);
		this.#move(Math.round(bar - above));
		this.#size(scale.height);
		this.#element.scrollTop = this.#top + above;
		this.#bar = this.#element.scrollTop;
	}

	/* The place in the log of what is so far down in the layer, px. */
	#place(above) {
		const row = this.#layer.at(above);

		if (row === null)
			return 0;
		const part = (above - row.top) / Math.max(row.height, 1);

		return this.#rowHeight *
		    (this.#rows.indexOf(row.seq) + Math.min(part, 1));
	}

	/*
	 * The browser tells of it only with the next frame: what puts the bar
	 * right between frames looks first, or it would put it back.
	 */
	#scrolled() {
		const bar = this.#element.scrollTop;
		const way = bar - this.#bar;

		if (Math.abs(way) < 1)
			return;
		this.#bar = bar;
		this.#pinned = null;
		clearTimeout(this.#rest);
		this.#rest = setTimeout(() => {
			this.#rest = null;
			this.#scrolled();
			if (this.#rest === null)
				this.#settle();
		}, REST_MS);
		if (way < 0)
			this.#follow(false);
		if (bar > this.#top + this.#layer.height ||
		    bar + this.#screen < this.#top)
			this.#jump(bar, way);
		else
			this.#fill();
		this.#meetEnds(way);
	}

	/* The screen is beyond the rows that are here. */
	#jump(bar, way) {
		const scale = this.#scale;
		const short = Math.abs(way) < JUMP_SCREENS * this.#screen;
		const place = short ? this.#place(bar - way - this.#top) + way :
		    scale.toPlace(bar);
		const index = Math.max(place / this.#rowHeight, 0);
		const seq = place >= scale.way - 1 ? this.#rows.before(Infinity) :
		    this.#rows.seqAt(index);

		if (seq !== null)
			this.#show(seq, -(index % 1) * this.#rowHeight);
	}

	#meetEnds(way) {
		const end = this.#top + this.#layer.height - this.#screen;

		if (way > 0 && this.#layer.hasLast && this.#bar >= end - NEAR_PX)
			this.#follow(true);
		const atEdge = this.#bar <= 0 || this.#bar >=
		    this.#element.scrollHeight - this.#screen - 1;

		if (this.#layer.hasFirst ? this.#top !== 0 : atEdge)
			this.#putBar();
		this.#size(this.#scale.height);
		this.#look();
	}

	/* The column of numbers is as wide as the widest one. */
	#widen() {
		const digits = String(this.#store.last).length;

		if (digits <= this.#digits)
			return;
		this.#digits = digits;
		this.#element.style.setProperty("--digits", digits);
	}
}
