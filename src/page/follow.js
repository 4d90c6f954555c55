/* SPDX-License-Identifier: ISC */

/*
 * Whether the screen stays at the end of the log.  It does while the reader
 * is there; scrolling up pauses it, and going back to the end, by hand or by
 * the button, goes on with it.  Nothing is held back meanwhile.
 */

const NEAR_PX = 8; /* this close to the end counts as there */

export class Follow {
	#root = document.scrollingElement;
	#button;
	#following = true;
	#missed = 0; /* lines added since the pause */
	#top = 0;

	constructor(button) {
		this.#button = button;
		button.addEventListener("click", () => this.#set(true));
		addEventListener("scroll", () => this.#scrolled(),
		    { passive: true });
		addEventListener("resize", () => this.#stick());
		new ResizeObserver(() => this.#stick()).observe(document.body);
		this.#set(true);
	}

	get following() {
		return this.#following;
	}

	/* Lines were added at the end. */
	add(count) {
		if (this.#following || count === 0)
			return;
		this.#missed += count;
		this.#label();
	}

	/*
	 * Only a move up pauses: the end also gets away from the screen when
	 * lines are added, and that is no wish of the reader's.
	 */
	#scrolled() {
		const top = this.#root.scrollTop;
		const below =
		    this.#root.scrollHeight - this.#root.clientHeight - top;

		if (below <= NEAR_PX)
			this.#set(true);
		else if (top < this.#top)
			this.#set(false);
		this.#top = top;
	}

	#set(following) {
		if (following || this.#following)
			this.#missed = 0;
		this.#following = following;
		this.#root.classList.toggle("following", following);
		this.#button.hidden = following;
		this.#label();
		this.#stick();
	}

	#stick() {
		if (!this.#following)
			return;
		this.#root.scrollTop = this.#root.scrollHeight;
		this.#top = this.#root.scrollTop;
	}

	#label() {
		const lines = this.#missed === 1 ? "line" : "lines";

		this.#button.textContent = this.#missed === 0 ? "follow" :
		    `${this.#missed} new ${lines} \u2013 follow`;
	}
}
