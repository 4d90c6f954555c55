# SPDX-License-Identifier: ISC
"""The list of lines: only some of them are in the document, and one gets to
any of them."""

AT_END = (
    "(({ scrollHeight, clientHeight, scrollTop }) =>"
    " scrollHeight - clientHeight - scrollTop < 2)"
    "(document.getElementById('log'))"
)
FOLLOW = "document.getElementById('follow')"


def rows_of(*numbers):
    return [(n, "stdout", f"line {n}") for n in numbers]


def wait_bottom(page, seq):
    page.wait("viewer.list.bottom === arguments[0]", seq)


def test_only_what_is_on_the_screen_is_in_the_document(page, start_run):
    run = start_run()
    run.count(1, 20000)
    page.open(run.url)
    page.wait_text("line 20000")
    seqs = page.on_screen()
    assert seqs == list(range(seqs[0], 20001))
    assert 15 < len(seqs) < 60
    assert page.run("return document.querySelectorAll('.row').length") < 200
    page.wait_log(20000)
    assert page.run("return document.querySelectorAll('.row').length") < 200
    # The end is as it was while lines before it were fetched.
    assert page.on_screen() == seqs


def test_one_gets_to_any_line(page, start_run):
    run = start_run()
    run.count(1, 20000)
    page.open(run.url)
    page.wait_text("line 20000")
    page.scroll("log.scrollTop = 0")
    page.wait_text("line 1")
    page.wait("!document.querySelector('.pending')")
    seqs = page.on_screen()
    assert seqs == list(range(1, len(seqs) + 1))
    page.scroll("log.scrollTop = log.scrollHeight / 2")
    page.wait("!document.querySelector('.pending')")
    middle = page.on_screen()
    assert 9500 < middle[0] < 10500
    assert middle == list(range(middle[0], middle[0] + len(middle)))
    rows = page.rows()
    assert rows == rows_of(*range(rows[0][0], rows[-1][0] + 1))
    page.scroll("log.scrollTop = log.scrollHeight")
    wait_bottom(page, 20000)


