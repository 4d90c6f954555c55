# SPDX-License-Identifier: ISC
"""Every client gets every byte, however the output looks."""

import asyncio
import json
import random
import sys
import threading

import pytest

from harness import digest
from viewers import (
    Curl,
    has_node_client,
    lines_of,
    parse_records,
    rejoin,
    resume_url,
    take_aiohttp,
    take_node,
    take_websocket_client,
    take_websockets,
)

MAX_LINE = 65536


def compile_log(size):
    """What a build prints: long commands, diagnostics, colours."""
    randomness = random.Random(1)
    parts = []
    while size > 0:
        flags = " ".join(
            f"-D{randomness.randbytes(6).hex().upper()}={i}"
            for i in range(randomness.randrange(10, 40))
        )
        name = randomness.randbytes(5).hex()
        part = f"gcc -O2 {flags} -c -o {name}.o ../src/{name}.c\n"
        if randomness.random() < 0.2:
            part += (
                f"../src/{name}.c:17:3: \x1b[1;35mwarning:\x1b[0m unused"
                f" variable ‘{name}’\n\t   int {name};\n\n"
            )
        parts.append(part.encode())
        size -= len(parts[-1])
    return b"".join(parts)


def payloads():
    randomness = random.Random(2)
    return {
        "compile-log": compile_log(10_000_000),
        "short-lines": b"".join(b"%d\n" % i for i in range(30_000)),
        "one-long-line": "aé€😀".encode() * 500_000 + b"\n",
        "random-bytes": randomness.randbytes(1_000_000),
        "no-final-newline": b"one\ntwo\nthree",
        "only-newlines": b"\n" * 1000,
        "control-bytes": b"a\0b\n\0\nc\r\nd\r\n\r\n\x1b[31me\x7f\n\b\f\v\n",
        "line-of-the-limit": b"x" * MAX_LINE + b"\n" + b"y" * MAX_LINE,
        "one-byte": b"x",
        "empty": b"",
    }


PAYLOADS = payloads()


def text_messages(data):
    """The text messages there must be for these bytes."""
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return [line.decode(errors="replace") for line in lines]


@pytest.fixture(params=PAYLOADS)
def payload(request, directory):
    path = directory / "payload"
    path.write_bytes(PAYLOADS[request.param])
    return path


def test_every_format_has_every_byte(start, view, curl, payload):
    data = payload.read_bytes()
    run = start(
        "--quiet", "--wait-clients", "4", command=["cat", str(payload)]
    )
    fetched = curl(run.url)
    raw = view(run, "format=raw")
    text = view(run, "format=text")
    records = view(run, "format=json")
    assert run.wait() == 0
    assert digest(fetched.wait_end()) == digest(data)
    assert digest(b"".join(raw.wait_end().messages)) == digest(data)
    wanted = text_messages(data)
    joined = "".join(text.wait_end().messages).encode()
    assert digest(joined) == digest("".join(wanted).encode())
    if all(len(line) < MAX_LINE / 4 for line in wanted):
        assert text.messages == wanted
    repaired = data.decode(errors="replace").encode()
    assert digest(rejoin(records.wait_end().records())) == digest(repaired)


def test_latecomers_get_every_byte_after_the_end(start, curl, view, payload):
    data = payload.read_bytes()
    run = start(
        "--quiet", "--linger", "forever", command=["cat", str(payload)]
    )
    view(run, "format=json&tail=0").wait_record(type="exit")
    assert digest(curl(run.at("/raw")).wait_end()) == digest(data)


def test_lines_longer_than_the_limit_come_in_marked_pieces(start, view):
    line = "aé€😀" * 3000
    run = start(
        "--quiet", "--max-line", "1K", "--wait-clients", "1", "--",
        sys.executable, "-c", f"print({line!r}); print('next')",
        env={"PYTHONIOENCODING": "utf-8"},
    )
    pieces = lines_of(view(run, "format=json").wait_end().records())
    *pieces, last, following = pieces
    assert "".join(piece["text"] for piece in pieces) + last["text"] == line
    assert all(piece["continued"] is True for piece in pieces)
    assert all(1020 < len(p["text"].encode()) <= 1024 for p in pieces)
    assert "continued" not in last
    assert following["text"] == "next"


def test_an_output_that_ends_at_once_reaches_everybody(start, view, curl):
    for _ in range(10):
        run = start(
            "--quiet", "--wait-clients", "3", command=["printf", "x\ny"]
        )
        fetched = curl(run.url)
        text = view(run)
        records = view(run, "format=json")
        assert run.wait() == 0
        assert fetched.wait_end() == b"x\ny"
        assert text.wait_end().messages == ["x", "y"]
        assert rejoin(records.wait_end().records()) == b"x\ny"
        assert (text.code, text.reason) == (1000, "exit 0")


