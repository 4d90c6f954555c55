# SPDX-License-Identifier: ISC
"""A client that goes on by another carrier each time, while the proxy before
it is killed and started again, gets every line once."""

import itertools
import os
import re
import sys

import pytest

from harness import wait_until
from viewers import parse_records

ROUNDS = 8
BATCH = 4000  # records a go()
WRITER = """
import os, sys
number = 0
for word in open("go"):
    for _ in range(20):
        for fd, name in ((1, "stdout"), (2, "stderr")):
            lines = (f"{name} {number + i}\\n" for i in range(100))
            os.write(fd, "".join(lines).encode())
        number += 100
    if word == "end\\n":
        sys.exit(3)
"""
EVENT = re.compile(
    r"(?:event: (?P<kind>.*)\n)?(?:id: (?P<run>\w+)/(?P<seq>\w+)\n)?"
    r"data: (?P<data>.*)"
)


class Reader:
    """What one connection gives, as (number, text), and then the exit.

    A subclass opens it and says how many lines have come so far."""

    def __init__(self, site, run, last):
        self.run = run
        self.last = last  # when it was opened
        self.exit = None
        self.query = f"after={last}&run={run}" if run else "after=0"
        self.open(site)

    def take_record(self, record):
        """The line of a record in json, if it is one."""
        assert record["type"] != "gap", record
        if record["type"] == "start":
            assert record["resumed"] or self.run is None
            assert self.run in (None, record["run"])
            self.run = record["run"]
        elif record["type"] == "exit":
            self.exit = record["code"]
        elif record["type"] == "line" and "partial" not in record:
            assert record["text"].startswith(record["stream"])
            yield record["seq"], record["text"]


class Records(Reader):
    format = "json"

    def open(self, site):
        self.viewer = site.view(f"?format={self.format}&{self.query}")

    def count(self):
        return sum(
            message.count("\n") + 1 for message in self.viewer.messages
        )

    def lines(self):
        self.viewer.wait(lambda: self.viewer.ended, "the end")
        for record in parse_records(self.viewer.messages):
            yield from self.take_record(record)


class Text(Records):
    """Which is counted; the run is told by the head of the answer."""

    format = "text"

    def lines(self):
        self.viewer.wait(lambda: self.viewer.ended, "the end")
        self.run = self.viewer.socket.response_headers["Wsexec-Run"]
        for text in self.viewer.messages:
            self.last += 1
            yield self.last, text
        if self.viewer.code == 1000:
            self.exit = int(self.viewer.reason.removeprefix("exit "))


class Download(Reader):
    """What has come without its end is not taken."""

    end = "\n"

    def open(self, site):
        self.curl = site.curl(f"?format=json&{self.query}")

    def count(self):
        return self.curl.output.bytes.count(self.end.encode())

    def whole_pieces(self):
        return self.curl.wait_end().decode().split(self.end)[:-1]

    def lines(self):
        for record in parse_records(self.whole_pieces()):
            yield from self.take_record(record)


class Events(Download):
    end = "\n\n"

    def open(self, site):
        place = f"Last-Event-ID: {self.run}/{self.last}"
        header = ["--header", place] if self.run else []
        self.curl = site.curl("events", *header)

    def lines(self):
        for piece in self.whole_pieces():
            event = EVENT.search(piece)
            if event is None:
                assert piece.startswith((":", "retry: ")), piece
            elif event["kind"] is None:
                assert self.run in (None, event["run"])
                yield int(event["seq"]), event["data"]
            else:
                for record in parse_records([event["data"]]):
                    yield from self.take_record(record)


READERS = [Records, Events, Download, Text]


class Client:
    """Has all lines so far."""

    def __init__(self, site):
        self.site = site
        self.run = None
        self.texts = []

    def open(self, kind):
        return kind(self.site, self.run, len(self.texts))

    def take(self, reader):
        """Takes all that comes until its end; returns the exit status."""
        for seq, text in reader.lines():
            assert seq == len(self.texts) + 1
            self.texts.append(text)
        self.run = reader.run
        return reader.exit


@pytest.mark.parametrize("first", [0, 3])
def test_every_line_comes_once(serve, first):
    site = serve("--quiet", "--linger", "forever",
                 command=[sys.executable, "-c", WRITER])
    client = Client(site)
    kinds = itertools.islice(itertools.cycle(READERS), first, None)
    for i in range(ROUNDS):
        reader = client.open(next(kinds))
        site.run.go()
        # Of those it missed, or of those that are being written.
        wanted = (i + 1) * 2 * BATCH // (ROUNDS + 1)
        wait_until(lambda: reader.count() > wanted, "lines to come")
        site.proxy.kill()
        site.run.go()  # nobody sees it now
        assert client.take(reader) is None
        site.proxy.start()
    os.write(site.run.gate, b"end\n")
    assert client.take(client.open(next(kinds))) == 3
    for stream in ("stdout", "stderr"):
        got = [text for text in client.texts if text.startswith(stream)]
        assert got == [
            f"{stream} {n}" for n in range(BATCH // 2 * (2 * ROUNDS + 1))
        ]
    # And so is the end, wherever it is asked for.
    for kind in READERS:
        assert client.take(client.open(kind)) == 3
