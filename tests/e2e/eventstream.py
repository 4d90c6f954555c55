# SPDX-License-Identifier: ISC
"""A client of event streams by hand, after the HTML standard."""

import json
import re

from rawsocket import Peer, head


class Event:
    def __init__(self, kind, data, event_id):
        self.type = kind
        self.data = data
        self.id = event_id  # of this event; None: it has none

    def __repr__(self):
        return f"Event({self.type!r}, {self.data!r}, {self.id!r})"

    def record(self):
        return json.loads(self.data)


class EventStream(Peer):
    """An answer that is an event stream, from its head on."""

    def __init__(self, port, target="/events", status=200, **fields):
        super().__init__(port)
        assert self.ask(head(target, **fields)) == status, self.status
        self.waiting = []  # events not yet asked for
        self.retry_ms = None
        self.comments = 0
        self.ended = False

    def take_block(self, block):
        """What is between two empty lines."""
        kind, event_id, data = "message", None, []
        for line in re.split("\r\n|\n|\r", block):
            name, colon, value = line.partition(":")
            value = value.removeprefix(" ")
            assert colon, line
            if name == "":
                self.comments += 1
            elif name == "retry":
                self.retry_ms = int(value)
            elif name == "event":
                kind = value
            elif name == "id":
                event_id = value
            elif name == "data":
                data.append(value)
            else:
                raise AssertionError(f"no such field: {line!r}")
        if data:
            self.waiting.append(Event(kind, "\n".join(data), event_id))

    def read_body_part(self):
        """Takes a chunk, of whole events; at the end it is the last one."""
        if "transfer-encoding" not in self.fields:
            self.take_blocks(self.read_rest())
            self.ended = True
            return
        size = int(self.read_until(b"\r\n"), 16)
        self.take_blocks(self.read(size))
        assert self.read(2) == b"\r\n"
        self.ended = size == 0

    def take_blocks(self, data):
        *blocks, rest = data.decode().split("\n\n")
        assert rest == ""
        for block in blocks:
            self.take_block(block)

    def next(self, *kinds):
        """The next event, of these types if some are given."""
        while True:
            while not self.waiting:
                assert not self.ended, f"no more events, for {kinds}"
                self.read_body_part()
            event = self.waiting.pop(0)
            if not kinds or event.type in kinds:
                return event

    def read_all(self):
        """The events up to the end, which must be one, but for clients."""
        while not self.ended:
            self.read_body_part()
        events, self.waiting = self.waiting, []
        return [event for event in events if event.type != "clients"]
