# SPDX-License-Identifier: ISC
"""What a reader does with lines: times, wrapping, folding, copying."""

import pytest
from selenium.webdriver.common.keys import Keys

MARKUP = (
    "<script>window.taken = 1</script>"
    "<img src=x onerror='window.taken = 2'>&amp;<b>"
)
SHOWN = (
    "[...document.querySelectorAll('.row[data-stream]:not(.partial)')]"
    ".map(row => Number(row.dataset.seq))"
)
# Keeps what is copied where the test can look at it.
CATCH_COPIES = (
    "navigator.clipboard.writeText = async (text) => { window.copied = text }"
)


def text_of(page, seq):
    return page.run(
        "return document.querySelector("
        "`[data-seq=\"${arguments[0]}\"] .text`).textContent", seq
    )


def wait_shown(page, expected):
    page.wait(f"String({SHOWN}) === arguments[0]",
              ",".join(map(str, expected)))


def test_a_progress_bar_is_a_line_that_moves(page, start_run):
    run = start_run()
    page.open(run.url)
    page.wait_state("live")
    run.order(r"printf '\033[32m10%%\r20%%'")
    page.wait("document.querySelector('.partial .text')?.textContent"
              " === '20%'")
    run.order(r"printf '\r\033[K30%% done'")
    page.wait("document.querySelector('.partial .text').textContent"
              " === '30% done'")
    assert page.run(
        "return document.querySelector('.partial .text span').className"
    ) == "sgr fg-2"
    run.order(r"printf '\b\b\b\b\b\r\n'")
    page.wait_text("30% done")
    assert page.run("return document.querySelector('.partial')") is None


def test_a_colour_goes_on_in_the_next_line(page, start_run):
    run = start_run()
    run.say("\x1b[31mred")
    run.say("not mine", stream="stderr")
    run.say("red as well\x1b[0m")
    run.say("plain")
    page.open(run.url)
    for text in ("red", "not mine", "red as well", "plain"):
        page.wait_text(text)
    classes = page.run(
        "return [...document.querySelectorAll('.row .text')].map(text =>"
        " [text.textContent, text.querySelector('span')?.className ?? ''])"
    )
    assert sorted(map(tuple, classes)) == [
        ("not mine", ""), ("plain", ""), ("red", "sgr fg-1"),
        ("red as well", "sgr fg-1"),
    ]


def test_tricks_are_text(page, start_run, tmp_path):
    lines = [
        MARKUP,
        "\x1b]8;;javascript:window.taken=3\x07click\x1b]8;;\x07",
        "\x1b]8;;data:text/html,<script>1</script>\x07click\x1b]8;;\x07",
        "\u202edrow \u2066x\u2069",
        "\x1b]0;<title>\x07\x1bP<script>\x1b\\after",
        "javascript:alert(1) data:text/html,x",
        "{{constructor.constructor('window.taken=4')()}}",
        "\"'><svg onload=window.taken=5>",
        "\x00\x01\x1b",
        "__proto__",
        "end",
    ]
    file = tmp_path / "lines"
    file.write_bytes("".join(f"{line}\n" for line in lines).encode())
    run = start_run()
    run.order(f"cat {file}")
    page.open(run.url)
    page.wait_text("end")
    assert [row[2] for row in page.rows()] == [
        MARKUP, "click", "click",
        "\u2039RLO\u203adrow \u2039LRI\u203ax\u2039PDI\u203a", "after",
        *lines[5:8], "\u2400\u2401", "__proto__", "end",
    ]
    assert page.run("return document.querySelectorAll('.text a').length") == 0
    # A search marks the text without making anything else of it.
    page.press("/")
    page.wait("document.activeElement.type === 'search'")
    page.press("<script>")
    page.wait("document.querySelectorAll('.row .hit').length === 1")
    assert page.run("return window.taken ?? null") is None
    assert page.run("return document.images.length") == 0
    assert page.complaints() == []


def test_links_tell_where_they_lead(page, start_run):
    run = start_run()
    run.say("see https://example.org/a, or"
            " \x1b]8;;https://other.example/b\x1b\\here\x1b]8;;\x1b\\.")
    page.open(run.url)
    page.wait("document.querySelectorAll('.text a').length === 2")
    links = page.run(
        "return [...document.querySelectorAll('.text a')].map(a =>"
        " [a.textContent, a.href, a.rel, a.target,"
        " getComputedStyle(a, '::after').content])"
    )
    assert [link[:4] for link in links] == [
        ["https://example.org/a", "https://example.org/a",
         "noopener noreferrer", "_blank"],
        ["here", "https://other.example/b", "noopener noreferrer", "_blank"],
    ]
    # It is said behind what says something else.
    assert links[0][4] == "none"
    assert "data-target" in links[1][4] or "other.example" in links[1][4]
    assert text_of(page, 1) == "see https://example.org/a, or here."


