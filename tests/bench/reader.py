# SPDX-License-Identifier: ISC
"""A WebSocket client that keeps what it gets, and counts what that took on
the wire."""

import socket
import threading

from websockets.client import ClientConnection
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory)
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

RECEIVE_BYTES = 1 << 18
TIMEOUT_S = 60


class Reader:
    """Connected when it has been made; reads in a thread until the end."""

    def __init__(self, port, deflate):
        self.wire_bytes = 0  # after the upgrade
        self.payload = []
        self.messages = []
        self.problem = None
        self.deflate = deflate
        self.protocol = ClientConnection(
            parse_uri(f"ws://127.0.0.1:{port}/"), max_size=None,
            extensions=[ClientPerMessageDeflateFactory(
                client_max_window_bits=True)] if deflate else None)
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
        self.protocol.send_request(self.protocol.connect())
        self.flush()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def flush(self):
        for data in self.protocol.data_to_send():
            if data:
                self.socket.sendall(data)

    def read(self):
        head = b""
        try:
            while data := self.socket.recv(RECEIVE_BYTES):
                if not self.wire_bytes:
                    head += data
                    self.wire_bytes = len(head.partition(b"\r\n\r\n")[2])
                else:
                    self.wire_bytes += len(data)
                self.protocol.receive_data(data)
                self.flush()
                self.take(self.protocol.events_received())
            self.protocol.receive_eof()
        except OSError as error:
            self.problem = str(error)

    def take(self, events):
        for event in events:
            if not isinstance(event, Frame):
                continue
            if event.opcode in (Opcode.TEXT, Opcode.CONT):
                self.payload.append(event.data)
                if event.fin:
                    self.messages.append(b"".join(self.payload))
                    self.payload.clear()

    def faults(self, wanted):
        """Waits for the end; says what differs from this log."""
        self.thread.join(TIMEOUT_S)
        self.socket.close()
        found = [self.problem] if self.problem else []
        if self.messages != wanted.split(b"\n")[:-1]:
            found.append(f"{len(self.messages)} messages are not the log")
        if bool(self.protocol.extensions) != self.deflate:
            found.append("not what was negotiated")
        if self.protocol.close_code != 1000:
            found.append(f"closed with {self.protocol.close_code}")
        return found
