# SPDX-License-Identifier: ISC
"""Clients that are not ours: websockets, aiohttp, websocket-client, curl,
Node's ws; and what they have got, put together again."""

import asyncio
import contextlib
import json
import os
import re
import subprocess
import threading

import aiohttp
import pytest
import websocket
import websockets

from harness import TIMEOUT_S, Collector

# With a bounded queue, who leaves in a flood waits for the close timeout.
WEBSOCKETS_OPTIONS = {
    "max_size": None, "max_queue": None, "ping_interval": None
}


class Viewer:
    """A WebSocket client (websockets) in a thread of its own, of a server at
    path, if that is given. keywords are for the connection.

    Made when the handshake is over; keeps every message."""

    def __init__(self, url, path=None, **keywords):
        self.url = url
        self.path = path
        self.keywords = {**WEBSOCKETS_OPTIONS, **keywords}
        self.messages = []
        self.code = None
        self.reason = None
        self.error = None
        self.ended = False
        self.socket = None
        self.loop = asyncio.new_event_loop()
        self.task = self.loop.create_task(self.watch())
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        self.wait(lambda: self.socket is not None, "the handshake")

    def connect(self):
        if self.path is not None:
            return websockets.unix_connect(
                str(self.path), self.url, **self.keywords
            )
        return websockets.connect(self.url, **self.keywords)

    def run(self):
        try:
            self.loop.run_until_complete(self.task)
        except asyncio.CancelledError:  # by close()
            pass
        except Exception as error:  # pylint: disable=broad-except
            self.error = error
        with self.changed:
            self.ended = True
            self.changed.notify_all()
        self.loop.close()

    async def watch(self):
        async with self.connect() as socket:
            with self.changed:
                self.socket = socket
                self.changed.notify_all()
            try:
                async for message in socket:
                    with self.changed:
                        self.messages.append(message)
                        self.changed.notify_all()
            except websockets.ConnectionClosedError:
                pass
            self.code = socket.close_code
            self.reason = socket.close_reason

    def wait(self, condition, what):
        with self.changed:
            self.changed.wait_for(lambda: condition() or self.ended, TIMEOUT_S)
            if not condition():
                pytest.fail(
                    f"never happened: {what}; {self.error!r}, closed with"
                    f" {self.code} {self.reason!r}, {len(self.messages)}"
                    f" messages, the last {self.messages[-3:]!r}"
                )

    def send(self, *messages):
        """Sends messages, str as text and bytes as binary."""

        async def send_all():
            for message in messages:
                await self.socket.send(message)

        asyncio.run_coroutine_threadsafe(send_all(), self.loop).result(
            TIMEOUT_S
        )

    def wait_end(self):
        """Waits until the connection is closed; returns itself."""
        self.wait(lambda: self.ended, "the end")
        if self.error is not None:
            raise self.error
        return self

    def records(self):
        with self.changed:
            messages = list(self.messages)
        return parse_records(messages)

    def wait_record(self, **wanted):
        """Waits for a record with these fields; returns it."""
        looked_at = 0

        def find():
            nonlocal looked_at
            while looked_at < len(self.messages):
                message = self.messages[looked_at]
                looked_at += 1
                for record in parse_records([message]):
                    if wanted.items() <= record.items():
                        found.append(record)
            return found

        found = []
        self.wait(find, f"a record with {wanted}")
        return found[0]

    def wait_message(self, wanted):
        self.wait(lambda: wanted in self.messages, f"{wanted!r}")

    def close(self):
        with contextlib.suppress(RuntimeError):  # it has ended by itself
            self.loop.call_soon_threadsafe(self.task.cancel)
        self.thread.join(TIMEOUT_S)