def test_a_long_line_is_clipped(page, start_run):
    run = start_run("--max-line", "1M")
    run.order("printf '%0150000d\\n' 7")
    run.say("next")
    page.open(run.url)
    page.wait_text("next")
    more = "document.querySelector('[data-seq=\"1\"] .more')"
    page.wait(f"{more} !== null")
    assert page.run(f"return {more}.textContent") == (
        "show all: 145,000 more characters"
    )
    page.run(f"{more}.click()")
    page.wait(f"{more} === null")
    assert text_of(page, 1) == "0" * 149_999 + "7"


def test_what_no_browser_can_take_comes_in_steps(page, start_run):
    run = start_run("--max-line", "1M")
    run.order("head -c 900000 /dev/zero; echo")
    run.order("yes \"$(printf '\\033[31ma\\033[32mb')\" | tr -d '\\n' |"
              " head -c 900000; echo")
    run.say("next")
    page.open(run.url)
    page.wait_text("next")
    for seq, size in (("1", 900_000), ("2", 150_000)):
        more = f"document.querySelector('[data-seq=\"{seq}\"] .more')"
        page.wait(f"{more} !== null")
        page.run(f"{more}.click()")
        shown = min(size, 200_000)
        page.wait(
            "document.querySelector("
            "`[data-seq=\"${arguments[0]}\"] .text`).textContent.length >="
            " arguments[1]", seq, shown,
        )
    spans = page.run(
        "return document.querySelectorAll('[data-seq=\"2\"] span').length"
    )
    assert spans <= 20_001


def test_times_as_the_reader_likes(page, start_run):
    run = start_run()
    run.say("first")
    page.open(run.url)
    page.wait_text("first")
    time = "document.querySelector('[data-seq=\"1\"] .time')?.textContent"
    assert page.run(f"return {time}") is None
    page.press("t")
    page.wait(f"/^\\d\\d:\\d\\d:\\d\\d\\.\\d{{3}}$/.test({time})")
    page.press("t")
    page.wait(f"/^\\d+\\.\\d{{3}}$/.test({time})")
    page.press("t")
    page.wait(f"{time} === ''")
    run.say("second")
    page.wait("/^\\+\\d+\\.\\d{3}$/.test(document.querySelector("
              "'[data-seq=\"2\"] .time')?.textContent)")
    page.open_anew(run.url)
    page.wait("document.querySelector('[data-seq=\"2\"] .time') !== null")
    page.press("t")
    page.wait("document.querySelector('.time') === null")


def test_lines_wrap_or_not(page, start_run):
    run = start_run()
    run.say("word " * 200 + "end")
    page.open(run.url)
    page.wait("document.querySelector('.row .text') !== null")
    height = "document.querySelector('.row').clientHeight"
    wide = (
        "document.querySelector('#log').scrollWidth >"
        " document.querySelector('#log').clientWidth"
    )
    page.wait(f"{height} > 50 && !({wide})")
    page.press("S")
    page.wait(f"{height} < 50 && {wide}")
    page.press("S")
    page.wait(f"{height} > 50 && !({wide})")


def test_errors_and_warnings_are_found(page, start_run):
    run = start_run()
    run.count(1, 1000)
    run.say("foo.c:1: error: one")
    run.count(1002, 2000)
    run.say("foo.c:2: warning: two")
    run.count(2002, 3000)
    run.say("foo.c:3: error: three")
    run.count(3002, 4000)
    page.open(run.url)
    page.wait_text("line 4000")
    current = "Number(document.querySelector('.row.current')?.dataset.seq)"
    page.press("E")
    page.wait(f"{current} === 3001")
    assert page.run(
        "return document.querySelector('.current').classList.contains('error')"
    )
    page.press("E")
    page.wait(f"{current} === 1001")
    page.press("e")
    page.wait(f"{current} === 3001")
    page.press("w")
    page.wait(f"{current} === 2001")
    assert page.text("#toast") == "warning 1 of 1"
    # Around the end.
    page.press("ee")
    page.wait(f"{current} === 1001")


def test_there_may_be_no_error(page, start_run):
    run = start_run()
    run.count(1, 10)
    page.open(run.url)
    page.wait_text("line 10")
    page.press("e")
    page.wait("document.querySelector('#toast').textContent"
              " === 'no error in the log'")


SECTIONS = [
    "before",                                              # 1
    "::group::Outer",                                      # 2
    "in outer",                                            # 3
    "section_start:1:s\r\x1b[0KInner",                     # 4
    "in inner",                                            # 5
    "section_end:1:s\r\x1b[0K",                            # 6
    "::endgroup::",                                        # 7
    "after",                                               # 8
    "section_start:1:c[collapsed=true]\r\x1b[0KClosed",    # 9
    "hidden at first",                                     # 10
    "section_end:1:c\r\x1b[0K",                            # 11
    "last",                                                # 12
]


@pytest.fixture
def folded(page, start_run, tmp_path):
    file = tmp_path / "lines"
    file.write_text("".join(f"{line}\n" for line in SECTIONS), newline="")
    run = start_run()
    run.order(f"cat {file}")
    page.open(run.url)
    page.wait_text("last")
    wait_shown(page, [1, 2, 3, 4, 5, 6, 7, 8, 9, 12])
    return run


