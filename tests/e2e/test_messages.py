# SPDX-License-Identifier: ISC
"""Several records of json in a WebSocket message: every record once, wherever
a client comes in."""

import pytest

from viewers import (
    has_node_client,
    lines_of,
    missing_from,
    parse_records,
    take_node,
)

BYTES_MAX = 16384
RECORDS_MAX = 256
BURSTS = 6
BURST_LINES = 37
LAST = BURSTS * BURST_LINES


def seqs(records):
    return [record["seq"] for record in lines_of(records)]


@pytest.fixture
def bursts(start, view):
    """Has written bursts of lines, each of which was read at once by a client
    with compression and one without, and waits to be told to end."""
    run = start(
        "--quiet", "--wait-clients", "2", "--compression", "6",
        script=f"for i in $(seq {BURSTS}); do"
        f" seq {BURST_LINES}; read _ <go; done; read _ <go",
    )
    viewers = [view(run, "format=json"), view(run, "format=json")]
    for burst in range(1, BURSTS + 1):
        for viewer in viewers:
            viewer.wait_record(type="line", seq=burst * BURST_LINES)
        run.go()
    return run


def test_lines_that_are_there_come_together(start, view, connect):
    lines = 5000
    run = start(
        "--quiet", "--linger", "forever", script=f"seq {lines}; seq 9 >&2"
    )
    view(run, "format=json&tail=0").wait_record(type="exit")
    for query in ("", "&stream=stdout"):
        peer = connect(run).upgrade(f"/?format=json{query}")
        messages, code, reason = peer.read_messages()
        assert (code, reason) == (1000, "exit 0")
        assert lines / RECORDS_MAX < len(messages) < lines / 50
        for message in messages:
            *others, last = message.split(b"\n")
            assert len(others) < RECORDS_MAX
            assert len(message) - len(last) - 1 < BYTES_MAX
            assert not others or all(
                b'"type":"line"' in record for record in (*others, last)
            )
        records = parse_records([message.decode() for message in messages])
        assert missing_from(records, lines + (0 if query else 9)) == ([], 0)


def test_a_lone_line_comes_at_once(start, view):
    run = start(
        "--quiet", script="for i in 1 2 3; do echo $i; read _ <go; done"
    )
    viewer = view(run, "format=json")
    for i in range(1, 4):
        line = viewer.wait_record(type="line", seq=i)
        assert viewer.messages[-1].count("\n") == 0, line
        run.go()
    assert seqs(viewer.wait_end().records()) == [1, 2, 3]


@pytest.mark.parametrize("compressed", [False, True])
def test_who_joins_anywhere_gets_each_line_once(
    bursts, connect, inflate, compressed
):
    def read(query):
        if not compressed:
            peer = connect(bursts).upgrade(f"/?{query}")
            return peer.read_records()[0]
        return parse_records(inflate(bursts, query).read_end().texts())

    for at in range(LAST + 1):
        got = read(f"format=json&follow=0&after={at}")
        assert seqs(got) == list(range(at + 1, LAST + 1))
        got = read(f"format=json&follow=0&tail={at}")
        assert seqs(got) == list(range(LAST - at + 1, LAST + 1))


def test_who_shall_stop_inside_a_message_does(start, view, connect):
    """Nobody reads these records before there are more than it shall get."""
    run = start(
        "--quiet",
        script="seq 100000; while read _ <go; do seq 100; done",
    )
    text = view(run)
    for last in range(100_000, 100_400, 100):
        text.wait(lambda last=last: len(text.messages) == last, f"line {last}")
        # More than fits into the socket: it is still far from its end.
        peer = connect(run).upgrade("/?format=json&follow=0")
        run.go()
        text.wait(lambda last=last: len(text.messages) > last, "more lines")
        records, code, reason = peer.read_records()
        assert (code, reason) == (1000, "this is all so far")
        assert seqs(records) == list(range(1, last + 1))


@pytest.mark.skipif(not has_node_client(), reason="there is no ws for Node")
def test_a_client_of_node_gets_each_line_once(bursts):
    for after in (0, 1, BURST_LINES - 1, BURST_LINES + 5, LAST - 1, LAST):
        url = bursts.at(f"/?format=json&follow=0&after={after}", "ws")
        records = parse_records(take_node(url, None))
        assert seqs(records) == list(range(after + 1, LAST + 1))