def test_each_stream_is_exact(start, view, curl, directory):
    out, err = compile_log(300_000), compile_log(200_000)[::-1]
    (directory / "out").write_bytes(out)
    (directory / "err").write_bytes(err)
    run = start(
        "--quiet", "--wait-clients", "4",
        script="cat ../out & cat ../err >&2; wait",
    )
    records = view(run, "format=json")
    only_err = view(run, "format=raw&stream=stderr")
    fetched = [
        curl(run.at("/raw?stream=stdout")), curl(run.at("/raw?stream=stderr"))
    ]
    assert run.wait() == 0
    records = records.wait_end().records()
    repaired = err.decode(errors="replace").encode()
    assert digest(rejoin(records, "stdout")) == digest(out)
    assert digest(rejoin(records, "stderr")) == digest(repaired)
    assert digest(b"".join(only_err.wait_end().messages)) == digest(err)
    assert digest(fetched[0].wait_end()) == digest(out)
    assert digest(fetched[1].wait_end()) == digest(err)


def test_writes_of_any_size_give_the_same_lines(start, view):
    data = "".join(f"{i} aé€😀\n" for i in range(300))
    script = (
        "import os, random\n"
        "r = random.Random(3)\n"
        f"data = {data.encode()!r}\n"
        "while data:\n"
        "    n = r.randrange(1, 12)\n"
        "    os.write(1, data[:n])\n"
        "    data = data[n:]\n"
    )
    run = start(
        "--quiet", "--wait-clients", "1", "--latency", "0",
        command=[sys.executable, "-c", script],
    )
    assert view(run).wait_end().messages == data.splitlines()


class Joiner(threading.Thread):
    """A client that takes some lines, leaves, comes back for the rest where
    it was, and so on to the end."""

    def __init__(self, take, base, run_id, stays):
        super().__init__(daemon=True)
        self.take = take
        self.url = f"{base}?format=json"
        self.run_id = run_id
        self.stays = stays
        self.records = []

    def run(self):
        last = 0
        for most in [*self.stays, None]:
            url = resume_url(self.url, self.run_id, last)
            records = parse_records(self.take(url, most))
            self.records += records
            last = max([last, *(r["seq"] for r in lines_of(records))])


def blocking(take):
    return lambda url, most: asyncio.run(take(url, most))


def test_clients_that_join_and_leave_at_random_get_the_same(
    start, view, directory
):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    randomness = random.Random(seed)
    bursts = [compile_log(40_000) for _ in range(6)]
    for i, burst in enumerate(bursts):
        (directory / f"burst{i}").write_bytes(burst)
    run = start(
        "--quiet", "--wait-clients", "1", "--linger", "forever",
        script="for i in 0 1 2 3 4 5; do cat ../burst$i; read _ <go; done",
    )
    watcher = view(run, "format=json")
    run_id = watcher.wait_record(type="start")["run"]
    takes = [blocking(take_websockets)] * 20 + [blocking(take_aiohttp)] * 12
    takes += [take_websocket_client] * 8
    if has_node_client():
        takes += [take_node] * 2
    randomness.shuffle(takes)
    base = run.at("/", "ws")
    joiners, fetches = [], []
    last = 0
    for burst in bursts:
        last += burst.count(b"\n")
        watcher.wait_record(type="line", seq=last)
        for take in takes[len(joiners):len(joiners) + 7]:
            stays = [randomness.randrange(1, 80) for _ in range(3)]
            joiners.append(Joiner(take, base, run_id, stays))
            joiners[-1].start()
        fetches += [Curl(run.url), Curl(run.at("/raw"))]
        if randomness.random() < 0.5:
            fetches.pop(0).close()
        run.go()
    data = b"".join(bursts)
    for joiner in joiners:
        joiner.join()
        assert digest(rejoin(joiner.records)) == digest(data)
        numbers = [r["seq"] for r in lines_of(joiner.records)]
        assert numbers == list(range(1, last + 1))
    for fetched in fetches:
        assert digest(fetched.wait_end()) == digest(data)
        fetched.close()
    assert digest(rejoin(watcher.wait_end().records())) == digest(data)


def test_messages_of_records_are_json_objects_and_newlines(start, view):
    run = start("--quiet", "--wait-clients", "1", script="echo one; echo two")
    for message in view(run, "format=json").wait_end().messages:
        for text in message.split("\n"):
            assert isinstance(json.loads(text), dict)