def fold(page, seq):
    page.run("document.querySelector("
             "`[data-seq=\"${arguments[0]}\"] .fold`).click()", seq)


def test_sections_are_folded(page, folded):
    fold(page, 4)
    wait_shown(page, [1, 2, 3, 4, 7, 8, 9, 12])
    fold(page, 2)
    wait_shown(page, [1, 2, 8, 9, 12])
    assert text_of(page, 2) == "::group::Outer5 lines"
    fold(page, 2)
    wait_shown(page, [1, 2, 3, 4, 7, 8, 9, 12])
    fold(page, 9)
    wait_shown(page, [1, 2, 3, 4, 7, 8, 9, 10, 11, 12])
    page.press("-")
    wait_shown(page, [1, 2, 8, 9, 12])
    page.press("+")
    wait_shown(page, range(1, 13))
    assert page.complaints() == []


def test_what_is_found_is_unfolded(page, folded):
    fold(page, 2)
    wait_shown(page, [1, 2, 8, 9, 12])
    page.press("/")
    page.wait("document.activeElement.type === 'search'")
    page.press("in inner")
    wait_shown(page, [1, 2, 3, 4, 5, 6, 7, 8, 9, 12])
    page.wait("document.querySelector('.current').dataset.seq === '5'")


def test_a_section_that_ends_far_away(page, start_run):
    run = start_run("--history", "1G")
    run.say("::group::Long")
    run.count(2, 200_000)
    run.say("::endgroup::")
    run.count(200_002, 300_000)
    page.open(run.url)
    page.wait("viewer.store.last === 300000")
    page.press("g")
    page.wait("document.querySelector('[data-seq=\"1\"] .fold') !== null")
    fold(page, 1)
    page.wait(f"{SHOWN}[0] === 1 && {SHOWN}[1] === 200002")
    page.wait("document.querySelector('[data-seq=\"1\"] .folded')"
              ".textContent === '200,000 lines'")


def test_marked_lines_are_copied(page, start_run):
    run = start_run()
    run.count(1, 10)
    run.say("\x1b[31mred\x1b[m\tand 10%\r\x1b[32mgreen\x1b[m")
    run.count(12, 20)
    page.open(f"{run.url}#L10-L12")
    page.wait_text("line 20")
    page.run(CATCH_COPIES)
    page.press("t")
    page.press("c")
    page.wait("window.copied !== undefined")
    assert page.run("return copied") == (
        "line 10\ngreen   and 10%\nline 12\n"
    )
    page.wait("document.querySelector('#toast').textContent === 'copied'")


def test_selected_lines_have_no_numbers(page, start_run):
    run = start_run()
    run.count(1, 10)
    page.open(run.url)
    page.wait_text("line 10")
    page.press("t")
    page.wait("document.querySelector('.time') !== null")
    text = page.run(
        "const [from, to] = [4, 6].map(seq =>"
        " document.querySelector(`[data-seq=\"${seq}\"] .text`));"
        "getSelection().setBaseAndExtent(from, 0, to, to.childNodes.length);"
        "return getSelection().toString()"
    )
    assert text.split() == ["line", "4", "line", "5", "line", "6"]
    assert text.count("\n") >= 2


def test_keys_are_listed(page, start_run):
    page.open(start_run().url)
    page.wait_state("live")
    page.press("?")
    page.wait("document.querySelector('#help').open")
    text = page.text("#help")
    for words in ("search", "next error", "page down", "fold all"):
        assert words in text
    page.press(Keys.ESCAPE)
    page.wait("!document.querySelector('#help').open")


def test_keys_scroll_as_in_less(page, start_run):
    run = start_run()
    run.count(1, 2000)
    page.open(run.url)
    page.wait_text("line 2000")
    top = "viewer.list.top"
    page.press("g")
    page.wait(f"{top} === 1")
    page.press("j")
    page.wait(f"{top} === 2")
    page.press("k")
    page.wait(f"{top} === 1")
    page.press(" ")
    page.wait(f"{top} > 15")
    page.press("b")
    page.wait(f"{top} === 1")
    page.press("d")
    page.wait(f"{top} > 5 && {top} < 20")
    page.press("u")
    page.wait(f"{top} === 1")
    page.press("F")
    page.wait("viewer.list.following && viewer.list.bottom === 2000")


def test_new_lines_are_summed_up_for_who_listens(page, start_run):
    run = start_run()
    page.open(run.url)
    page.wait_state("live")
    page.run(
        "window.said = [];"
        "new MutationObserver(() => said.push("
        " document.querySelector('#said').textContent))"
        ".observe(document.querySelector('#said'),"
        " { childList: true, characterData: true, subtree: true })"
    )
    run.count(1, 500)
    page.wait_text("line 500")
    page.wait("said.length > 0")
    assert page.run("return said") == ["500 new lines, the last: line 500"]
    live = page.run(
        "return document.querySelector('#log').getAttribute('aria-live')"
    )
    assert live == "off"
