/* SPDX-License-Identifier: ISC */

/*
 * Wires the page together: records go from the connection to the store, and
 * the list shows what is there.
 */

import { serverAddress } from "./address.js";
import { Connection } from "./connection.js";
import { Follow } from "./follow.js";
import { Header, titleOf } from "./header.js";
import { Keys } from "./keys.js";
import { List } from "./list.js";
import { Marks } from "./marks.js";
import { Ranges } from "./ranges.js";
import { Reader } from "./reader.js";
import { Settings } from "./settings.js";
import { Store } from "./store.js";
import { Tab } from "./tab.js";

const find = (id) => document.getElementById(id);

export const settings = new Settings();
export const store = new Store();
export const ranges = new Ranges(store);
export const connection = new Connection(store);
export const list = new List(find("log"), { store, ranges, settings });
export const marks = new Marks(find("log"));
export const keys = new Keys(document);

const header = new Header(() => connection.hurry());
const tab = new Tab(find("icon"));

new Follow(find("follow"), list, store);
new Reader({ store, ranges, connection, settings, list, marks, keys });

function showTab() {
	const { exit, run } = store;
	const sign = connection.state === "reconnecting" ||
	    connection.state === "refused" ? "lost" :
	    run === null ? "waiting" : exit === null ? "running" :
	    exit.code === 0 ? "passed" : "failed";

	tab.show(titleOf(run), sign);
}

/* What is said instead of lines, where there are none. */
function showEmpty() {
	const { state } = connection;
	const isUnfinished = ["stdout", "stderr"].some((stream) =>
	    store.partial(stream) !== null);

	find("empty").hidden = list.count > 0 || isUnfinished ||
	    state === "refused" || state === "reconnecting";
	find("empty").textContent = store.exit !== null ?
	    "There was no output." : store.run === null ?
	    "Waiting for the command to start." : "No output yet.";
}

function goToMarks() {
	if (marks.first !== null && store.last > 0)
		list.scrollToSeq(Math.min(marks.first, store.last));
}

/* What is there when the page is opened is not news. */
let told = 0;
function tellUnread() {
	tab.add(store.last - told);
	told = store.last;
}

store.addEventListener("reset", () => {
	told = store.last;
	header.start(store.run);
	showTab();
	goToMarks();
});
store.addEventListener("start", () => {
	tellUnread();
	header.start(store.run);
	showTab();
});
store.addEventListener("restart", () => header.restart());
store.addEventListener("exit", () => {
	header.exit(store.exit);
	showTab();
	showEmpty();
});
store.addEventListener("append", tellUnread);
connection.addEventListener("clients", ({ detail }) =>
    header.clients(detail));
connection.addEventListener("state", ({ detail }) => {
	header.state(detail);
	ranges.setState(detail.state);
	showTab();
	showEmpty();
});
ranges.addEventListener("problem", () => {
	find("problem").hidden = ranges.problem === "";
	find("problem").textContent = ranges.problem === "" ? "" :
	    `Some lines cannot be loaded: ${ranges.problem}.`;
});

list.addEventListener("view", showEmpty);
list.isMarked = (seq) => marks.has(seq);
marks.addEventListener("change", () => list.refresh());
marks.addEventListener("go", goToMarks);

/* The raw output asks for the same stream and the same right to see it. */
for (const link of document.querySelectorAll("a.raw"))
	link.href = serverAddress("raw", { follow: 0 });

find("theme").addEventListener("click", () => settings.cycle("theme"));
function showTheme() {
	const theme = settings.get("theme");

	find("theme").title = `colours: ${theme}`;
	find("theme").setAttribute("aria-label", `colours: ${theme}`);
}
settings.addEventListener("change", showTheme);
showTheme();

addEventListener("online", () => connection.hurry());
document.addEventListener("visibilitychange", () => {
	if (!document.hidden)
		connection.hurry();
});
connection.open();
find("log").classList.add("unmoved");
find("log").focus({ preventScroll: true });
find("log").addEventListener("blur", () =>
    find("log").classList.remove("unmoved"), { once: true });
