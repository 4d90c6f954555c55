# SPDX-License-Identifier: ISC
"""What the page says of the run and of its connection, and how it gets over
what happens to them."""

import functools
import http.server
import subprocess
import threading
import urllib.request

import pytest

from conftest import wsexec_path


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files, and says nothing of it."""

    def log_message(self, *_):
        pass


def wait_for_output(run, text):
    """Until wsexec has this line."""
    with urllib.request.urlopen(f"{run.url}raw", timeout=30) as output:
        assert any(line == f"{text}\n".encode() for line in output)


def lines(name, last):
    return [(n, "stdout", f"{name} {n}") for n in range(1, last + 1)]


@pytest.mark.parametrize(
    "order, text, kind, mark",
    [
        ("exit 0", "Passed after ", "passed", "\u2713"),
        ("exit 3", "Failed with exit status 3 after ", "failed", "\u2717"),
        ("kill -KILL $$", "Ended by signal 9 after ", "failed", "\u2717"),
    ],
)
def test_exit_is_shown(page, start_run, order, text, kind, mark):
    run = start_run("--title", "the job")
    page.open(run.url)
    page.wait_state("live")
    assert page.browser.title == "\u25b6 the job"
    assert not page.is_shown("#exit")
    icon = "return document.getElementById('icon').href"
    running = page.run(icon)
    assert running.startswith("data:image/svg+xml,")
    run.say("last words")
    run.order(order)
    page.wait_state("ended")
    assert page.is_shown("#exit")
    assert page.text("#exit").startswith(text)
    assert page.run("return document.querySelector('#exit').className") == kind
    assert page.browser.title == f"{mark} the job"
    assert page.run(icon) != running
    assert page.rows() == [(1, "stdout", "last words")]
    assert page.complaints() == []


def test_watchers_are_counted(page, start_run):
    run = start_run()
    page.open(run.url)
    page.wait("document.querySelector('#clients').textContent"
              " === '1 watching'")
    first = page.browser.current_window_handle
    page.browser.switch_to.new_window("tab")
    page.open(run.url)
    page.wait("document.querySelector('#clients').textContent"
              " === '2 watching'")
    page.browser.close()
    page.browser.switch_to.window(first)
    page.wait("document.querySelector('#clients').textContent"
              " === '1 watching'")


def test_unread_lines_are_counted_in_the_title(page, start_run):
    run = start_run("--title", "job")
    page.open(run.url)
    page.wait_state("live")
    first = page.browser.current_window_handle
    page.run(
        "Object.defineProperty(document, 'hidden',"
        " { value: true, configurable: true })"
    )
    run.count(1, 12)
    page.wait("document.title === '\u25b6 (12) job'")
    page.run(
        "delete document.hidden;"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    assert page.browser.title == "\u25b6 job"
    assert page.browser.current_window_handle == first


def test_reconnect_resumes_exactly(page, start_run, start_proxy):
    run = start_run()
    proxy = start_proxy(run.port)
    page.open(proxy.url)
    page.wait_state("live")
    proxy.cut_after(20_000, 5_000, 10_001, 40_000)
    proxy.cut()
    run.count(1, 10000, "the quick brown fox")
    page.wait_text("the quick brown fox 10000")
    # Some of the limits were for connections that took less.
    assert proxy.cuts >= 2
    assert page.wait_log(10000) == lines("the quick brown fox", 10000)
    run.order("exit 0")
    page.wait_state("ended")


def test_lines_of_a_break_are_not_lost(page, start_run, start_proxy):
    run = start_run()
    proxy = start_proxy(run.port)
    page.open(f"{proxy.url}?tail=3")
    page.wait_state("live")
    run.count(1, 10)
    page.wait_text("line 10")
    proxy.target = 0
    proxy.cut()
    page.wait_state("reconnecting")
    assert page.is_shown("#lost")
    assert page.browser.title.startswith("! ")
    page.wait("document.querySelector('#wait').textContent"
              ".startsWith('Next attempt in ')")
    run.count(11, 20)
    proxy.target = run.port
    page.run("document.getElementById('retry').click()")
    page.wait_state("live")
    assert not page.is_shown("#lost")
    page.wait_text("line 20")
    assert page.rows() == lines("line", 20)
    resumed = [path for path in proxy.requests
               if "after=" in path and "limit=" not in path]
    assert resumed
    assert all("after=10&run=" in path for path in resumed)
    assert not any("tail=" in path for path in resumed)


def test_after_a_long_break_it_goes_on_at_the_live_end(
    page, start_run, start_proxy
):
    run = start_run()
    proxy = start_proxy(run.port)
    page.open(proxy.url)
    run.count(1, 100)
    run.order("printf 'not finished'")
    page.wait("document.querySelector('.partial')")
    proxy.target = 0
    proxy.cut()
    page.wait_state("reconnecting")
    page.run(
        "Object.defineProperty(document, 'hidden',"
        " { value: true, configurable: true });"
        "window.appended = 0;"
        "viewer.store.addEventListener('append', ({ detail }) =>"
        " appended += detail.last - detail.first + 1)"
    )
    run.order("echo")
    run.count(102, 300_000)
    wait_for_output(run, "line 300000")
    proxy.target = run.port
    page.run("document.getElementById('retry').click()")
    page.wait_text("line 300000")
    assert page.run("return appended") == 500
    assert not page.run("return document.querySelector('.partial')")
    page.wait("document.title.includes('(299,900) ')")
    page.run("delete document.hidden")
    # The server knows of one viewer, as there is no other connection left.
    page.wait("document.querySelector('#clients').textContent"
              " === '1 watching'")
    # What was missed is there when somebody looks at it.
    for seq in (101, 102, 150_000, 299_400):
        page.run("viewer.list.scrollToSeq(arguments[0])", seq)
        text = "not finished" if seq == 101 else f"line {seq}"
        page.wait_text(text)
    run.say("and goes on")
    page.run("viewer.list.scrollToEnd()")
    page.wait_text("and goes on")
    assert page.run("return viewer.store.last") == 300_001


def test_a_server_that_is_gone_is_told(page, start_run, start_proxy):
    run = start_run()
    proxy = start_proxy(run.port)
    page.open(proxy.url)
    page.wait_state("live")
    run.say("still here")
    page.wait_text("still here")
    proxy.target = 0
    proxy.cut()
    page.wait_state("reconnecting")
    page.run("viewer.connection.hurry()")
    page.wait("viewer.connection.hurry() ??"
              " document.querySelector('#lost-reason').textContent ==="
              " 'The server does not answer; it may have ended.'")
    page.wait_text("still here")


def test_a_new_run_begins_anew(page, start_run, start_proxy):
    first, second = start_run(), start_run("--title", "second")
    proxy = start_proxy(first.port)
    page.open(proxy.url)
    first.count(1, 3, "old")
    page.wait_text("old 3")
    second.count(1, 700, "new")
    proxy.target = second.port
    proxy.cut()
    page.wait_text("new 700")
    assert page.wait_log(700) == lines("new", 700)
    assert page.text("#title") == "second"
    assert not any("old" in row[2] for row in page.rows())
    second.say("and goes on")
    page.wait_text("and goes on")


def test_what_is_empty_says_so(page, start_run):
    run = start_run()
    page.open(run.url)
    page.wait("document.querySelector('#empty').textContent ==="
              " 'No output yet.'")
    assert page.is_shown("#empty")
    run.say("here it is")
    page.wait_text("here it is")
    page.wait("!document.querySelector('#empty').checkVisibility()")
    silent = start_run()
    page.open(silent.url)
    silent.order("exit 0")
    page.wait("document.querySelector('#empty').textContent ==="
              " 'There was no output.'")


def test_the_printed_address_logs_in(page, start_run, start_proxy):
    run = start_run("--token")
    clean, _, token = run.url.partition("?token=")
    page.browser.get(clean + "?token=wrong")
    assert "a token is needed" in page.text("body")
    proxy = start_proxy(run.port)
    page.open(f"{proxy.url}?token={token}&tail=5000")
    page.wait_state("live")
    assert page.browser.current_url == f"{proxy.url}?tail=5000"
    assert page.run("return document.cookie") == ""
    run.count(1, 2000)
    # Parts of the log are asked for with it as well.
    assert page.wait_log(2000) == lines("line", 2000)
    page.browser.refresh()
    page.open(page.browser.current_url)
    page.wait_state("live")
    assert page.wait_log(2000) == lines("line", 2000)
    proxy.cut()
    run.count(2001, 2010)
    page.wait_text("line 2010")
    page.wait_state("live")
    assert not any(token in target for target in proxy.requests[1:])


def test_a_token_of_another_run_is_told(page, start_run, start_proxy):
    first, second = start_run("--token"), start_run("--token")
    proxy = start_proxy(first.port)
    page.open(proxy.url + first.url[first.url.index("?"):])
    page.wait_state("live")
    proxy.target = second.port
    proxy.cut()
    page.wait_state("refused")
    assert page.is_shown("#lost")
    assert "token" in page.text("#lost-reason")
    assert "attempt" not in page.text("#wait")


HIJACK = """
const done = arguments[1], url = arguments[0], seen = {};
const steps = {
    socket: () => new Promise((resolve) => {
        const ws = new WebSocket(url.replace("http", "ws"));
        ws.onmessage = () => resolve("message");
        ws.onopen = () => resolve("open");
        ws.onerror = () => resolve("error");
    }),
    events: () => new Promise((resolve) => {
        const source = new EventSource(url + "events");
        source.onmessage = () => resolve("message");
        source.onerror = () => { source.close(); resolve("error"); };
    }),
    fetch: () => fetch(url + "raw?follow=0", { credentials: "include" })
        .then((answer) => answer.text(), () => "error"),
    blind: () => fetch(url + "raw?follow=0", { mode: "no-cors" })
        .then((answer) => answer.type, () => "error"),
    image: () => new Promise((resolve) => {
        const image = new Image();
        image.onload = () => resolve("load");
        image.onerror = () => resolve("error");
        image.src = url;
    }),
    script: () => new Promise((resolve) => {
        const script = document.createElement("script");
        script.onload = () => resolve("load");
        script.onerror = () => resolve("error");
        script.src = url + "viewer.js";
        document.head.append(script);
    }),
};
(async () => {
    for (const [name, step] of Object.entries(steps))
        seen[name] = await step();
    done(seen);
})();
"""


def test_a_page_of_another_site_gets_nothing(page, start_run, tmp_path):
    """With the cookie in the browser, and without any token asked for."""
    (tmp_path / "evil.html").write_text("<title>evil</title>")
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.2", 0), handler) as evil:
        threading.Thread(target=evil.serve_forever, daemon=True).start()
        for options in ([], ["--token"]):
            run = start_run(*options)
            run.say("secret")
            page.open(run.url)
            page.wait_text("secret")
            page.browser.get(
                f"http://127.0.0.2:{evil.server_port}/evil.html"
            )
            clean = run.url.split("?")[0]
            seen = page.browser.execute_async_script(HIJACK, clean)
            assert seen == dict.fromkeys(seen, "error") and len(seen) == 6
        evil.shutdown()


def test_a_full_server_is_told(page, start_run):
    run = start_run("--max-clients", "1")
    page.open(run.url)
    page.wait_state("live")
    first = page.browser.current_window_handle
    page.browser.switch_to.new_window("tab")
    page.open(run.url)
    page.wait_state("reconnecting")
    assert "Too many clients" in page.text("#lost-reason")
    page.wait("document.querySelector('#wait').textContent !== ''")
    page.browser.close()
    page.browser.switch_to.window(first)


def test_what_is_not_here_at_the_end_is_fetched(page, start_run):
    run = start_run("--linger", "forever")
    run.count(1, 20000)
    run.order("exit 0")
    page.open(run.url)
    page.wait_state("ended")
    assert page.wait_log(20000) == lines("line", 20000)
    assert page.run("return viewer.store.characters") == sum(
        len(f"line {n}") for n in range(1, 20001)
    )


def test_nothing_is_tried_again_when_the_server_has_ended(page, start_run):
    run = start_run()
    run.count(1, 100000)
    page.open(run.url)
    page.wait_state("live")
    run.order("exit 0")
    page.wait_state("ended")
    run.wait()
    page.run("viewer.list.scrollToStart()")
    page.wait("document.querySelector('.row[data-seq=\"1\"]')")
    # Either it came in time, or one is told that it cannot.
    page.wait("!document.querySelector('.pending') ||"
              " document.querySelector('#problem').checkVisibility()")


def test_the_same_line_twice_is_counted_once(page, start_run):
    page.open(start_run().url)
    kept = page.browser.execute_async_script(
        """
        const done = arguments[0];
        import("./store.js").then(({ Store }) => {
            const store = new Store();
            const line = (seq) => ({ type: "line", seq, stream: "stdout",
                text: "abc" });
            store.begin({ run: "a", last: 600 }, true);
            store.load(1, 600, [line(1), line(2), line(600)]);
            store.append(598, [line(599), line(600), line(601)]);
            done([store.characters, store.last, store.get(3),
                store.get(602) === undefined, store.lastHole(1, 601)]);
        });
        """
    )
    assert kept == [15, 601, None, True, None]


RESTARTS = """
[ -e "$0" ] && { echo second; exec sleep 1000; }
: >"$0"; echo first; while ! [ -e "$0.go" ]; do sleep 0.1; done; exit 3
"""


def test_a_real_restart(page, tmp_path):
    mark = tmp_path / "mark"
    server = subprocess.Popen(
        [wsexec_path(), "--port", "0", "--quiet", "--restart", "on-failure",
         "--restart-delay", "1", "--", "sh", "-c", RESTARTS, str(mark)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    )
    try:
        page.open(server.stderr.readline().split()[-1])
        page.wait_text("first")
        (tmp_path / "mark.go").touch()
        page.wait("document.querySelector('#state').textContent ==="
                  " 'restarting'")
        page.wait_text("second")
        assert page.text("#state") == "running"
        assert not page.is_shown("#exit")
        assert page.rows() == [(1, "stdout", "first"), (3, "stdout", "second")]
        boundary = page.text(".restart")
        assert boundary.startswith("The command ended with status 3 after ")
        assert boundary.endswith(" Restart 1:")
        # Who comes later sees the same.
        page.open(page.browser.current_url)
        page.wait_text("second")
        assert page.text(".restart") == boundary
        assert page.text("#state") == "running"
    finally:
        server.kill()
        server.wait()
        server.stderr.close()


RESTART = """
const { store } = viewer;
store.append(store.last, [{
    type: "restart", seq: store.last + 1, time: 1, run: "feed",
    code: 1, signal: null, seconds: 3.2, delay: 1, count: 1 }]);
"""


def test_a_restart_is_a_row(page, start_run):
    run = start_run()
    run.count(1, 3)
    page.open(run.url)
    page.wait_text("line 3")
    page.run(RESTART)
    page.wait(
        "document.querySelector('.restart')?.textContent ==="
        " 'The command ended with status 1 after 3.2 s. Restart 1:'"
    )
    assert page.run("return viewer.store.runs.has('feed')")
