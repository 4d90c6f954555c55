# SPDX-License-Identifier: ISC
"""Searching the whole log, also what is not on the page; and filters."""

import pytest
from selenium.webdriver.common.keys import Keys

FOUND = (
    "[...document.querySelectorAll('.row.found')].map(row =>"
    " Number(row.dataset.seq))"
)
SHOWN = (
    "[...document.querySelectorAll('.row[data-stream]')].map(row =>"
    " Number(row.dataset.seq))"
)
STATUS = "document.querySelector('.search-status').textContent"
HITS = (
    "[...document.querySelectorAll('.row.current .hit')].map(hit =>"
    " hit.textContent)"
)


def search(page, text, *toggles):
    """Opens the search bar by its key and types."""
    page.press("/")
    page.wait("document.activeElement.type === 'search'")
    for toggle in toggles:
        page.click(f"#search [title='{toggle}']")
    page.run("document.querySelector('#search input').focus()")
    page.run("document.querySelector('#search input').select()")
    page.press(text)


def wait_status(page, text):
    page.wait(f"{STATUS} === arguments[0]", text)


def test_the_whole_log_is_searched(page, start_run):
    run = start_run("--history", "1G")
    run.count(1, 150_000)
    run.say("a needle here")
    run.count(1, 150_000, "other")
    page.open(run.url)
    page.wait("viewer.store.last >= 300001 && viewer.list.following")
    assert page.run("return viewer.store.get(150001) === undefined")
    search(page, "NEEDLE")
    wait_status(page, "1 of 1 line")
    page.wait(f"{FOUND}.includes(150001)")
    assert page.run(f"return {HITS}") == ["needle"]
    assert 150001 in page.on_screen()
    assert page.complaints() == []


def test_one_gets_to_the_next_and_back(page, start_run):
    run = start_run()
    run.count(1, 3000)
    page.open(run.url)
    page.wait("viewer.store.last === 3000")
    search(page, "line 1000")
    wait_status(page, "1 of 1 line")
    page.press(Keys.BACKSPACE * 3)
    # From here: 1000, 1001 and so on up to 1999 have "line 1".
    page.wait(f"{STATUS}.endsWith(' of 1,111 lines')")
    page.press(Keys.ENTER)
    page.press(Keys.ESCAPE)
    page.wait("document.querySelector('#search').hidden")
    search(page, "line 29")
    page.wait(f"{STATUS}.endsWith(' of 111 lines')")
    first = page.run("return +document.querySelector('.current').dataset.seq")
    page.press(Keys.ENTER)
    page.wait("+document.querySelector('.current').dataset.seq > arguments[0]",
              first)
    page.press(Keys.ENTER, held=Keys.SHIFT)
    page.wait("+document.querySelector('.current').dataset.seq =="
              " arguments[0]", first)
    # Keys that the bar does not take work when the log has the focus.
    page.run("document.querySelector('#log').focus()")
    page.press("nn")
    page.wait("+document.querySelector('.current').dataset.seq =="
              " arguments[0] + 2", first)
    page.press("N")
    page.wait("+document.querySelector('.current').dataset.seq =="
              " arguments[0] + 1", first)


def test_it_goes_around_the_end(page, start_run):
    run = start_run()
    run.count(1, 50)
    page.open(run.url)
    page.wait_text("line 50")
    page.press("g")
    search(page, "line 2")
    wait_status(page, "1 of 11 lines")
    page.press(Keys.ENTER, held=Keys.SHIFT)
    wait_status(page, "11 of 11 lines")
    page.press(Keys.ENTER)
    wait_status(page, "1 of 11 lines")


