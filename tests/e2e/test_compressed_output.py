# SPDX-License-Identifier: ISC
"""Compressed output: who gets it from when on, and that it is exact."""

import base64
import functools
import itertools
import random
import struct

import pytest

from harness import digest
from rawsocket import CLOSE, PING, PONG, frame
from viewers import lines_of, missing_from, parse_records, rejoin, resume_url

EPOCH_BYTES = 65536
RATE = 8 * 1024 * 1024  # bytes that are compressed in a second, at most
EXIT_0 = frame(CLOSE, struct.pack("!H", 1000) + b"exit 0", masked=False)


def log_lines(first, last):
    """The lines of these numbers: a log, about 100 bytes each, of which some
    are empty and some are long."""
    lines = []
    for i in range(first, last + 1):
        randomness = random.Random(i)
        line = (
            f"{i}: cc -O2 -D{randomness.randbytes(8).hex()} -Wall -c"
            f" src/müßig-{i % 7}.c -o build/{randomness.randrange(1000)}.o"
        )
        if i % 50 == 0:
            line = ""
        elif i % 99 == 0:
            line += " and so on" * randomness.randrange(900)
        lines.append(line)
    return lines


def joined(lines):
    return "".join(f"{line}\n" for line in lines).encode()


@pytest.fixture(name="start")
def start_compressing(start):
    """With the level that is the default, whatever WSEXEC_OPTIONS says."""
    return functools.partial(start, "--compression", "6")


@pytest.fixture
def part(directory):
    """part(lines, name) makes a file that a script finds as ../name."""

    def write(lines, name):
        (directory / name).write_bytes(joined(lines))

    return write


@pytest.fixture
def start_parts(start, part):
    """start_parts(option ..., parts=[lines, ...]) writes the first part, and
    the next one for each go(); after all of them it waits for another."""

    def start_run(*options, parts, between=""):
        for i, lines in enumerate(parts):
            part(lines, f"part{i}")
        return start(
            "--quiet", *options,
            script=f"for i in $(seq 0 {len(parts) - 1});"
            f" do cat ../part$i; {between} read _ <go; done",
        )

    return start_run


def assert_plain_then_compressed(peer, first=0):
    """From message number first on there are some plain ones, for no more than
    an epoch, and then compressed ones only."""
    plain = list(itertools.takewhile(
        lambda message: not message.compressed, peer.messages[first:]
    ))
    rest = peer.messages[first + len(plain):]
    assert plain and rest
    assert all(message.compressed for message in rest)
    assert sum(len(m.data) + 4 for m in plain[:-1]) < EPOCH_BYTES


@pytest.mark.parametrize("level", ["1", "6", "9"])
def test_who_is_there_from_the_start_gets_compressed_lines(
    start, part, inflate, level
):
    lines = log_lines(1, 4000)
    part(lines, "part")
    run = start(
        "--quiet", "--compression", level, "--wait-clients", "1",
        script="cat ../part",
    )
    peer = inflate(run).read_end()
    assert peer.texts() == lines
    assert all(peer.kinds())


@pytest.mark.valgrind
@pytest.mark.parametrize("query", ["tail=1", "after=500", "tail=0"])
def test_who_joins_later_gets_plain_lines_until_an_epoch_begins(
    start_parts, connect, inflate, query
):
    parts = [log_lines(1, 700), log_lines(701, 3000)]
    run = start_parts(parts=parts)
    watcher = connect(run).upgrade()
    for _ in parts[0]:
        watcher.read_message()
    peer = inflate(run, query)
    run.go()
    run.go()
    lines = parts[0] + parts[1]
    first = {"tail=1": 699, "after=500": 500, "tail=0": 700}[query]
    assert peer.read_end().texts() == lines[first:]
    assert_plain_then_compressed(peer)


def test_what_there_is_so_far_ends_inside_an_epoch(start_parts, inflate):
    parts = [log_lines(1, 1500), log_lines(1501, 1600)]
    run = start_parts("--wait-clients", "1", parts=parts)
    watcher = inflate(run)
    watcher.read_count(len(parts[0]))
    for first in (0, 400):
        peer = inflate(run, f"follow=0&after={first}")
        assert peer.read_end().texts() == parts[0][first:]
        if first == 0:
            assert all(peer.kinds())
        else:
            assert_plain_then_compressed(peer)
    run.go()
    run.go()
    assert watcher.read_end().texts() == parts[0] + parts[1]
    assert all(watcher.kinds())


