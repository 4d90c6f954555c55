# SPDX-License-Identifier: ISC
"""Server-Sent Events in a real browser, by the browser's own EventSource."""

import pytest

# Keeps what comes where the test can look at it.
LISTEN = """
const source = new EventSource(arguments[0]);
window.source = source;
window.lines = [];
window.ids = [];
window.others = [];
source.onmessage = (event) => {
    window.lines.push(event.data);
    window.ids.push(event.lastEventId);
};
for (const type of ["start", "gap", "partial", "exit"]) {
    source.addEventListener(type, (event) =>
        window.others.push([type, JSON.parse(event.data)]));
}
"""


@pytest.fixture
def listen(page):
    """listen(origin, address) opens an EventSource in a page of there."""

    def attach(origin, address="events"):
        page.open(origin + "healthz")
        page.run(LISTEN, address)

    return attach


def others(page, kind):
    return [
        record for each, record in page.run("return others") if each == kind
    ]


def wait_lines(page, count):
    page.wait("lines.length >= arguments[0]", count)
    return page.run("return lines")


def test_lines_are_messages_with_ids(page, start_run, listen):
    run = start_run()
    listen(run.url)
    page.wait("others.length > 0")
    run.say("  one")
    run.say("")
    run.order(r"printf '50%%\r60%%\r\n'")
    run.say("grün \u2028", stream="stderr")
    assert wait_lines(page, 4) == ["  one", "", "50%\n60%\n", "grün \u2028"]
    (first,) = others(page, "start")
    assert page.run("return ids") == [
        f"{first['run']}/{n}" for n in range(1, 5)
    ]
    run.order("printf 'name: '")
    page.wait("others.some(([type]) => type === 'partial')")
    assert others(page, "partial")[-1]["text"] == "name: "


def test_records_are_json(page, start_run, listen):
    run = start_run()
    run.say("wrong\r", stream="stderr")
    listen(run.url, "events?format=json")
    wait_lines(page, 1)
    record = page.run("return JSON.parse(lines[0])")
    assert (record["seq"], record["stream"], record["text"]) == (
        1, "stderr", "wrong\r"
    )


def test_nothing_is_lost_when_connections_break(
    page, start_run, start_proxy, listen
):
    run = start_run("--linger", "forever")
    proxy = start_proxy(run.port)
    run.count(1, 3000)
    proxy.cut_after(20_000, 30_000, 40_000)
    listen(proxy.url, "events?after=0")
    wait_lines(page, 3000)
    run.count(3001, 3010)
    run.order("exit 5")
    page.wait("source.readyState === EventSource.CLOSED")
    assert page.run("return lines") == [f"line {n}" for n in range(1, 3011)]
    # Some of the connections may have been for other things.
    assert proxy.cuts >= 1
    resumed = [record["resumed"] for record in others(page, "start")]
    assert resumed == [True] * (proxy.cuts + 1)


def test_the_end_of_a_run_ends_it(page, start_run, start_proxy, listen):
    run = start_run("--linger", "forever")
    proxy = start_proxy(run.port)
    listen(proxy.url)
    page.wait("others.length > 0")
    run.order("exit 3")
    # It comes again, is told that there is nothing more, and stays away.
    page.wait("source.readyState === EventSource.CLOSED")
    assert [record["code"] for record in others(page, "exit")] == [3]
    assert proxy.requests.count("/events") == 2
    assert proxy.answers.count(b"HTTP/1.1 204 No Content\r\n") == 1