def test_steps_of_scrolling_are_exact(page, start_run):
    """Whatever is fetched or dropped meanwhile: so many pixels are so many."""
    run = start_run()
    run.count(1, 20000)
    page.open(run.url + "#L10000")
    page.wait_text("line 10000")
    where = (
        "return document.querySelector(`[data-seq=\"${arguments[0]}\"]`)"
        ".getBoundingClientRect().top"
    )
    for step in (200, -200, 150, -1000, 700, -333, 1000):
        seq = page.on_screen()[len(page.on_screen()) // 2]
        before = page.run(where, seq)
        page.run("document.getElementById('log').scrollTop += arguments[0]",
                 step)
        if page.run(f"return !!document.querySelector('[data-seq=\"{seq}\"]')"):
            assert abs(page.run(where, seq) - (before - step)) < 1
        page.scroll("")


def test_rows_of_any_height_do_not_jump(page, start_run):
    run = start_run("--max-line", "1M")
    run.order(
        "i=0; while [ $i -lt 400 ]; do i=$((i + 1));"
        " printf '%d %0*d\\n' $i $((i * 7919 % 3000 + 1)) 0; done"
    )
    page.open(run.url)
    page.wait("viewer.store.last === 400 && viewer.list.bottom === 400")
    place = (
        "const row = viewer.list.rowOf(viewer.list.top);"
        "return [Number(row.dataset.seq), row.getBoundingClientRect().top]"
    )
    top = 400
    for _ in range(100):
        seq, y = page.run(place)
        moved = page.run(
            "const log = document.getElementById('log');"
            "const before = log.scrollTop; log.scrollTop -= 150;"
            "return log.scrollTop - before"
        )
        page.wait("viewer.list.top !== null")
        after = page.run(
            "const row = viewer.list.rowOf(arguments[0]);"
            "return row && row.getBoundingClientRect().top", seq
        )
        if moved == -150:
            assert after is None or abs(after - y - 150) < 2
        assert page.run("return viewer.list.top") <= top
        top = page.run("return viewer.list.top")
    # While one scrolls the bar is only about right, and may be near its
    # beginning long before the rows are; when that rests it is a jump.
    page.scroll("")
    page.scroll("log.scrollTop = 0")
    assert page.on_screen()[0] == 1
    page.scroll("log.scrollTop = log.scrollHeight")
    assert page.on_screen()[-1] == 400


def test_scrolling_up_pauses_following(page, start_run):
    run = start_run()
    run.count(1, 500)
    page.open(run.url)
    page.wait_text("line 500")
    page.wait(AT_END)
    assert not page.is_shown("#follow")

    page.scroll("log.scrollTop -= 1000")
    page.wait(f"{FOLLOW}.checkVisibility()")
    before = page.on_screen()
    run.count(501, 600)
    page.wait(f"{FOLLOW}.textContent === '100 new lines'")
    assert page.on_screen() == before
    assert [row[0] for row in page.wait_log(600)] == list(range(1, 601))

    page.browser.find_element("id", "follow").click()
    wait_bottom(page, 600)
    page.wait(AT_END)
    page.wait(f"!{FOLLOW}.checkVisibility()")
    run.count(601, 700)
    page.wait_text("line 700")
    page.wait(AT_END)


def test_following_is_the_last_word(page, start_run):
    run = start_run()
    run.count(1, 500)
    page.open(run.url)
    page.wait_text("line 500")
    # The browser tells of the way up only after it has been asked to follow.
    page.scroll("log.scrollBy(0, -300); viewer.list.scrollToEnd()")
    assert page.run("return viewer.list.following")
    assert page.on_screen()[-1] == 500


def test_what_is_scrolled_and_not_told_yet_is_not_taken_back(
    page, start_run
):
    run = start_run()
    run.count(1, 5000)
    page.open(run.url)
    page.wait_text("line 5000")
    page.wait_log(5000)
    page.scroll("viewer.list.scrollToSeq(3000)")
    page.scroll("log.scrollTop = 0;"
                "viewer.list.refreshRow(viewer.list.bottom)")
    assert page.on_screen()[0] == 1


def test_scrolling_to_the_end_follows_again(page, start_run):
    run = start_run()
    run.count(1, 500)
    page.open(run.url)
    page.wait_text("line 500")
    page.scroll("log.scrollTop = 0")
    page.wait(f"{FOLLOW}.checkVisibility()")
    page.scroll("log.scrollTop = log.scrollHeight")
    page.wait(f"!{FOLLOW}.checkVisibility()")
    run.count(501, 600)
    page.wait_text("line 600")
    page.wait(AT_END)


def test_keys_go_to_both_ends(page, start_run):
    run = start_run()
    run.count(1, 5000)
    page.open(run.url)
    page.wait_text("line 5000")
    body = page.browser.find_element("tag name", "body")
    body.send_keys("g")
    page.wait_text("line 1")
    assert page.on_screen()[0] == 1
    body.send_keys("G")
    wait_bottom(page, 5000)
    page.wait(f"!{FOLLOW}.checkVisibility()")


def test_a_flood_is_bounded(page, start_run):
    run = start_run()
    page.open(run.url)
    page.wait_state("live")
    run.count(1, 300000)
    page.wait_text("line 300000")
    page.wait(AT_END)
    assert page.run("return document.querySelectorAll('.row').length") < 200
    kept = page.run(
        "let n = 0;"
        "for (let s = 1; s <= viewer.store.last; s++)"
        " n += viewer.store.get(s) === undefined ? 0 : 1;"
        "return n"
    )
    assert kept <= 205 * 512
    # What it let go of is fetched again.
    page.scroll("log.scrollTop = 0")
    page.wait_text("line 1")
    page.wait("!document.querySelector('.pending')")
    assert page.on_screen()[0] == 1
    page.scroll("log.scrollTop = log.scrollHeight")
    wait_bottom(page, 300000)


def test_a_link_goes_to_its_line(page, start_run):
    run = start_run()
    run.count(1, 30000)
    page.open(run.url)
    page.wait_text("line 30000")
    page.open_anew(run.url + "#L7000-L7003")
    page.wait_text("line 7001")
    marked = page.run(
        "return [...document.querySelectorAll('.marked')].map("
        "row => Number(row.dataset.seq))"
    )
    assert marked == [7000, 7001, 7002, 7003]
    assert 7000 in page.on_screen() and 7003 in page.on_screen()
    # It is still there when all around it has come.
    page.wait("!document.querySelector('.pending')")
    page.wait("viewer.store.lastHole(7000, viewer.store.last) === null")
    assert 7000 in page.on_screen() and 7003 in page.on_screen()
    # A click is a new link, with the shift key up to there.
    page.run("document.querySelector('[data-number=\"7005\"]').click()")
    assert page.run("return location.hash") == "#L7005"
    page.run(
        "document.querySelector('[data-number=\"7002\"]').dispatchEvent("
        "new MouseEvent('click', { bubbles: true, cancelable: true,"
        " shiftKey: true }))"
    )
    assert page.run("return location.hash") == "#L7002-L7005"
    page.wait("document.querySelectorAll('.marked').length === 4")


def test_a_link_to_what_is_yet_to_come_goes_to_the_end(page, start_run):
    run = start_run()
    run.count(1, 300)
    page.open(run.url + "#L999999")
    page.wait_text("line 300")


def test_gap_is_told(page, start_run):
    run = start_run("--history", "1M")
    page.open(run.url)
    page.wait_state("live")
    run.count(1, 40000, "x" * 200)
    page.wait_text("x" * 200 + " 40000")
    page.open(run.url)
    page.wait_text("x" * 200 + " 40000")
    page.scroll("log.scrollTop = 0")
    page.wait("document.querySelector('.gap')?.nextElementSibling"
              " ?.dataset.stream")
    gap = page.run(
        "const gap = document.querySelector('.gap');"
        "return [gap.textContent, Number(gap.dataset.last),"
        " gap.nextElementSibling.dataset.seq]"
    )
    assert gap[0] == (
        f"Lines 1 to {gap[1]:,} are missing: older than the history that is kept."
    )
    assert gap[2] == str(gap[1] + 1)
    first = page.on_screen()
    assert first[0] == 1
    assert first[1:] == list(range(gap[1] + 1, gap[1] + len(first)))


def test_one_stream_of_many_lines(page, start_run):
    """Lines that are far apart fill the screen all the same."""
    run = start_run()
    run.order(
        "i=0; while [ $i -lt 60 ]; do i=$((i + 1)); seq -s , 1000 |"
        " tr , '\\n'; echo wrong $i >&2; done"
    )
    run.say("end", stream="stderr")
    page.open(f"{run.url}?stream=stderr")
    page.wait_text("end")
    page.wait("!document.querySelector('.pending') &&"
              " document.querySelectorAll('.row').length > 25")
    texts = [row[2] for row in page.rows()]
    assert texts == [
        *(f"wrong {n}" for n in range(62 - len(texts), 61)), "end",
    ]
    # How far the log goes in lines of the other stream the page cannot tell.
    page.wait("viewer.store.lastHole(1, viewer.store.last) === null")
    assert [row[2] for row in page.log()] == [
        *(f"wrong {n}" for n in range(1, 61)), "end",
    ]
    page.scroll("log.scrollTop = 0")
    page.wait_text("wrong 1")
