# SPDX-License-Identifier: ISC
"""Records, and which of them a client asks for."""

import json
import os
import re
import time

import pytest

from harness import digest
from rawsocket import head
from viewers import fetch, lines_of, parse_records, rejoin

LINE = "x" * 99


def seqs(viewer):
    return [record["seq"] for record in lines_of(viewer.records())]


def without_clients(viewer):
    return [r for r in viewer.records() if r["type"] != "clients"]


@pytest.fixture
def ten(start, view):
    """Has written ten lines and ended, and is still served."""
    run = start("--quiet", "--linger", "forever", script="seq 10; exit 3")
    view(run).wait_end()
    return run


@pytest.fixture
def live(start, view):
    """Has written ten lines, and writes two more when it is told to."""
    run = start("--quiet", script="seq 10; read _ <go; seq 11 12")
    view(run).wait_message("10")
    return run


def test_a_run_is_told_in_records(start, view):
    began = time.time()
    run = start(
        "--quiet", "--wait-clients", "1", "--title", "a \"title\"",
        script="echo one; read _ <go; echo two >&2; exit 3",
    )
    viewer = view(run, "format=json")
    viewer.wait_record(type="line", seq=1)
    run.go()
    assert run.wait() == 3
    viewer.wait_end()
    first, one, two, end = without_clients(viewer)
    assert {"type": "clients", "count": 1} in viewer.records()
    assert re.fullmatch("[0-9a-f]{16}", first.pop("run"))
    assert began - 1 < first.pop("time") < time.time() + 1
    assert isinstance(first.pop("pid"), int)
    assert first == {
        "type": "start",
        "command": [
            "sh", "-c", "echo one; read _ <go; echo two >&2; exit 3"
        ],
        "title": "a \"title\"",
        "first": 1,
        "last": 0,
        "resumed": False,
    }
    assert began - 1 < one.pop("time") <= two.pop("time") < time.time() + 1
    assert one == {"type": "line", "seq": 1, "stream": "stdout", "text": "one"}
    assert two == {"type": "line", "seq": 2, "stream": "stderr", "text": "two"}
    assert 0 <= end.pop("seconds") < 60
    assert end == {"type": "exit", "code": 3, "signal": None, "last": 2}


def test_a_signal_is_told_in_the_exit_record(start, view):
    run = start("--wait-clients", "1", script="kill -9 $$")
    end = view(run, "format=json").wait_end().records()[-1]
    assert (end["code"], end["signal"], end["last"]) == (None, 9, 0)


def test_the_pid_is_that_of_the_command(start, view):
    run = start("--wait-clients", "1", script="echo $$")
    viewer = view(run, "format=json").wait_end()
    first, line, _ = without_clients(viewer)
    assert str(first["pid"]) == line["text"]


def test_joining_and_leaving_is_told_to_all(live, view):
    first = view(live, "format=json&tail=0")
    first.wait_record(type="clients", count=2)
    second = view(live, "format=json&tail=0")
    first.wait_record(type="clients", count=3)
    second.wait_record(type="clients", count=3)
    second.close()
    first.wait(
        lambda: first.records()[-1] == {"type": "clients", "count": 2},
        "the count after it left",
    )


def test_latecomers_get_everything_so_far(live, view):
    viewer = view(live, "format=json")
    start_record = viewer.wait_record(type="start")
    assert (start_record["first"], start_record["last"]) == (1, 10)
    live.go()
    viewer.wait_end()
    assert seqs(viewer) == list(range(1, 13))


