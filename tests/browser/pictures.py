# SPDX-License-Identifier: ISC
"""Pictures of the page in its main states, to be looked at.

    /usr/bin/python3 tests/browser/pictures.py [NAME ...]

writes build/pictures/NAME.png; without names all of them."""

import contextlib
import pathlib
import sys
import tempfile

from conftest import (
    ROOT, Page, Proxy, Run, start_browser
)

OUT = ROOT / "build" / "pictures"

DESKTOP = (1200, 760)
PHONE = (320, 640)

# Writes what a build would, up to a failure if there is to be one.
BUILD = r"""
say() { printf '%s\n' "$1"; }
say '$ make -j8 check'
for n in $(seq 1 160); do
    say "  CC    src/module_$n.o"
    [ $((n % 37)) -ne 0 ] || printf '%b\n' \
"\033[1msrc/module_$n.c:$((n * 3)):17: \033[35mwarning:\033[0m"\
"\033[1m unused variable '\033[0mcount\033[1m'\033[0m [-Wunused]" >&2
    sync_streams
done
say '  LD    build/program'
printf '%b\n' '\033[1m==> running 214 tests\033[0m'
for n in $(seq 1 30); do
    printf '%b\n' "\033[32m✓\033[0m test_case_$n  \033[2m($((n * 7 % 50)) ms)\033[0m"
done
"""
FAILURE = r"""
printf '%b\n' '\033[31m✗ test_resume\033[0m  expected 120 lines, got 119' >&2
printf '%b\n' '\033[1;41;97m FAIL \033[0m 1 of 214 tests' >&2
"""


class Studio:
    """One browser, and what is served to it."""

    def __init__(self, browser, stack):
        self.browser = browser
        self.stack = stack

    def run(self, *options):
        directory = pathlib.Path(tempfile.mkdtemp())
        run = Run(directory, options)
        self.stack.callback(run.close)
        return run

    def build(self, *options, failure=False):
        """A run that has printed the output of a build."""
        run = self.run("--linger", "forever", "--title", "make -j8 check",
                       *options)
        script = BUILD + (FAILURE if failure else "")
        path = pathlib.Path(tempfile.mkdtemp()) / "build.sh"
        # The order of the two streams is the order in which they are read.
        path.write_text("sync_streams() { :; }\n" + script)
        run.order(f". {path}")
        return run

    def proxy(self, port):
        proxy = Proxy(port)
        self.stack.callback(proxy.close)
        return proxy

    def open(self, url, size=DESKTOP, theme="light"):
        self.browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": size[0], "height": size[1], "deviceScaleFactor": 1,
             "mobile": False},
        )
        self.browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"features": [{"name": "prefers-color-scheme", "value": theme}]},
        )
        page = Page(self.browser)
        page.open_anew(url)
        return page

    def take(self, name):
        # A frame later everything is drawn.
        self.browser.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() =>"
            " requestAnimationFrame(() => setTimeout(done, 100)))"
        )
        self.browser.save_screenshot(str(OUT / f"{name}.png"))
        print(OUT / f"{name}.png")


def running(studio, name, **options):
    run = studio.build()
    page = studio.open(run.url, **options)
    run.order("printf '[####      ] 40%%'")
    page.wait("document.querySelector('.partial')")
    page.wait("document.querySelector('#clients').textContent !== ''")
    studio.take(name)


def dark(studio, name):
    running(studio, name, theme="dark")


def phone(studio, name):
    running(studio, name, size=PHONE)


def failed(studio, name, **options):
    run = studio.build(failure=True)
    page = studio.open(run.url, **options)
    page.wait_text(" FAIL  1 of 214 tests")
    run.order("exit 2")
    page.wait("!document.querySelector('#exit').hidden")
    studio.take(name)


def failed_dark(studio, name):
    failed(studio, name, theme="dark")


def failed_phone(studio, name):
    failed(studio, name, size=PHONE, theme="dark")


def passed(studio, name):
    run = studio.build()
    page = studio.open(run.url)
    page.wait_text("\u2713 test_case_30  (10 ms)")
    run.order("exit 0")
    page.wait("!document.querySelector('#exit').hidden")
    studio.take(name)


def gap(studio, name):
    run = studio.run("--history", "1M", "--linger", "forever")
    run.count(1, 80000, "a line of output that is soon forgotten, number")
    page = studio.open(run.url)
    page.wait("viewer.list.bottom === 80000")
    page.scroll("log.scrollTop = 0")
    page.wait("document.querySelector('.gap')?.nextElementSibling"
              "?.dataset.stream")
    studio.take(name)


def restart(studio, name):
    run = studio.build(failure=True)
    page = studio.open(run.url)
    page.wait_text(" FAIL  1 of 214 tests")
    page.run(
        "const { store } = viewer; store.append(store.last, [{"
        " type: 'restart', seq: store.last + 1, time: 1, run: 'feed',"
        " code: 2, signal: null, seconds: 61.4, delay: 1, count: 3 }]);"
    )
    page.wait("document.querySelector('.restart')")
    studio.take(name)


