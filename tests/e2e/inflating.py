# SPDX-License-Identifier: ISC
"""A peer with permessage-deflate that sees which messages are compressed."""

import collections
import struct
import zlib

from rawsocket import BINARY, CLOSE, PING, PONG, TEXT, Peer, frame

OFFER = "permessage-deflate"
ANSWER = (
    "permessage-deflate; server_max_window_bits=12; client_no_context_takeover"
)
WINDOW_BITS = 12
COMPRESSED = 0x40
TAIL = b"\0\0\xff\xff"

Message = collections.namedtuple("Message", "data compressed")


class InflatingPeer(Peer):
    """A WebSocket client that gets output; keeps every message.

    It has one stream to inflate with, and the window it was promised."""

    def __init__(self, port, query="", offer=OFFER):
        super().__init__(port)
        self.messages = []
        self.inflater = zlib.decompressobj(-WINDOW_BITS)
        self.upgrade(f"/?{query}", Sec_WebSocket_Extensions=offer)
        assert self.fields["sec-websocket-extensions"] == ANSWER

    def read_frame(self):
        first, payload = self.read_raw_frame()
        opcode = first & 0x0f
        assert first & 0x30 == 0, "a reserved bit is set"
        if opcode not in (TEXT, BINARY):
            assert first & COMPRESSED == 0, "a control frame is compressed"
            return opcode, payload
        if first & COMPRESSED:
            payload = self.inflater.decompress(payload + TAIL)
            assert not self.inflater.unconsumed_tail
            assert not self.inflater.eof, "the stream has no end"
        if opcode == TEXT:
            payload.decode()  # must be UTF-8
        self.messages.append(Message(payload, bool(first & COMPRESSED)))
        return opcode, payload

    def read_to(self, wanted):
        """Reads messages until one has these bytes; answers pings."""
        while True:
            opcode, payload = self.read_frame()
            if opcode == PING:
                self.send(frame(PONG, payload))
            assert opcode != CLOSE, payload
            if opcode in (TEXT, BINARY) and wanted in payload:
                return

    def read_count(self, count):
        """Reads until there are so many messages."""
        while len(self.messages) < count:
            assert self.read_frame()[0] != CLOSE

    def read_end(self):
        """Reads all, which must end with 1000; returns itself."""
        while (received := self.read_frame())[0] != CLOSE:
            pass
        self.send(frame(CLOSE, received[1]))
        assert struct.unpack("!H", received[1][:2])[0] == 1000, received
        return self

    def texts(self):
        return [message.data.decode() for message in self.messages]

    def kinds(self):
        """For each message whether it was compressed."""
        return [message.compressed for message in self.messages]

    def record_kinds(self):
        """For each record of json whether it came compressed."""
        return [
            message.compressed for message in self.messages
            for _ in message.data.split(b"\n")
        ]
