# SPDX-License-Identifier: ISC
"""What the page costs in Chromium: the time until the live end of a long run
is seen, how busy the page is in a flood, and how much memory it takes.

    /usr/bin/python3 tests/browser/measure.py [open] [flood] [memory]

Figures are for the machine it runs on, and rough where that is busy.  The
flood is written by the emit of the benchmark: make bench-tools."""

import pathlib
import subprocess
import sys
import tempfile
import time

from conftest import ROOT, Page, start_browser, wsexec_path

EMIT = ROOT / "build" / "tests" / "bench" / "emit"


class Server:
    def __init__(self, *command, history="2G"):
        self.process = subprocess.Popen(
            [wsexec_path(), "--port", "0", "--quiet", "--linger", "forever",
             "--history", history, "--", *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True,
        )
        self.url = self.process.stderr.readline().split()[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


WATCH = """
window.busy = { tasks: [], frames: [] };
new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
        busy.tasks.push(entry.duration);
}).observe({ type: "longtask", buffered: true });
let last = performance.now();
function frame(now) {
    busy.frames.push(now - last);
    last = now;
    requestAnimationFrame(frame);
}
requestAnimationFrame(frame);
"""

SEEN = """
const done = arguments[1];
const look = () => {
    const rows = document.querySelectorAll('.row[data-stream]');
    if (Number(rows[rows.length - 1]?.dataset.seq) >= arguments[0])
        done(performance.now());
    else
        requestAnimationFrame(look);
};
look();
"""


def metrics(page):
    page.browser.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
    answer = page.browser.execute_cdp_cmd("Performance.getMetrics", {})
    return {each["name"]: each["value"] for each in answer["metrics"]}


def wait_last(page, last, seconds=600):
    end = time.monotonic() + seconds
    while page.run("return viewer.store.last") < last:
        if time.monotonic() > end:
            raise TimeoutError(f"{last} never came")


def measure_open(page, lines=10_000_000):
    with Server("seq", "-f", "%.0f: short", "1", str(lines)) as server:
        page.open(server.url)
        wait_last(page, lines)
        for _ in range(3):
            page.browser.get("about:blank")
            page.browser.get(server.url)
            page.browser.set_script_timeout(60)
            ms = page.browser.execute_async_script(SEEN, lines)
            print(f"open: {lines} lines, the live end seen after {ms:.0f} ms")
        page.open_anew(server.url)
        page.wait_text(f"{lines}: short")
        for target in (lines // 2, 1, lines // 3):
            ms = page.browser.execute_async_script(
                "const [seq, done] = arguments;"
                "const begun = performance.now();"
                "viewer.list.scrollToSeq(seq).then(() =>"
                " requestAnimationFrame(() =>"
                " done(performance.now() - begun)))",
                target,
            )
            print(f"go to line {target}: {ms:.0f} ms")


def percentile(values, part):
    values = sorted(values)
    return values[min(int(part * len(values)), len(values) - 1)]


def report_busy(page, what, seconds):
    busy = page.run("return busy")
    frames = busy["frames"][5:]
    print(
        f"{what}: {len(frames) / seconds:.0f} frames/s, frame times"
        f" median {percentile(frames, 0.5):.1f} ms,"
        f" 99 % {percentile(frames, 0.99):.1f} ms,"
        f" longest {max(frames):.0f} ms;"
        f" long tasks {len(busy['tasks'])},"
        f" {sum(busy['tasks']):.0f} ms in all,"
        f" longest {max(busy['tasks'], default=0):.0f} ms"
    )


class Gate:
    """Where a command waits until it is told to begin."""

    def __init__(self):
        self.path = str(pathlib.Path(tempfile.mkdtemp()) / "gate")

    def before(self, *command):
        script = 'until [ -e "$0" ]; do sleep 0.1; done; exec "$@"'
        return ["sh", "-c", script, self.path, *command]

    def open(self):
        pathlib.Path(self.path).touch()


def measure_flood(page, rate=50_000, seconds=10):
    gate = Gate()
    lines = rate * seconds
    command = gate.before(
        str(EMIT), "--rate", str(rate), "--lines", str(lines),
        "--bytes", "80", "--hold", "30",
    )
    with Server(*command) as server:
        page.open(server.url)
        page.wait_state("live")
        before = metrics(page)
        page.run(WATCH)
        gate.open()
        begun = time.monotonic()
        wait_last(page, lines)
        taken = time.monotonic() - begun
        after = metrics(page)
    report_busy(page, f"flood of {rate} lines/s for {taken:.1f} s", taken)
    for name in ("ScriptDuration", "TaskDuration"):
        busy = 100 * (after[name] - before[name]) / taken
        print(f"flood: {name} {busy:.0f} % of the main thread")


def measure_memory(page, lines=5_000_000):
    gate = Gate()
    command = gate.before(
        "seq", "-f", "%.0f: a line of about eighty characters, which is"
        " what many programs print", "1", str(lines)
    )
    with Server(*command) as server:
        page.open(server.url)
        page.wait_state("live")
        empty = metrics(page)["JSHeapUsedSize"]
        gate.open()
        begun = time.monotonic()
        wait_last(page, lines)
        taken = time.monotonic() - begun
        full = metrics(page)
    print(
        f"memory: {full['JSHeapUsedSize'] / 1e6:.1f} MB of JavaScript after"
        f" {lines} lines in {taken:.0f} s, {empty / 1e6:.1f} MB before;"
        f" {full['Nodes']:.0f} nodes"
    )


def main(names):
    parts = {"open": measure_open, "flood": measure_flood,
             "memory": measure_memory}
    with tempfile.TemporaryDirectory() as profile:
        browser = start_browser(profile)
        browser.execute_cdp_cmd("Performance.enable", {})
        try:
            for name in names or parts:
                parts[name](Page(browser))
                browser.get("about:blank")
        finally:
            browser.quit()


if __name__ == "__main__":
    main(sys.argv[1:])