def lost(studio, name):
    run = studio.build()
    proxy = studio.proxy(run.port)
    page = studio.open(proxy.url)
    page.wait_text("\u2713 test_case_30  (10 ms)")
    proxy.target = 0
    proxy.cut()
    page.wait_state("reconnecting")
    page.run("viewer.connection.hurry()")
    page.wait("document.querySelector('#wait').textContent !== '' &&"
              " (viewer.connection.hurry(), document.querySelector("
              "'#lost-reason').textContent.includes('ended'))")
    studio.take(name)


def refused(studio, name):
    run, other = studio.run("--token"), studio.run("--token")
    proxy = studio.proxy(run.port)
    page = studio.open(proxy.url + run.url[run.url.index("?"):])
    page.wait_state("live")
    proxy.target = other.port
    proxy.cut()
    page.wait_state("refused")
    studio.take(name)


def marked(studio, name, **options):
    run = studio.build()
    page = studio.open(run.url + "#L120-L123", **options)
    page.wait("document.querySelectorAll('.marked').length === 4")
    run.count(1, 1234, "more")
    page.wait("!document.querySelector('#follow').hidden")
    page.wait("document.querySelector('#follow').textContent !== 'Follow'")
    studio.take(name)


def marked_dark(studio, name):
    marked(studio, name, theme="dark")


def at_the_end(studio, **options):
    run = studio.build(failure=True)
    page = studio.open(run.url, **options)
    page.wait_text(" FAIL  1 of 214 tests")
    return page


def search(studio, name, **options):
    page = at_the_end(studio, **options)
    page.press("/")
    page.wait("document.activeElement.type === 'search'")
    page.press("module_1")
    page.wait("document.querySelectorAll('.hit').length > 5")
    page.wait("!document.querySelector('.search-status').textContent"
              ".includes('%')")
    studio.take(name)
    return page


def search_phone(studio, name):
    search(studio, name, size=PHONE)


def filtered(studio, name, **options):
    page = search(studio, name, **options)
    page.click("[title='show only lines found']")
    page.wait("document.querySelectorAll('.row.found').length ==="
              " document.querySelectorAll('.row[data-seq]').length")
    studio.take(name)


def filtered_dark(studio, name):
    filtered(studio, name, theme="dark")


def keys(studio, name):
    at_the_end(studio).press("?")
    studio.take(name)


def keys_phone(studio, name):
    at_the_end(studio, size=PHONE, theme="dark").press("?")
    studio.take(name)


SECTIONS = r"""
say '::group::Configure'
for n in $(seq 1 40); do say "checking for feature $n... yes"; done
say '::endgroup::'
say '::group::Build'
for n in $(seq 1 9); do say "  CC    src/module_$n.o"; done
say '  see https://example.org/build/17 for more'
say 'src/main.c:3:1: error: expected identifier'
say '::endgroup::'
"""


def folded(studio, name):
    run = studio.run("--title", "make")
    path = pathlib.Path(tempfile.mkdtemp()) / "sections.sh"
    path.write_text("say() { printf '%s\\n' \"$1\"; }\n" + SECTIONS)
    run.order(f". {path}")
    page = studio.open(run.url)
    page.wait("viewer.store.last === 55")
    page.press("tttv")
    page.run("viewer.list.scrollToStart()")
    page.wait("document.querySelector('[data-seq=\"1\"] .fold')")
    page.click("[data-seq='1'] .fold")
    page.wait("document.querySelector('.folded')")
    studio.take(name)
    page.press("t")


def prompt(studio, name):
    run = studio.run("--writable")
    page = studio.open(run.url)
    run.order("printf 'Overwrite build/program? [y/n] '")
    page.wait("document.querySelector('.partial')")
    page.wait("!document.querySelector('#prompt').hidden")
    page.press("i")
    page.press("y")
    studio.take(name)


def printed(studio, name):
    at_the_end(studio)
    studio.browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                   {"media": "print"})
    studio.take(name)
    studio.browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                   {"media": ""})


STATES = {
    function.__name__: function
    for function in (
        running, dark, phone, failed, failed_dark, failed_phone, passed,
        gap, restart, lost, refused, marked, marked_dark,
        search, search_phone, filtered, filtered_dark, keys, keys_phone,
        folded, prompt, printed,
    )
}


def main(names):
    OUT.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        profile = stack.enter_context(tempfile.TemporaryDirectory())
        browser = start_browser(profile)
        stack.callback(browser.quit)
        for name in names or STATES:
            with contextlib.ExitStack() as serving:
                STATES[name](Studio(browser, serving), name)
                browser.get("about:blank")


if __name__ == "__main__":
    main(sys.argv[1:])