class Curl:
    """curl, from the answer's first byte on."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            ["curl", "-sSN", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.output = Collector(self.process.stdout)

    def wait_end(self):
        """Waits for its end; returns all it wrote."""
        data = self.output.wait_end()
        self.process.wait(TIMEOUT_S)
        return data

    def close(self):
        self.process.kill()
        self.process.wait()
        self.output.thread.join(TIMEOUT_S)
        self.process.stdout.close()


class Answer:
    """What curl -i shows."""

    def __init__(self, shown):
        head, _, self.body = shown.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        self.status = int(first.split()[1])
        self.fields = {}
        for line in lines:
            name, _, value = line.partition(":")
            self.fields[name.lower()] = value.strip()


def fetch(url, *arguments):
    """Fetches with curl; returns the Answer."""
    curl = ["curl", "-sSi", "--max-time", str(TIMEOUT_S), *arguments, url]
    return Answer(subprocess.run(curl, capture_output=True, check=True).stdout)


def parse_records(messages):
    """Records of the format json; a message may hold several."""
    return [
        json.loads(line)
        for message in messages
        for line in message.split("\n")
        if line
    ]


def lines_of(records, stream=None):
    """The records that are whole lines or pieces of them."""
    return [
        record
        for record in records
        if record["type"] == "line"
        and "partial" not in record
        and stream in (None, record["stream"])
    ]


def rejoin(records, stream=None):
    """The bytes a command wrote, from records."""
    return "".join(
        record["text"] + ("" if record.get("continued") else "\n")
        for record in lines_of(records, stream)
    ).encode()


def missing_from(records, last):
    """The sequence numbers up to last that nothing is said of, and those of
    which more than one thing is."""
    told = []
    for record in records:
        if record["type"] == "gap":
            told.extend(range(record["first"], record["last"] + 1))
    told.extend(record["seq"] for record in lines_of(records))
    seen = set(told)
    twice = len(told) - len(seen)
    return sorted(set(range(1, last + 1)) ^ seen), twice


def resume_url(url, run, last):
    """The URL that goes on behind the line last of a run."""
    separator = "&" if "?" in url else "?"
    return f"{url}{separator}run={run}&after={last}"


async def take_websockets(url, most):
    """Takes at most so many messages (None: all); returns them."""
    taken = []
    async with websockets.connect(url, **WEBSOCKETS_OPTIONS) as socket:
        async for message in socket:
            taken.append(message)
            if most is not None and len(taken) >= most:
                break
    return taken


async def take_aiohttp(url, most):
    taken = []
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        async with session.ws_connect(
            url, max_msg_size=0, compress=15
        ) as socket:
            async for message in socket:
                taken.append(message.data)
                if most is not None and len(taken) >= most:
                    break
    return taken


def take_websocket_client(url, most, **keywords):
    taken = []
    socket = websocket.create_connection(
        url, timeout=TIMEOUT_S, **keywords
    )
    try:
        while most is None or len(taken) < most:
            opcode, data = socket.recv_data()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                break
            taken.append(data.decode())
    finally:
        socket.close()
        socket.shutdown()  # close() leaves that out if the server was first
    return taken


NODE_CLIENT = """
const socket = new (globalThis.WebSocket ?? require('ws'))(process.argv[1]);
const most = Number(process.argv[2]);
let taken = 0;
socket.onmessage = (event) => {
    if (taken === most)
        return;
    process.stdout.write(JSON.stringify(event.data) + '\\n');
    if (++taken === most)
        socket.close();
};
socket.onerror = (event) => { throw event.error ?? event; };
"""


def has_node_client():
    try:
        script = "globalThis.WebSocket ?? require('ws')"
        return subprocess.run(
            ["node", "-e", script], capture_output=True, env=node_environment()
        ).returncode == 0
    except FileNotFoundError:
        return False


def node_environment():
    return {"NODE_PATH": "/usr/share/nodejs", **os.environ}


def take_node(url, most):
    shown = subprocess.run(
        ["node", "-e", NODE_CLIENT, url, str(-1 if most is None else most)],
        stdout=subprocess.PIPE,
        env=node_environment(),
        timeout=TIMEOUT_S,
        check=True,
    ).stdout
    return [json.loads(line) for line in shown.splitlines()]


def sequence_number_in(reason):
    """The number that the reason of a close frame names."""
    return int(re.search(r"(\d+)$", reason)[1])