@pytest.mark.parametrize("query, first", [
    ("tail=0", 11),
    ("tail=1", 10),
    ("tail=4", 7),
    ("tail=10", 1),
    ("tail=11", 1),
    ("tail=9223372036854775807", 1),
    ("after=0", 1),
    ("after=3", 4),
    ("after=10", 11),
    ("after=3&tail=1", 4),
    ("after=%33", 4),
    ("unknown=1&after=3&&", 4),
])
def test_a_client_gets_the_lines_it_asks_for(live, view, query, first):
    records = view(live, f"format=json&{query}")
    text = view(live, query)
    assert records.wait_record(type="start")["first"] == first
    live.go()
    assert seqs(records.wait_end()) == list(range(first, 13))
    wanted = [str(number) for number in range(first, 13)]
    assert text.wait_end().messages == wanted


def test_resuming_exactly_is_told(live, view):
    run_id = view(live, "format=json").wait_record(type="start")["run"]
    viewer = view(live, f"format=json&run={run_id}&after=7")
    start_record = viewer.wait_record(type="start")
    assert start_record["resumed"] is True
    assert start_record["first"] == 8


@pytest.mark.parametrize("query", [
    "run=0123456789abcdef&after=7", "after=11", "run=other",
])
def test_what_cannot_be_resumed_begins_anew_and_says_so(live, view, query):
    viewer = view(live, f"format=json&{query}")
    start_record = viewer.wait_record(type="start")
    assert start_record["resumed"] is False
    live.go()
    assert seqs(viewer.wait_end()) == list(range(1, 13))


def test_resuming_after_the_end_gives_the_rest_and_the_exit(ten, view):
    run_id = view(ten, "format=json").wait_record(type="start")["run"]
    viewer = view(ten, f"format=json&run={run_id}&after=8").wait_end()
    assert seqs(viewer) == [9, 10]
    assert viewer.records()[-1]["type"] == "exit"
    nothing_new = view(ten, f"format=json&run={run_id}&after=10").wait_end()
    types = [record["type"] for record in without_clients(nothing_new)]
    assert types == ["start", "exit"]


def test_records_yet_to_come_can_be_left_out(start, view):
    run = start("--quiet", script="echo a; read _ <go; echo b; echo c")
    run_id = view(run, "format=json").wait_record(type="start")["run"]
    viewer = view(run, f"format=json&run={run_id}&after=2")
    assert viewer.wait_record(type="start")["resumed"] is True
    run.go()
    assert seqs(viewer.wait_end()) == [3]


def test_without_follow_the_end_is_what_there_is(live, view):
    records = view(live, "format=json&follow=0").wait_end()
    assert seqs(records) == list(range(1, 11))
    assert records.code == 1000
    assert "exit" not in [record["type"] for record in records.records()]
    assert fetch(live.at("/?follow=0&tail=2")).body == b"9\n10\n"
    assert fetch(live.at("/?follow=0&tail=0")).body == b""


@pytest.mark.parametrize("query, numbers", [
    ("limit=3", (1, 2, 3)),
    ("limit=0", ()),
    ("limit=10", range(1, 11)),
    ("limit=11", range(1, 11)),
    ("limit=9223372036854775807", range(1, 11)),
    ("after=4&limit=2", (5, 6)),
    ("after=9&limit=2", (10,)),
    ("after=10&limit=2", ()),
    ("tail=4&limit=3&follow=1", (7, 8, 9)),
])
def test_so_many_records_can_be_asked_for(live, view, query, numbers):
    lines = b"".join(b"%d\n" % n for n in numbers)
    for target in (f"/?{query}", f"/?format=text&{query}"):
        assert fetch(live.at(target)).body == lines
    viewer = view(live, f"format=json&{query}").wait_end()
    assert seqs(viewer) == list(numbers)
    assert (viewer.code, viewer.reason) == (1000, "this is all so far")


def test_less_than_all_has_no_exit(ten, view):
    def kinds(query):
        viewer = view(ten, f"format=json&{query}").wait_end()
        return [record["type"] for record in without_clients(viewer)]

    assert kinds("after=8&limit=1") == ["start", "line"]
    for limit in (2, 3):
        assert kinds(f"after=8&limit={limit}") == [
            "start", "line", "line", "exit",
        ]


