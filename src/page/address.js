/* SPDX-License-Identifier: ISC */

/*
 * What the page was asked for in its own address, and the addresses of the
 * server, wherever a proxy has put it.
 */

const given = new URL(location.href).searchParams;
const PASSED_ON = ["stream"];

function number(name) {
	const text = given.get(name) ?? "";

	return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/* Numbers, or null where the page's address does not have them. */
export const asked = Object.freeze({
	after: number("after"),
	tail: number("tail"),
	stream: given.get("stream"),
});

/* path is relative to the page; parameters: an object of them. */
export function serverAddress(path, parameters = {}) {
	const address = new URL(path, new URL("./", location.href));

	for (const [name, value] of Object.entries(parameters))
		address.searchParams.set(name, value);
	for (const name of PASSED_ON) {
		if (given.has(name))
			address.searchParams.set(name, given.get(name));
	}
	return address;
}

export function socketAddress(parameters) {
	const address = serverAddress("./", parameters);

	address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
	return address;
}
