/* SPDX-License-Identifier: ISC */

/*
 * Wires the page together: records go from the connection through the queue
 * to the log and the header.
 */

import { Connection } from "./connection.js";
import { Follow } from "./follow.js";
import { Header } from "./header.js";
import { Log } from "./log.js";
import { Queue } from "./queue.js";

const header = new Header();
const log = new Log(document.getElementById("log"));
const follow = new Follow(document.getElementById("follow"));

let run = null;
let lines = 0; /* handled since the last settle() */

const handlers = {
	state: (record) => header.state(record),
	clients: (record) => header.clients(record),
	exit: (record) => header.exit(record),
	gap: (record) => log.addGap(record),
	line(record) {
		log.addLine(record);
		if (!record.partial)
			lines++;
	},
	start(record) {
		if (run !== null && run !== record.run)
			log.beginRun();
		run = record.run;
		header.start(record);
	},
};

function settle() {
	const earlier = document.getElementById("earlier");

	follow.add(lines);
	lines = 0;
	log.trim(!follow.following);
	earlier.hidden = log.dropped === 0;
	document.getElementById("earlier-count").textContent =
	    log.dropped === 1 ? "1 earlier line is" :
	    `${log.dropped} earlier lines are`;
}

/* The raw output asks for the same stream and the same right to see it. */
function completeLinks() {
	const given = new URL(location).searchParams;
	const query = new URLSearchParams({ follow: 0 });

	for (const name of ["stream", "token"]) {
		if (given.has(name))
			query.set(name, given.get(name));
	}
	for (const link of document.querySelectorAll("a.raw"))
		link.setAttribute("href", `raw?${query}`);
}

const queue = new Queue((record) => handlers[record.type]?.(record), settle);
const connection = new Connection(location.href,
    (records) => queue.push(records));

addEventListener("online", () => connection.hurry());
document.addEventListener("visibilitychange", () => {
	if (!document.hidden)
		connection.hurry();
});
completeLinks();
connection.open();