# Base64 of random bytes: compressed it is still three quarters as much.
NOISE_LINE_BYTES = 99
NOISE_LINES = 4000
NOISE_BURSTS = 16


def noise():
    randomness = random.Random(3)
    size = (NOISE_LINE_BYTES * 3 + 3) // 4
    return [
        base64.b64encode(randomness.randbytes(size))[:NOISE_LINE_BYTES]
        .decode() for _ in range(NOISE_BURSTS * NOISE_LINES)
    ]


def test_who_missed_lines_is_compressed_for_again(
    start_parts, connect, inflate
):
    lines = noise()
    parts = [
        lines[i:i + NOISE_LINES] for i in range(0, len(lines), NOISE_LINES)
    ]
    tail = log_lines(1, 2000)
    run = start_parts(
        "--client-buffer", "1M", "--wait-clients", "2", parts=[*parts, tail]
    )
    slow = inflate(run, "format=json")
    good = connect(run).upgrade()
    for _ in parts:
        for _ in range(NOISE_LINES):
            good.read_message()
        run.go()
    run.go()
    records = parse_records(slow.read_end().texts())
    last = len(lines) + len(tail)
    assert missing_from(records, last) == ([], 0)
    written = lines + tail
    for record in lines_of(records):
        assert record["text"] == written[record["seq"] - 1]
    gap = [i for i, r in enumerate(records) if r["type"] == "gap"][-1]
    kinds = slow.record_kinds()
    assert not kinds[gap] and not kinds[gap + 1]
    # It is compressed for while it is still behind, and does not fall back.
    again = kinds.index(True, gap)
    assert records[again]["seq"] < len(lines)
    plain = sum(len(r["text"]) for r in records[gap + 1:again - 1])
    assert plain < EPOCH_BYTES


@pytest.mark.valgrind
def test_only_lines_are_compressed(start_parts, view, inflate):
    parts = [log_lines(1, 300), log_lines(301, 600)]
    run = start_parts(
        "--wait-clients", "1", parts=parts, between="printf 'prompt> ';"
    )
    peer = inflate(run, "format=json")
    peer.read_to(b'"partial":true')
    view(run)
    peer.read_to(b'"count":2')
    run.go()
    peer.read_to(b'"partial":true')
    run.go()
    peer.read_end()
    seen = set()
    for message in peer.messages:
        first, *others = parse_records([message.data.decode()])
        assert message.compressed == bool(lines_of([first]))
        assert lines_of(others) == others
        assert message.compressed or not others
        seen.add(first["type"])
    assert seen == {"start", "line", "clients", "exit"}
    records = parse_records(peer.texts())
    assert [r["text"] for r in records if "partial" in r] == ["prompt> "] * 2
    parts[1][0] = f"prompt> {parts[1][0]}"
    assert rejoin(records) == joined(parts[0] + parts[1]) + b"prompt> "
    assert missing_from(records, 601) == ([], 0)


def test_raw_bytes_of_an_unfinished_line_come_once(start_parts, inflate):
    parts = [log_lines(1, 300), log_lines(301, 2000), log_lines(1, 10)]
    run = start_parts(
        "--wait-clients", "1", parts=parts, between="printf 'prompt> ';"
    )
    peer = inflate(run, "format=raw")
    for lines in parts:
        peer.read_to(b"prompt> ")
        assert peer.messages[-1] == (b"prompt> ", False)
        run.go()
    peer.read_end()
    wanted = b"".join(joined(lines) + b"prompt> " for lines in parts)
    assert b"".join(message.data for message in peer.messages) == wanted
    # What is left of the line is plain, and so is what comes after it until
    # the next epoch.
    kinds = peer.kinds()
    assert kinds[:302] == [True] * 300 + [False] * 2
    again = kinds.index(True, 302)
    assert all(kinds[again:kinds.index(False, again)])
    assert sum(len(m.data) for m in peer.messages[301:again]) < EPOCH_BYTES


