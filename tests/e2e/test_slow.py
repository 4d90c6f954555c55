# SPDX-License-Identifier: ISC
"""Clients that do not keep up: nobody else notices, and they are told."""

import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import digest
from rawsocket import PING, PONG, frame, head
from viewers import (
    lines_of,
    missing_from,
    parse_records,
    rejoin,
    sequence_number_in,
)

BURSTS = 10
BURST_LINES = 4000
LAST = BURSTS * BURST_LINES
# About 400 KB a burst: less than CLIENT_BUFFER, which is less than all.
LINE = "x" * 99
CLIENT_BUFFER = "1M"
DATA = f"{LINE}\n".encode() * LAST


def start_bursts(start, *options, waits=0):
    """Writes a burst, and another for each go(), when `waits` clients are
    there; and after all of them waits once more."""
    return start(
        "--quiet", "--client-buffer", CLIENT_BUFFER,
        "--wait-clients", str(waits), *options,
        script=f"for i in $(seq {BURSTS}); do"
        f" yes {LINE} | head -n {BURST_LINES}; read _ <go; done",
    )


def go_through_bursts(run, good):
    """Nobody of the good ones falls behind by more than a burst."""
    for burst in range(1, BURSTS + 1):
        for viewer in good:
            viewer.wait_record(type="line", seq=burst * BURST_LINES)
        run.go()


def assert_got_everything(viewer):
    viewer.wait_end()
    assert viewer.code == 1000
    assert [r["seq"] for r in lines_of(viewer.records())] == list(
        range(1, LAST + 1)
    )
    assert digest(rejoin(viewer.records())) == digest(DATA)


def test_a_client_that_never_reads_costs_others_nothing(start, view, connect):
    run = start_bursts(
        start, "--slow", "skip", "--drain", "0.2", waits=6
    )
    for query in ("", "?format=json", "?format=raw"):
        connect(run).upgrade(f"/{query}")
    connect(run).send(head("/raw"))
    good = [view(run, "format=json") for _ in range(2)]
    go_through_bursts(run, good)
    for viewer in good:
        assert_got_everything(viewer)
    assert run.wait() == 0


def test_who_skipped_lines_is_told_exactly_which(start, view, connect):
    run = start_bursts(start, "--slow", "skip", waits=2)
    slow = connect(run).upgrade("/?format=json")
    good = view(run, "format=json")
    go_through_bursts(run, [good])
    assert_got_everything(good)
    messages, code, reason = slow.read_messages()
    assert (code, reason) == (1000, "exit 0")
    records = parse_records([message.decode() for message in messages])
    gaps = [record for record in records if record["type"] == "gap"]
    assert gaps and all(gap["reason"] == "slow" for gap in gaps)
    assert missing_from(records, LAST) == ([], 0)
    order = [
        record.get("seq", record.get("first"))
        for record in records if record["type"] in ("line", "gap")
    ]
    assert order == sorted(order)
    assert records[-1]["type"] == "exit"


def test_who_skipped_lines_is_told_in_text_as_well(start, view, connect):
    run = start_bursts(start, "--slow", "skip", waits=2)
    slow = connect(run).upgrade("/")
    good = view(run, "format=json")
    go_through_bursts(run, [good])
    messages, code, _ = slow.read_messages()
    assert code == 1000
    notices = [m for m in messages if m.startswith(b"[wsexec: ")]
    missing = 0
    for notice in notices:
        words = notice.decode().split()
        assert words[-3:] == ["was", "too", "slow]"]
        missing += int(words[4]) - int(words[2]) + 1
    assert missing > 0
    assert len(messages) - len(notices) + missing == LAST


def test_who_falls_out_of_the_history_is_told_exactly_which(
    start, view, connect
):
    run = start_bursts(
        start, "--history", "0", "--client-buffer", "0", waits=2
    )
    slow = connect(run).upgrade("/?format=json")
    good = view(run, "format=json")
    go_through_bursts(run, [good])
    assert_got_everything(good)
    messages, _, _ = slow.read_messages()
    records = parse_records([message.decode() for message in messages])
    assert missing_from(records, LAST) == ([], 0)


def test_who_is_slow_is_disconnected_and_resumes_exactly(
    start, view, connect
):
    run = start_bursts(start, "--slow", "disconnect", waits=2)
    slow = connect(run).upgrade("/?format=json")
    good = view(run, "format=json")
    for burst in range(1, BURSTS + 1):
        good.wait_record(type="line", seq=burst * BURST_LINES)
        if burst < BURSTS:
            run.go()
    messages, code, reason = slow.read_messages()
    assert code == 1013
    records = parse_records([message.decode() for message in messages])
    numbers = [record["seq"] for record in lines_of(records)]
    assert numbers == list(range(1, numbers[-1] + 1))
    assert sequence_number_in(reason) == numbers[-1] < LAST
    (run_id,) = [r["run"] for r in records if r["type"] == "start"]
    again = view(run, f"format=json&run={run_id}&after={numbers[-1]}")
    assert again.wait_record(type="start")["resumed"] is True
    again.wait_record(type="line", seq=LAST)
    run.go()
    rest = [r["seq"] for r in lines_of(again.wait_end().records())]
    assert numbers + rest == list(range(1, LAST + 1))
    assert_got_everything(good)


