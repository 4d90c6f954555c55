# SPDX-License-Identifier: ISC
"""A peer without manners: HTTP and WebSocket by hand, over a plain socket."""

import base64
import contextlib
import hashlib
import json
import os
import socket
import struct

from harness import TIMEOUT_S

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def head(target="/", method="GET", version="HTTP/1.1", **fields):
    """A request head; None leaves a field out, _ in a name is -."""
    fields = {"Host": "127.0.0.1", **fields}
    lines = [f"{method} {target} {version}"]
    for name, value in fields.items():
        if value is not None:
            lines.append(f"{name.replace('_', '-')}: {value}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def upgrade_head(target="/", **fields):
    """The head of an opening handshake."""
    fields = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec_WebSocket_Version": "13",
        "Sec_WebSocket_Key": KEY,
        **fields,
    }
    return head(target, **fields)


def accept_key(key=KEY):
    sha1 = hashlib.sha1(key.encode() + GUID)
    return base64.b64encode(sha1.digest()).decode()


def frame(opcode, payload=b"", final=True, masked=True, reserved=0):
    """A frame as clients send them."""
    first = (0x80 if final else 0) | reserved << 4 | opcode
    mask_bit = 0x80 if masked else 0
    if len(payload) < 126:
        header = struct.pack("!BB", first, mask_bit | len(payload))
    elif len(payload) < 65536:
        header = struct.pack("!BBH", first, mask_bit | 126, len(payload))
    else:
        header = struct.pack("!BBQ", first, mask_bit | 127, len(payload))
    if not masked:
        return header + payload
    mask = os.urandom(4)
    return header + mask + bytes(
        byte ^ mask[i % 4] for i, byte in enumerate(payload)
    )


def close_frame(code=None, reason=b""):
    payload = b"" if code is None else struct.pack("!H", code) + reason
    return frame(CLOSE, payload)


def without_date(peer):
    """The fields of an answer that do not change by themselves."""
    return {k: v for k, v in peer.fields.items() if k != "date"}


class Peer:
    """A connection to wsexec, by TLS with an ssl.SSLContext."""

    def __init__(self, port, tls=None):
        self.socket = socket.socket()
        self.socket.settimeout(TIMEOUT_S)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self.socket = tls.wrap_socket(
                self.socket, server_hostname="localhost"
            )
        self.rest = b""
        self.taken = 0  # bytes of rest that have been read
        self.status = None
        self.fields = {}

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_bytewise(self, data):
        for i in range(len(data)):
            self.socket.sendall(data[i:i + 1])

    def receive(self):
        """More bytes, or none at the end, also if that is a reset."""
        try:
            return self.socket.recv(65536)
        except ConnectionResetError:
            return b""

    def read_more(self):
        data = self.receive()
        if not data:
            raise EOFError(f"only {self.rest[self.taken:]!r}")
        self.rest = self.rest[self.taken:] + data
        self.taken = 0

    def read(self, size):
        """Exactly so many bytes; EOFError: there are no more."""
        while len(self.rest) - self.taken < size:
            self.read_more()
        self.taken += size
        return self.rest[self.taken - size:self.taken]

    def read_until(self, end):
        while (found := self.rest.find(end, self.taken)) == -1:
            self.read_more()
        data = self.rest[self.taken:found]
        self.taken = found + len(end)
        return data

    def read_rest(self):
        """All bytes to the end of the connection."""
        parts = [self.rest[self.taken:]]
        while data := self.receive():
            parts.append(data)
        self.rest, self.taken = b"", 0
        return b"".join(parts)

    def read_head(self):
        """Reads the head of an answer; returns the status."""
        first, *lines = self.read_until(b"\r\n\r\n").decode().split("\r\n")
        self.status = int(first.split()[1])
        self.fields = {}
        for line in lines:
            name, _, value = line.partition(":")
            self.fields[name.lower()] = value.strip()
        return self.status

    def read_body(self):
        return self.read(int(self.fields.get("content-length", "0")))

    def read_chunks(self):
        """The body in chunks; EOFError: it has no last one."""
        parts = []
        while size := int(self.read_until(b"\r\n"), 16):
            parts.append(self.read(size))
            assert self.read(2) == b"\r\n"
        assert self.read(2) == b"\r\n"
        return b"".join(parts)

    def ask(self, request):
        """Sends a request; returns the status of the answer."""
        self.send(request)
        return self.read_head()

    def upgrade(self, target="/", **fields):
        """The opening handshake, which must succeed; returns itself."""
        assert self.ask(upgrade_head(target, **fields)) == 101
        assert self.fields["sec-websocket-accept"] == accept_key()
        return self

    def read_ahead(self, end):
        """Receives until what has come ends so, to be read after that."""
        data = bytearray(self.rest[self.taken:])
        while not data.endswith(end):
            more = self.receive()
            if not more:
                raise EOFError(f"no {end!r} after {len(data)} bytes")
            data += more
        self.rest, self.taken = bytes(data), 0

    def read_raw_frame(self):
        """The first byte and the payload of the next frame."""
        first, second = self.read(2)
        assert first & 0x80, "the frame is not final"
        assert second & 0x80 == 0, "the frame is masked"
        size = second
        if second == 126:
            (size,) = struct.unpack("!H", self.read(2))
        elif second == 127:
            (size,) = struct.unpack("!Q", self.read(8))
        return first, self.read(size)

    def read_frame(self):
        """The opcode and payload of the next frame, which must be one that a
        server may send."""
        first, payload = self.read_raw_frame()
        assert first & 0x70 == 0, "a reserved bit is set"
        return first & 0x0f, payload

    def read_message(self):
        """The next message as a string; pings are answered."""
        while True:
            opcode, payload = self.read_frame()
            if opcode == PING:
                self.send(frame(PONG, payload))
            if opcode == TEXT:
                return payload.decode()

    def read_control(self, wanted):
        """The payload of the next such control frame; frames before it are
        dropped."""
        while True:
            opcode, payload = self.read_frame()
            if opcode == wanted:
                return payload

    def read_close(self):
        """The code and reason of the close frame, which must be the last
        thing there is; code None: it is empty."""
        while (received := self.read_frame())[0] != CLOSE:
            assert received[0] in (TEXT, BINARY, PING), received
        payload = received[1]
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
        assert self.read_rest() == b""
        if not payload:
            return None, ""
        return struct.unpack("!H", payload[:2])[0], payload[2:].decode()

    def read_records(self):
        """All records of json to the close frame, and its code and reason."""
        messages, code, reason = self.read_messages()
        return [
            json.loads(text) for message in messages
            for text in message.split(b"\n")
        ], code, reason

    def read_messages(self):
        """All messages to the close frame, and its code and reason."""
        messages = []
        while True:
            opcode, payload = self.read_frame()
            if opcode == CLOSE:
                break
            if opcode in (TEXT, BINARY):
                messages.append(payload)
        self.send(frame(CLOSE, payload))
        return (
            messages, struct.unpack("!H", payload[:2])[0], payload[2:].decode()
        )