def test_pings_come_between_compressed_lines(start_parts, inflate):
    parts = [log_lines(i * 100 + 1, i * 100 + 100) for i in range(4)]
    run = start_parts(
        "--wait-clients", "1", "--ping-interval", "0.25", parts=parts
    )
    peer = inflate(run)
    for i in range(len(parts)):
        peer.read_count(100 * i + 100)
        peer.send(frame(PONG, peer.read_control(PING)))
        run.go()
    assert peer.read_end().texts() == sum(parts, [])
    assert all(peer.kinds())


def test_a_flood_is_not_held_up_by_compression(start, inflate, directory):
    line = b"a line of a flood, of which there are many more; "
    data = b"".join(line * 2 + b"%08d\n" % i for i in range(600_000))
    assert len(data) > 6 * RATE
    (directory / "data").write_bytes(data)
    run = start(
        "--quiet", "--wait-clients", "1",
        "--history", "256M", script="cat ../data",
    )
    peer = inflate(run)
    peer.read_ahead(EXIT_0)
    peer.read_end()
    got = b"".join(message.data + b"\n" for message in peer.messages)
    assert digest(got) == digest(data)
    assert set(peer.kinds()) == {False, True}


def test_who_comes_back_goes_on_exactly(start_parts, inflate):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    randomness = random.Random(seed)
    parts = [log_lines(i * 1500 + 1, i * 1500 + 1500) for i in range(3)]
    lines = sum(parts, [])
    run = start_parts("--wait-clients", "1", parts=parts)
    peer = inflate(run)
    run_id = peer.fields["wsexec-run"]
    got, kinds = [], set()
    while len(got) < len(lines):
        stay = 1 + randomness.randrange(300)
        peer.read_count(min(stay, 1500 - len(got) % 1500))
        got += peer.texts()
        kinds |= set(peer.kinds())
        peer.close()
        if len(got) % 1500 == 0:
            run.go()
        if len(got) < len(lines):
            peer = inflate(run, resume_url("", run_id, len(got))[1:])
    assert got == lines
    assert kinds == {False, True}


def test_formats_and_streams_are_compressed_at_the_same_time(
    start, part, inflate
):
    lines, wrong = log_lines(1, 2000), log_lines(2001, 2100)
    part(lines, "lines")
    part(wrong, "wrong")
    run = start(
        "--quiet", "--wait-clients", "4",
        script="cat ../lines; cat ../wrong >&2",
    )
    text = inflate(run)
    records = inflate(run, "format=json")
    raw = inflate(run, "format=raw&stream=stdout")
    stderr = inflate(run, "stream=stderr")
    assert sorted(text.read_end().texts()) == sorted(lines + wrong)
    got = parse_records(records.read_end().texts())
    assert rejoin(got, "stdout") == joined(lines)
    assert rejoin(got, "stderr") == joined(wrong)
    assert missing_from(got, 2100) == ([], 0)
    data = b"".join(message.data for message in raw.read_end().messages)
    assert digest(data) == digest(joined(lines))
    assert stderr.read_end().texts() == wrong
    for peer in (text, raw, stderr):
        assert all(peer.kinds())
    assert [r["type"] == "line" for r in got] == records.record_kinds()


def test_clients_that_join_at_random_get_the_same(
    start_parts, connect, inflate
):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    randomness = random.Random(seed)
    parts = [log_lines(i * 800 + 1, i * 800 + 800) for i in range(10)]
    lines = sum(parts, [])
    run = start_parts("--wait-clients", "1", parts=parts)
    watcher = connect(run).upgrade()
    joiners = []
    for i in range(len(parts)):
        for _ in range(800):
            watcher.read_message()
        for _ in range(5):
            after = randomness.randrange(800 * i + 801)
            json_too = randomness.random() < 0.3
            query = f"after={after}" + ("&format=json" * json_too)
            joiners.append((inflate(run, query), after, json_too))
            if randomness.random() < 0.5:
                joiners[-1][0].read_count(1)
        run.go()
    kinds = set()
    for peer, after, json_too in joiners:
        got = peer.read_end().texts()
        kinds |= set(peer.kinds())
        if json_too:
            got = [record["text"] for record in lines_of(parse_records(got))]
        assert got == lines[after:]
    assert kinds == {False, True}