def test_expressions_and_case(page, start_run):
    run = start_run()
    run.say("Some 123 text")
    run.say("some \x1b[31m4\x1b[1m5\x1b[m6 coloured")
    run.say("some")
    page.open(run.url)
    page.wait_text("some")
    search(page, r"some \d+", "regular expression")
    page.wait(f"{STATUS}.endsWith('of 2 lines')")
    assert page.run(f"return {FOUND}") == [1, 2]
    parts = page.run(
        "return [...document.querySelectorAll('[data-seq=\"2\"] .hit')]"
        ".map(hit => hit.textContent)"
    )
    assert parts == ["some ", "4", "5", "6"]
    page.click("#search [title='match case']")
    page.wait(f"{STATUS}.endsWith('of 1 line')")
    page.click("#search input")
    page.press("(")
    page.wait("document.querySelector('.search-status').classList"
              ".contains('problem')")
    assert "expression" in page.text(".search-status")
    assert page.run(f"return {FOUND}") == []


def test_an_expression_that_never_ends_is_given_up(page, start_run):
    run = start_run()
    run.say("a" * 40 + "b")
    run.count(2, 100)
    page.open(run.url)
    page.wait_text("line 100")
    search(page, "^(a+)+$", "regular expression")
    # The page goes on meanwhile.
    run.say("still alive")
    page.wait_text("still alive")
    page.wait(f"{STATUS}.includes('given up: this takes too long')")
    page.press(Keys.BACKSPACE * 7 + "line 9$")
    page.wait(f"{STATUS} === '1 of 1 line'")
    assert page.complaints() == []


def test_new_lines_are_found(page, start_run):
    run = start_run()
    run.count(1, 10)
    page.open(run.url)
    page.wait_text("line 10")
    search(page, "special")
    wait_status(page, "nothing found")
    run.say("something special")
    page.wait(f"{FOUND}.length === 1")
    page.wait(f"{STATUS}.endsWith('1 line')")


@pytest.mark.parametrize("context, expected", [
    ("0", [100, 200]),
    ("1", [99, 100, 101, 199, 200, 201]),
])
def test_a_filter_keeps_numbers_and_context(
    page, start_run, context, expected
):
    run = start_run()
    run.count(1, 99)
    run.say("needle")
    run.count(101, 199)
    run.say("needle")
    run.count(201, 300)
    page.open(run.url)
    page.wait_text("line 300")
    page.press("&")
    page.wait("document.activeElement.type === 'search'")
    page.press("needle")
    page.run(
        "const select = document.querySelector('#search select');"
        "select.value = arguments[0];"
        "select.dispatchEvent(new Event('change'))", context
    )
    page.wait(f"String({SHOWN}) === arguments[0]",
              ",".join(map(str, expected)))
    run.say("needle again")
    page.wait(f"{SHOWN}.includes(301)")
    page.press(Keys.ESCAPE)
    page.wait(f"{SHOWN}.includes(150) || {SHOWN}.includes(290)")
    assert page.complaints() == []


def test_a_filter_of_what_is_not_here(page, start_run):
    run = start_run("--history", "1G")
    run.count(1, 300_000)
    page.open(run.url)
    page.wait("viewer.store.last === 300000")
    page.press("&")
    page.wait("document.activeElement.type === 'search'")
    page.press("line 77777")
    page.wait(f"String({SHOWN}) === '77777'")
    page.wait_text("line 77777")


def test_a_stream_can_be_shown_alone(page, start_run):
    run = start_run()
    run.count(1, 5)
    run.say("wrong", stream="stderr")
    page.open(run.url)
    page.wait_text("wrong")
    page.wait_text("line 5")
    page.press("v")
    page.run(
        "const select = document.querySelector('[title=streams]');"
        "select.value = 'stderr';"
        "select.dispatchEvent(new Event('change'))"
    )
    page.wait(f"{SHOWN}.length === 1")
    assert page.rows()[0][1:] == ("stderr", "wrong")


def test_a_search_goes_on_in_a_new_run(page, start_run, start_proxy):
    first, second = start_run(), start_run()
    proxy = start_proxy(first.port)
    first.say("old needle")
    second.count(1, 20)
    second.say("new needle")
    page.open(proxy.url)
    page.wait_text("old needle")
    search(page, "needle")
    wait_status(page, "1 of 1 line")
    proxy.target = second.port
    proxy.cut()
    page.wait_text("new needle")
    page.wait(f"{FOUND}.length === 1 && {FOUND}[0] === 21")