def test_blocking_loses_nothing_for_anybody(start, view, connect):
    lines = 80_000  # more than what is kept
    run = start(
        "--quiet", "--slow", "block", "--history", "0",
        "--client-buffer", "256K", "--wait-clients", "3",
        script=f"yes {LINE} | head -n {lines}; touch done",
    )
    slow = connect(run).upgrade("/?format=json")
    raw = connect(run)
    assert raw.ask(head("/raw", version="HTTP/1.0")) == 200
    good = view(run, "format=json")
    # As soon as lines come the command has more to write than is taken.
    good.wait_record(type="line", seq=1000)
    assert not (run.directory / "done").exists()
    with ThreadPoolExecutor() as pool:
        fetched = pool.submit(raw.read_rest)
        messages, code, _ = slow.read_messages()
    assert code == 1000
    records = parse_records([message.decode() for message in messages])
    numbers = [record["seq"] for record in lines_of(records)]
    assert numbers == list(range(1, lines + 1))
    assert digest(fetched.result()) == digest(f"{LINE}\n".encode() * lines)
    good.wait_end()
    assert [r["seq"] for r in lines_of(good.records())] == numbers


def test_who_blocks_for_too_long_is_closed(start, view, connect):
    lines = 40_000
    run = start(
        "--quiet", "--slow", "block", "--client-buffer", "256K",
        "--stall-timeout", "0.5", "--wait-clients", "2",
        script=f"yes {LINE} | head -n {lines}",
    )
    connect(run).upgrade("/")
    good = view(run, "format=json")
    assert run.wait() == 0
    good.wait_end()
    assert [r["seq"] for r in lines_of(good.records())] == list(
        range(1, lines + 1)
    )


def test_who_takes_nothing_for_the_stall_timeout_is_closed(
    start, view, connect
):
    run = start(
        "--quiet", "--stall-timeout", "0.5", "--wait-clients", "2",
        script=f"yes {LINE} | head -n 40000; read _ <go",
    )
    connect(run).upgrade("/")
    good = view(run, "format=json")
    good.wait_record(type="clients", count=2)
    good.wait(
        lambda: good.messages
        and good.messages[-1] == '{"type":"clients","count":1}',
        "the count without the slow one",
    )
    run.go()
    assert run.wait() == 0


def test_clients_that_are_only_quiet_are_not_slow(start, view):
    run = start(
        "--stall-timeout", "0.1", "-P", "0.5",
        script="echo x; read _ <go; echo y",
    )
    text = view(run)
    records = view(run, "format=json")
    text.wait_message("x")
    # The clock that closes who is slow comes by several times.
    for count in (3, 4, 5):
        view(run)
        records.wait_record(type="clients", count=count)
    run.go()
    assert text.wait_end().messages == ["x", "y"]


@pytest.mark.parametrize("carrier", ["HTTP/1.1", "HTTP/1.0"])
def test_bytes_that_cannot_be_told_missing_end_the_answer_early(
    start, view, carrier
):
    run = start_bursts(start, waits=2)
    option = "--http1.0" if carrier == "HTTP/1.0" else "--http1.1"
    fetched = subprocess.Popen(
        ["curl", "-sSN", option, run.at("/raw")],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )
    try:
        good = view(run, "format=json")
        go_through_bursts(run, [good])
        assert_got_everything(good)
        got = fetched.stdout.read()
        assert 0 < len(got) < len(DATA)
        assert DATA.startswith(got)
        if carrier == "HTTP/1.1":
            assert fetched.wait() == 18
    finally:
        fetched.kill()
        fetched.wait()
        fetched.stdout.close()


def test_slow_clients_are_waited_for_while_they_read(start, connect):
    run = start(
        "--quiet", "--wait-clients", "1", "--drain", "5",
        script=f"yes {LINE} | head -n {LAST}",
    )
    slow = connect(run).upgrade("/")
    messages, code, _ = slow.read_messages()
    slow.close()
    assert (len(messages), code) == (LAST, 1000)
    assert run.wait() == 0


def test_who_took_no_pings_for_a_while_is_not_given_up(start, connect):
    run = start(
        "--quiet", "--wait-clients", "2", "--ping-interval", "0.5",
        script=f"yes {LINE * 10} | head -n {LAST}; read _ <go; echo over",
    )
    slow = connect(run).upgrade("/")
    other = connect(run).upgrade("/?stream=stderr")
    # In this time the slow one would have been asked often enough.
    for _ in range(6):
        other.send(frame(PONG, other.read_control(PING)))
    for _ in range(LAST):
        assert slow.read_message() == LINE * 10
    other.send(frame(PONG, other.read_control(PING)))
    run.go()
    assert slow.read_message() == "over"


def test_clients_that_read_nothing_do_not_hold_up_the_end(start, connect):
    run = start(
        "--quiet", "--wait-clients", "1", "--drain", "0.2",
        script=f"yes {LINE} | head -n {LAST}; exit 6",
    )
    connect(run).upgrade("/")
    assert run.wait() == 6
