# SPDX-License-Identifier: ISC
"""The line to type into, where the server takes input for the command."""

import pytest
from selenium.webdriver.common.keys import Keys

INPUT = "document.querySelector('#prompt input')"
REASON = "document.querySelector('#prompt .reason').textContent"

# As if the server had said so, and took what is sent.
MAKE_WRITABLE = """
window.sent = [];
viewer.connection.send = (text) => { sent.push(text); return true; };
viewer.store.begin({ ...viewer.store.run, writable: true }, false);
"""


@pytest.fixture
def run(page, start_run):
    run = start_run("--linger", "forever")
    page.open(run.url)
    page.wait_state("live")
    page.wait("viewer.store.run !== null")
    return run


@pytest.fixture
def prompt(page, run):
    page.run(MAKE_WRITABLE)
    page.press("i")
    page.wait(f"document.activeElement === {INPUT}")
    return run


def test_without_input_there_is_no_line(page, run):
    assert not page.is_shown("#prompt")
    page.press("i")
    assert page.run("return document.activeElement.id") == "log"


def test_lines_are_sent_and_remembered(page, prompt):
    for text in ("first", "", "second", "second"):
        page.press(text + Keys.ENTER)
    assert page.run("return sent") == ["first", "", "second", "second"]
    page.press("draft")
    value = f"return {INPUT}.value"
    for key, expected in [
        (Keys.ARROW_UP, "second"), (Keys.ARROW_UP, "first"),
        (Keys.ARROW_UP, "first"), (Keys.ARROW_DOWN, "second"),
        (Keys.ARROW_DOWN, "draft"), (Keys.ARROW_DOWN, "draft"),
    ]:
        page.press(key)
        assert page.run(value) == expected
    # Keys of the page are letters here.
    page.press("/?G")
    assert page.run(value) == "draft/?G"
    page.press(Keys.ESCAPE)
    assert page.run("return document.activeElement.id") == "log"


def test_the_command_reads_what_is_typed(page, start_run):
    run = start_run("--writable")
    page.open(run.url)
    page.wait_state("live")
    page.wait("!document.querySelector('#prompt').hidden")
    run.order("printf 'name? '; IFS= read -r name <&9; echo \"got $name\"")
    page.wait("document.querySelector('.partial .text')?.textContent"
              " === 'name? '")
    page.press("i")
    page.press("gr\u00fcn  \u2028 $HOME" + Keys.ENTER)
    page.wait_text("name? got gr\u00fcn  \u2039LS\u203a $HOME")
    run.order("IFS= read -r name <&9; echo \"got '$name'\"")
    page.press(Keys.ENTER)
    page.wait_text("got ''")
    assert page.complaints() == []


def test_too_much_is_not_sent(page, prompt):
    page.run(f"{INPUT}.value = '\u00e4'.repeat(2001)")
    page.press("x" + Keys.ENTER)
    assert page.run(f"return {REASON}") == "Too long by 3 bytes."
    assert page.run("return sent") == []
    page.press(Keys.BACKSPACE * 3 + Keys.ENTER)
    assert page.run("return sent.length") == 1


def test_the_end_is_told(page, prompt):
    prompt.order("exit 0")
    page.wait(f"{REASON} === 'The command has ended.'")
    assert page.run(f"return {INPUT}.disabled")


def test_a_lost_connection_is_told(page, start_run, start_proxy):
    run = start_run()
    proxy = start_proxy(run.port)
    page.open(proxy.url)
    page.wait_state("live")
    page.wait("viewer.store.run !== null")
    page.run(MAKE_WRITABLE)
    proxy.target = 0
    proxy.cut()
    page.wait(f"{REASON} === 'There is no connection.'")
