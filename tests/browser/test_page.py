# SPDX-License-Identifier: ISC
"""The viewer page, in a real browser, served by the real wsexec."""

import pytest

MARKUP = (
    "<script>window.taken = 1</script>"
    "<img src=x onerror='window.taken = 2'>&amp;<b>"
)


def numbers(page):
    return [row[0] for row in page.rows()]


def test_lines_appear_as_they_come(page, start_run):
    run = start_run()
    page.open(run.url)
    page.wait_state("live")
    run.say("from the first")
    assert page.wait_text("from the first") == "stdout"
    run.say("something is wrong", stream="stderr")
    assert page.wait_text("something is wrong") == "stderr"
    run.say("")
    run.say("  two  blanks\tand a tab")
    page.wait_text("  two  blanks\tand a tab")
    assert page.rows() == [
        (1, "stdout", "from the first"),
        (2, "stderr", "something is wrong"),
        (3, "stdout", ""),
        (4, "stdout", "  two  blanks\tand a tab"),
    ]
    assert page.complaints() == []


def test_stderr_is_marked(page, start_run):
    run = start_run()
    run.say("right")
    run.say("wrong", stream="stderr")
    page.open(run.url)
    page.wait_text("right")
    page.wait_text("wrong")
    label, border = page.run(
        "const row = document.querySelector('[data-stream=stderr]');"
        "return [row.getAttribute('aria-label'),"
        " getComputedStyle(row).borderLeftColor]"
    )
    other = page.run(
        "return getComputedStyle(document.querySelector("
        "'[data-stream=stdout]')).borderLeftColor"
    )
    assert label == "stderr"
    assert border != other


def test_who_comes_late_gets_everything(page, start_run):
    run = start_run()
    run.count(1, 3000)
    page.open(run.url)
    page.wait_text("line 3000")
    assert page.wait_log(3000) == [
        (n, "stdout", f"line {n}") for n in range(1, 3001)
    ]


@pytest.mark.parametrize("level, extensions", [("6", 1), ("0", 0)])
def test_lines_come_compressed(
    page, start_run, start_proxy, level, extensions
):
    run = start_run("--compression", level)
    proxy = start_proxy(run.port)
    page.open(proxy.url)
    page.wait_state("live")
    text = "a line that is like the others, number"
    run.count(1, 3000, text)
    page.wait_text(f"{text} 3000")
    assert page.wait_log(3000) == [
        (n, "stdout", f"{text} {n}") for n in range(1, 3001)
    ]
    assert page.complaints() == []
    _, frames = proxy.answers.split(b"Switching Protocols\r\n", 1)
    assert frames.count(b"permessage-deflate;") == extensions
    assert (len(frames) < 3000 * len(text)) == bool(extensions)


@pytest.mark.parametrize(
    "query, expected",
    [
        ("tail=2", [4, 5, 6]),
        ("after=3", [4, 5, 6]),
        ("stream=stderr", [5]),
    ],
)
def test_query_is_passed_on(page, start_run, query, expected):
    run = start_run()
    run.count(1, 4)
    page.open(run.url)
    page.wait_text("line 4")
    run.say("wrong", stream="stderr")
    page.wait_text("wrong")
    page.open(f"{run.url}?{query}")
    page.wait_state("live")
    run.say("last")
    if "stream" in query:
        page.wait_text("wrong")
    else:
        page.wait_text("last")
    assert numbers(page) == expected


def test_base_path_without_its_slash(page, start_run):
    run = start_run("--base-path", "/deep/down")
    run.say("hello")
    page.open(run.url.rstrip("/"))
    page.wait_text("hello")
    assert page.complaints() == []


@pytest.mark.parametrize("level, compressed", [("0", False), ("9", True)])
def test_files_come_compressed(page, start_run, level, compressed):
    run = start_run("--compression", level)
    page.open(run.url)
    page.wait_state("live")
    sizes = page.run(
        "return performance.getEntriesByType('resource')"
        ".filter((entry) => /\\.(js|css)$/.test(entry.name))"
        ".map((entry) => [entry.encodedBodySize, entry.decodedBodySize])"
    )
    assert len(sizes) > 5
    for encoded, decoded in sizes:
        assert (0 < encoded < decoded) == compressed


