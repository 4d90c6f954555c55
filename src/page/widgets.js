/* SPDX-License-Identifier: ISC */

/* What the bars of the page are made of. */

import { element } from "./row.js";

export { count, element } from "./row.js";

/* text: what it shows; name: what it is, for who hears or hovers. */
export function button(text, name, action) {
	const made = element("button", "", text);

	made.type = "button";
	made.title = name;
	made.setAttribute("aria-label", name);
	made.addEventListener("click", action);
	return made;
}

export function select(name, values, label, action) {
	const made = element("select");

	made.title = name;
	made.setAttribute("aria-label", name);
	for (const value of values) {
		const option = element("option", "", label(value));

		option.value = value;
		made.append(option);
	}
	made.addEventListener("change", action);
	return made;
}