def test_a_limit_counts_the_records_of_both_streams(start, view):
    run = start("--quiet", script="""
        echo 1; read _ <go; echo 2 >&2; read _ <go; echo 3; read _ <go""")
    viewer = view(run, "format=json")
    for number in range(1, 4):
        viewer.wait_record(type="line", seq=number)
        if number < 3:
            run.go()
    for stream, limit, numbers in (
        ("stdout", 2, [1]), ("stderr", 1, []), ("stderr", 2, [2]),
        ("stdout", 3, [1, 3]),
    ):
        query = f"format=json&stream={stream}&limit={limit}"
        assert seqs(view(run, query).wait_end()) == numbers


def test_a_limit_begins_where_the_history_does(start, view):
    run = start(
        "--quiet", "--history", "1M", "--linger", "forever",
        script=f"yes {LINE} | head -n 60000",
    )
    view(run, "format=json&tail=0").wait_record(type="exit")
    for query in ("limit=5", "after=0&limit=5"):
        viewer = view(run, f"format=json&{query}").wait_end()
        (gap,) = [r for r in viewer.records() if r["type"] == "gap"]
        assert (gap["first"], gap["reason"]) == (1, "evicted")
        assert seqs(viewer) == [gap["last"] + n for n in range(1, 6)]


def test_one_stream_can_be_asked_for(start, view):
    run = start(
        "--quiet", "--wait-clients", "3",
        script="for i in 1 2 3; do echo out$i; echo err$i >&2; done",
    )
    text = view(run, "stream=stderr")
    out = view(run, "format=json&stream=stdout")
    both = view(run, "format=json")
    assert text.wait_end().messages == ["err1", "err2", "err3"]
    texts = [record["text"] for record in lines_of(out.wait_end().records())]
    assert texts == ["out1", "out2", "out3"]
    assert out.records()[-1]["type"] == "exit"
    wanted = [
        (record["seq"], record["text"])
        for record in lines_of(both.wait_end().records(), "stdout")
    ]
    assert [(r["seq"], r["text"]) for r in lines_of(out.records())] == wanted


def test_an_unfinished_line_is_shown_and_then_replaced(start, view):
    run = start(
        "--quiet",
        script="echo x; printf 'Continue? '; read _ <go; echo yes",
    )
    viewer = view(run, "format=json")
    partial = viewer.wait_record(partial=True)
    assert partial["text"] == "Continue? "
    assert (partial["seq"], partial["stream"]) == (2, "stdout")
    latecomer = view(run, "format=json&tail=0")
    assert latecomer.wait_record(partial=True)["text"] == "Continue? "
    text = view(run)
    text.wait_message("x")
    run.go()
    viewer.wait_end()
    assert [(r["seq"], r["text"]) for r in lines_of(viewer.records())] == [
        (1, "x"), (2, "Continue? yes")
    ]
    assert text.wait_end().messages == ["x", "Continue? yes"]


def test_a_line_that_grows_is_told_ten_times_a_second(start, view):
    run = start(
        script="while read w && test -z $w; do printf x; done <go; echo"
    )
    viewer = view(run, "format=json")
    viewer.wait_record(type="start")
    began = time.monotonic()
    written = 0
    while time.monotonic() < began + 2:
        run.go()
        written += 1
        run.stdout.wait_for(b"x" * written)
    os.write(run.gate, b"end\n")
    viewer.wait_end()
    most = 10 * (time.monotonic() - began) + 2
    partials = [r for r in viewer.records() if r.get("partial")]
    sizes = [len(r["text"]) for r in partials]
    assert 3 <= len(sizes) <= most
    assert sizes == sorted(set(sizes))
    assert [r["seq"] for r in partials] == [1] * len(partials)
    (line,) = lines_of(viewer.records())
    assert (line["seq"], line["text"]) == (1, "x" * written)
    assert viewer.records()[-1]["last"] == 1