# What is written, what is to be read, and the classes of its first span.
LINES = [
    ("plain", "plain", None),
    ("\x1b[31mred\x1b[0m", "red", "sgr fg-1"),
    ("\x1b[1;97;44mloud\x1b[m", "loud", "sgr bold on bg-4 fg-15"),
    ("\x1b[2;3;4;7;9mall\x1b[m", "all",
     "sgr dim italic underline inverse strike"),
    ("\x1b[1m\x1b[22mno more", "no more", None),
    ("\x1b[38;5;9mof the 16\x1b[39m", "of the 16", "sgr fg-9"),
    ("\x1b[38;5;196mof the 256\x1b[m", "of the 256", "sgr"),
    ("\x1b[48;2;1;2;3;4mdirect\x1b[m", "direct", "sgr underline on"),
    ("\x1b[38:2::1:2:3mcolons\x1b[m", "colons", "sgr"),
    ("\x1b[38;5mtoo short\x1b[m", "too short", None),
    ("\x1b[38;2;999;0;0mtoo much\x1b[m", "too much", None),
    ("\x1b[2Jclear\x1b[10;5Hmove\x1b[?25l", "clearmove", None),
    ("\x1b]0;title\x07bell\x1b]8;;http://x/\x1b\\st\x1b]8;;\x1b\\",
     "bellst", None),
    ("\x1bP1$q\x1b[31mm\x1b\\after\x1b(Bcharset\x1b7\x1bc", "maftercharset",
     "sgr fg-1"),
    ("\x1b[mnull \x00 bell \x07 back\x08 del \x7f",
     "null \u2400 bell \u2407 bac del \u2421", "sgr unseen"),
    ("c1 \u009b31mred\u009d0;title\u009c.\u0085", "c1 red.", "sgr fg-1"),
    ("\x1b[mturned \u202eround\u2066",
     "turned \u2039RLO\u203around\u2039LRI\u203a", "sgr unseen"),
    ("\x1b[31\u00e9nd", "\u00e9nd", None),
    ("\x1b]never ended", "", None),
    ("but the next line is there", "but the next line is there", None),
    ("10%\r50%\r100%", "100%", None),
    ("dos\r", "dos", None),
    ("\x1b[32m10%\r100%\x1b[m", "100%", "sgr fg-2"),
    ("\x1b[35mgoes on", "goes on", "sgr fg-5"),
    ("in the next line\x1b[m", "in the next line", "sgr fg-5"),
    ("\u4f60\u597d \U0001f600 e\u0301", "\u4f60\u597d \U0001f600 e\u0301",
     None),
    ("done", "done", None),
]


def test_escape_sequences(page, start_run, tmp_path):
    file = tmp_path / "lines"
    file.write_bytes(b"".join(w.encode() + b"\n" for w, _, _ in LINES))
    run = start_run()
    run.order(f"cat {file}")
    page.open(run.url)
    page.wait_text("done")
    shown = page.run(
        "return [...document.querySelectorAll('[data-seq] .text')].map("
        "text => [text.textContent,"
        " text.querySelector('span')?.className ?? null])"
    )
    assert [tuple(row) for row in shown] == [
        (text, classes) for _, text, classes in LINES
    ]


def test_colours_are_seen(page, start_run, tmp_path):
    file = tmp_path / "lines"
    file.write_text(
        "\x1b[38;5;196mcube\x1b[m\n\x1b[48;2;250;250;0mdirect\x1b[m\n"
        "\x1b[38;5;244;7mgrey\x1b[m\n\x1b[31mred\x1b[m\n"
    )
    run = start_run()
    run.order(f"cat {file}")
    page.open(run.url)
    page.wait_text("red")
    colours = page.run(
        "return [...document.querySelectorAll('[data-seq] .text span')].map("
        "span => [getComputedStyle(span).color,"
        " getComputedStyle(span).backgroundColor])"
    )
    assert colours[0] == ["rgb(255, 0, 0)", "rgba(0, 0, 0, 0)"]
    assert colours[1] == ["rgb(0, 0, 0)", "rgb(250, 250, 0)"]
    assert colours[2][1] == "rgb(128, 128, 128)"
    plain = page.run("return getComputedStyle(document.body).color")
    assert colours[3][0] != plain


def test_markup_is_text(page, start_run):
    run = start_run("--title", MARKUP)
    run.say(MARKUP)
    run.say(MARKUP, stream="stderr")
    run.say(f"\x1b[31m{MARKUP} in colour\x1b[m")
    run.order("printf '%s' '<script>window.taken = 3</script>'")
    page.open(run.url)
    page.wait_text(MARKUP)
    page.wait_text(MARKUP + " in colour")
    page.wait("document.querySelector('.partial')")
    assert page.text("#title") == MARKUP
    assert page.run("return window.taken ?? null") is None
    assert page.run("return document.images.length") == 0
    assert page.run("return document.scripts.length") == 2
    assert page.complaints() == []


def test_unfinished_line(page, start_run):
    run = start_run()
    page.open(run.url)
    page.wait_state("live")
    run.say("before")
    run.order("printf 'password: '")
    page.wait("document.querySelector('.partial .text')?.textContent"
              " === 'password: '")
    assert numbers(page) == [1]
    run.order("echo given")
    page.wait_text("password: given")
    assert page.rows() == [
        (1, "stdout", "before"),
        (2, "stdout", "password: given"),
    ]
    assert not page.run("return document.querySelector('.partial')")


def test_pieces_of_a_line_are_joined(page, start_run):
    run = start_run("--max-line", "1K")
    run.order("printf '%02500d\\n' 7")
    run.say("next")
    run.order("printf '%02500d\\r\\033[Kshort\\n' 7")
    page.open(run.url)
    page.wait_text("next")
    page.wait_text("short")
    assert [row[2] for row in page.rows()] == [
        "0" * 2499 + "7", "next", "short",
    ]
    assert page.run(
        "return document.querySelector('[data-seq=\"1\"]').dataset.last"
    ) == "3"
    assert numbers(page) == [1, 4, 5]


def test_raw_link_gives_the_bytes(page, start_run):
    run = start_run()
    run.say("\u00e4 line")
    page.open(run.url)
    page.wait_text("\u00e4 line")
    text = page.browser.execute_async_script(
        "const done = arguments[0];"
        "fetch(document.querySelector('a.raw').href)"
        ".then((answer) => answer.text()).then(done)"
    )
    assert text == "\u00e4 line\n"
