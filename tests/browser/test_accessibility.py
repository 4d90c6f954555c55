# SPDX-License-Identifier: ISC
"""The page for everybody: what axe-core finds, keys, narrow screens."""

import os
import pathlib

import pytest
from selenium.webdriver.common.keys import Keys

from conftest import ROOT

AXE = os.environ.get(
    "AXE", ROOT / "build/browser/node_modules/axe-core/axe.min.js"
)
LINES = [
    "plain",
    "foo.c:1: error: bad",
    "foo.c:2: warning: odd",
    *(f"\x1b[{code}mcolour {code}\x1b[m" for code in range(30, 38)),
    *(f"\x1b[{code}mcolour {code}\x1b[m" for code in range(90, 98)),
    *(f"\x1b[{code}mon {code}\x1b[m" for code in range(40, 48)),
    *(f"\x1b[30;{code}mon {code}\x1b[m" for code in range(101, 108)),
    "\x1b[1;2;3;4;9mall of them\x1b[m \x1b[7minverse\x1b[m",
    "\x1b[2mdim\x1b[m \x1b[2;31mdim red\x1b[m",
    "nul \x00 \u202e turned",
    "https://example.org/ \x1b]8;;https://x.example/\x07here\x1b]8;;\x07",
    "::group::Section",
    "inside",
    "::endgroup::",
    "\u0634\u0643\u0631\u0627 means thanks",
    "end",
]


@pytest.fixture(scope="session")
def axe():
    path = pathlib.Path(AXE)
    assert path.exists(), f"{path} is missing: make check-browser installs it"
    return path.read_text()


@pytest.fixture
def log(page, start_run, tmp_path):
    file = tmp_path / "lines"
    file.write_text("".join(f"{line}\n" for line in LINES))
    run = start_run("--linger", "forever")
    run.order(f"cat {file}")
    run.say("\x1b[31mto stderr\x1b[m", stream="stderr")
    run.order("printf unfinished")
    page.browser.set_window_size(1000, 1100)
    page.open(run.url)
    page.wait_text("end")
    page.wait_text("to stderr")
    yield run
    page.browser.set_window_size(1000, 700)


def running(page, run):
    page.wait("document.querySelector('.partial') !== null")


def failed(page, run):
    run.order("exit 3")
    page.wait_state("ended")


def searching(page, run):
    page.press("/")
    page.wait("document.activeElement.type === 'search'")
    page.press("colour 9")
    page.wait("document.querySelectorAll('.hit').length === 8")


def nothing_found(page, run):
    page.press("/")
    page.wait("document.activeElement.type === 'search'")
    page.click("#search [title='regular expression']")
    page.run("document.querySelector('#search input').focus()")
    page.press("(")
    page.wait("document.querySelector('.search-status.problem') !== null")


def filtered(page, run):
    searching(page, run)
    page.click("#search [title='show only lines found']")
    page.wait("document.querySelectorAll('.row[data-seq]').length === 8")


def helped(page, run):
    page.press("?")
    page.wait("document.querySelector('#help').open")


def viewed(page, run):
    page.press("v")
    page.run("viewer.settings.set('times', 'clock')")
    page.wait("document.querySelector('.time') !== null")


def folded(page, run):
    page.wait("document.querySelector('.fold') !== null")
    page.press("-")
    page.wait("document.querySelector('.folded') !== null")


def marked(page, run):
    page.run("viewer.marks.set(2, 4)")
    page.press("e")
    page.wait("document.querySelector('.row.current') !== null")


STATES = [running, failed, searching, nothing_found, filtered, helped, viewed,
          folded, marked]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_axe_finds_nothing(page, log, axe, state, theme):
    page.run("viewer.settings.set('theme', arguments[0])", theme)
    state(page, log)
    page.run(axe)
    violations = page.browser.execute_async_script(
        "const done = arguments[0];"
        "axe.run().then(({ violations }) => done(violations.flatMap("
        " ({ id, nodes }) => nodes.map(({ html, failureSummary }) =>"
        " [id, html.slice(0, 200), failureSummary]))), done)"
    )
    page.run("viewer.settings.set('times', 'off')")
    assert violations == []


def test_all_can_be_done_without_a_mouse(page, log):
    """Each control gets the focus in turn, and shows it."""
    page.press("v")
    page.run("document.activeElement.blur()")
    names = []
    for _ in range(40):
        page.press(Keys.TAB)
        name, outline = page.run(
            "const { activeElement: e } = document;"
            "return [e.id || e.title || e.className || e.textContent,"
            " getComputedStyle(e).outlineStyle]"
        )
        if name in names and name == names[0]:
            break
        names.append(name)
        if page.run("return document.activeElement !== document.body"):
            assert outline != "none", name
    for name in ("search (/)", "keys (?)", "theme", "times", "log",
                 "wrap long lines (S)"):
        assert name in names


@pytest.mark.parametrize("width", [320, 600])
def test_nothing_is_cut_on_a_phone(page, log, width):
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": 600, "deviceScaleFactor": 1,
        "mobile": True,
    })
    try:
        for key in ("v", "/"):
            page.press(key)
        page.wait("!document.querySelector('#search').hidden")
        cut = page.run(
            "return [...document.querySelectorAll("
            "'header *, #panel *, #footer *')].filter((e) =>"
            " e.checkVisibility() && !e.matches('option, .out-of-sight') &&"
            " e.getBoundingClientRect().right > innerWidth + 0.5)"
            ".map((e) => e.outerHTML.slice(0, 100))"
        )
        assert cut == []
        assert page.run(
            "return document.documentElement.scrollWidth <= innerWidth"
        )
        assert page.run(
            "return document.querySelector('#log').clientHeight"
        ) > 200
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride",
                                     {})


def test_each_line_has_its_own_direction(page, log):
    directions = page.run(
        "return [...document.querySelectorAll('.row[data-seq] .text')]"
        ".map(text => [text.dir, getComputedStyle(text).direction,"
        " text.textContent])"
    )
    assert all(row[0] == "auto" for row in directions)
    by_text = {row[2]: row[1] for row in directions}
    assert by_text["\u0634\u0643\u0631\u0627 means thanks"] == "rtl"
    assert by_text["plain"] == "ltr"


def test_what_moves_can_be_still(page, log):
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-reduced-motion", "value": "reduce"}],
    })
    try:
        assert page.run(
            "return document.getAnimations().filter((animation) =>"
            " animation.playState === 'running').length"
        ) == 0
    finally:
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                     {"features": []})


def test_only_the_log_is_printed(page, log):
    page.press("/")
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                 {"media": "print"})
    try:
        for selector in ("#toolbar", "#search", "#follow", "#footer"):
            assert not page.is_shown(selector), selector
        assert page.is_shown("#title")
        # In black on white, also where the screen is dark.
        page.run("viewer.settings.set('theme', 'dark')")
        assert page.run(
            "const { color, backgroundColor } ="
            " getComputedStyle(document.body);"
            "return [color, backgroundColor]"
        ) == ["rgb(31, 35, 40)", "rgb(255, 255, 255)"]
        assert page.run(
            "const log = document.querySelector('#log');"
            "return log.scrollHeight <= log.clientHeight + 1"
        )
    finally:
        page.run("viewer.settings.set('theme', 'auto')")
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                     {"media": ""})