def test_unfinished_lines_are_told_per_stream(start, view):
    run = start(
        "--quiet", "--wait-clients", "1",
        script="printf out; printf err >&2; read _ <go",
    )
    viewer = view(run, "format=json")
    assert viewer.wait_record(partial=True, stream="stdout")["text"] == "out"
    assert viewer.wait_record(partial=True, stream="stderr")["text"] == "err"
    run.go()
    viewer.wait_end()
    assert rejoin(viewer.records(), "stdout") == b"out"
    assert rejoin(viewer.records(), "stderr") == b"err"


def test_text_in_records_is_escaped(start, view):
    text = "\"\\/\b\f\n\r\t\x01\x1b\x7f€😀\u2028"
    run = start(
        "--wait-clients", "1", command=["printf", "%s", text]
    )
    viewer = view(run, "format=json").wait_end()
    assert rejoin(viewer.records()) == text.encode()
    assert without_clients(viewer)[0]["command"][-1] == text


def test_what_was_evicted_is_told(start, view):
    total = 60_000
    run = start(
        "--quiet", "--history", "1M", "--linger", "forever",
        script=f"yes {LINE} | head -n {total}",
    )
    view(run, "format=json&tail=0").wait_record(type="exit")
    viewer = view(run, "format=json").wait_end()
    _, gap, *lines = without_clients(viewer)
    first = lines[0]["seq"]
    assert 1 < first <= total
    assert gap == {
        "type": "gap", "first": 1, "last": first - 1, "reason": "evicted"
    }
    assert seqs(viewer) == list(range(first, total + 1))
    assert sum(len(line["text"]) for line in lines_of(lines)) <= 1 << 20
    text = view(run).wait_end()
    assert text.messages[0] == (
        f"[wsexec: lines 1 to {first - 1} are missing:"
        " evicted from the history]"
    )
    assert len(text.messages) == 1 + total - first + 1
    resumed = view(run, "format=json&after=5").wait_end()
    start_record, gap, *_ = without_clients(resumed)
    assert start_record["resumed"] is False
    assert (gap["first"], gap["last"]) == (6, seqs(resumed)[0] - 1)


def test_latecomers_get_only_what_is_new_without_history(start, view):
    run = start(
        "--quiet", "--history", "0", "--wait-clients", "1",
        script="seq 10; read _ <go; seq 11 12",
    )
    early = view(run)
    early.wait_message("10")
    late = view(run, "format=json")
    late.wait_record(type="gap", first=1, last=10)
    run.go()
    assert seqs(late.wait_end()) == [11, 12]


def test_history_holds_what_it_promises(start, curl):
    data = b"".join(b"%d\n" % i for i in range(300_000))
    run = start(
        "--quiet", "--history", "64M", "--linger", "forever",
        command=["seq", "0", "299999"],
    )
    assert digest(curl(run.url).wait_end()) == digest(data)


def test_records_over_http_are_lines(ten):
    body = fetch(ten.at("/?format=json")).body.decode()
    assert body.endswith("\n")
    records = parse_records([body])
    assert [r["seq"] for r in lines_of(records)] == list(range(1, 11))
    assert records[-1]["type"] == "exit"


def test_records_over_http_come_as_they_are_made(start, connect):
    run = start("--quiet", script="echo x; printf 'name: '; read _ <go; echo")
    peer = connect(run)
    assert peer.ask(head("/", Accept="application/x-ndjson")) == 200
    seen = []

    def read_record(**wanted):
        while not (seen and wanted.items() <= seen[-1].items()):
            size = int(peer.read_until(b"\r\n"), 16)
            seen.append(json.loads(peer.read(size)))
            assert peer.read(2) == b"\r\n"

    read_record(seq=1, text="x")
    read_record(seq=2, text="name: ", partial=True)
    run.go()
    read_record(type="exit", code=0, last=2)
    assert [r["text"] for r in lines_of(seen)] == ["x", "name: "]
