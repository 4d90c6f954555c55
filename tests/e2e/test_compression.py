# SPDX-License-Identifier: ISC
"""permessage-deflate, RFC 7692: who gets it, and what clients may send."""

import asyncio
import functools
import struct
import subprocess
import zlib

import aiohttp
import pytest
import websockets

from harness import TIMEOUT_S, digest
from inflating import OFFER
from rawsocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    frame,
    upgrade_head,
)
from viewers import WEBSOCKETS_OPTIONS, has_node_client, node_environment

FIELD = "sec-websocket-extensions"
MESSAGE_MAX = 4096
HELLO = b"\xf2\x48\xcd\xc9\xc9\x07\x00"


def deflated(data, level=9):
    """The payload of a message as a client compresses it."""
    compressor = zlib.compressobj(level, zlib.DEFLATED, -15)
    compressed = compressor.compress(data)
    compressed += compressor.flush(zlib.Z_SYNC_FLUSH)
    assert compressed.endswith(b"\0\0\xff\xff")
    return compressed[:-4]


@pytest.fixture(name="start")
def start_compressing(start):
    """With the level that is the default, whatever WSEXEC_OPTIONS says."""
    return functools.partial(start, "--compression", "6")


@pytest.fixture
def run(start):
    """Has written one line, and writes another for each go()."""
    return start(
        "--quiet", script="echo first; while read _ <go; do echo next; done"
    )


@pytest.fixture
def peer(run, inflate):
    return inflate(run)


@pytest.mark.parametrize("offer", [
    OFFER,
    "permessage-deflate; client_max_window_bits",
    "permessage-deflate; client_max_window_bits=8",
    "permessage-deflate;server_max_window_bits=12;client_max_window_bits=12",
    "permessage-deflate; server_max_window_bits=\"15\"",
    "permessage-deflate; client_no_context_takeover",
    "permessage-deflate; server_max_window_bits=9, permessage-deflate",
    "permessage-bzip2; a=b, permessage-deflate; client_max_window_bits",
    "x\r\nSec-WebSocket-Extensions: permessage-deflate",
])
def test_an_offer_is_taken(run, inflate, offer):
    peer = inflate(run, offer=offer)
    assert peer.read_message() == "first"
    assert peer.kinds() == [True]


@pytest.mark.parametrize("offer", [
    None,
    "",
    "permessage-bzip2",
    "permessage-deflate; server_max_window_bits=11",
    "permessage-deflate; server_no_context_takeover",
    "permessage-deflate; client_max_window_bits=16",
    "permessage-deflate; unknown",
    "permessage-deflate; client_no_context_takeover=1",
    "permessage-deflate; client_max_window_bits; client_max_window_bits",
    "permessage-deflate;",
    "permessage-deflate, =",
    "permessage-deflate, x=\"",
    "permessage-deflate\r\nSec-WebSocket-Extensions: \"",
])
def test_an_offer_is_passed_over(run, connect, offer):
    peer = connect(run).upgrade(Sec_WebSocket_Extensions=offer)
    assert FIELD not in peer.fields
    assert peer.read_message() == "first"
    peer.send(frame(TEXT, HELLO, reserved=4))
    assert peer.read_close()[0] == 1002


def test_no_offer_is_taken_without_compression(start, connect):
    run = start("--compression", "0", "--quiet", script="echo first; cat <go")
    peer = connect(run).upgrade(Sec_WebSocket_Extensions=OFFER)
    assert FIELD not in peer.fields
    assert peer.read_message() == "first"
    peer.send(frame(TEXT, HELLO, reserved=4))
    assert peer.read_close()[0] == 1002


def test_http_has_no_extension(run, connect):
    peer = connect(run)
    peer.send(upgrade_head(
        Sec_WebSocket_Extensions=OFFER, Upgrade=None, Connection=None,
        Sec_WebSocket_Key=None,
    ))
    assert peer.read_head() == 200
    assert FIELD not in peer.fields


# The reserved bit 4, the first one, says that a message is compressed.
MESSAGES = {
    "text": frame(TEXT, HELLO, reserved=4),
    "binary": frame(BINARY, deflated(bytes(range(256))), reserved=4),
    "empty": frame(TEXT, b"\0", reserved=4),
    "not compressed": frame(TEXT, b"not compressed"),
    "longest": frame(TEXT, deflated(b"x" * MESSAGE_MAX), reserved=4),
    "pieces": (
        frame(TEXT, HELLO[:3], final=False, reserved=4)
        + frame(PING, b"in between")
        + frame(CONTINUATION, HELLO[3:4], final=False)
        + frame(CONTINUATION, HELLO[4:])
    ),
    "several": (
        frame(TEXT, HELLO, reserved=4) * 2 + frame(TEXT, b"plain")
        + frame(TEXT, deflated("€".encode()), reserved=4)
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_compressed_messages_of_clients_are_ignored(run, peer, name):
    data = MESSAGES[name]
    peer.send(data + frame(PING, b"whole"))
    while peer.read_control(PONG) != b"whole":
        pass
    peer.send_bytewise(data + frame(PING, b"bytewise"))
    while peer.read_control(PONG) != b"bytewise":
        pass
    run.go()
    while peer.read_message() != "next":
        pass


VIOLATIONS = {
    "bomb": (frame(TEXT, deflated(bytes(3_500_000)), reserved=4), 1009),
    "one byte too big": (
        frame(BINARY, deflated(b"x" * (MESSAGE_MAX + 1)), reserved=4), 1009
    ),
    "too big compressed": (frame(BINARY, b"\0" * 4673, reserved=4), 1009),
    "pieces too big compressed": (
        frame(BINARY, b"\0" * 4000, final=False, reserved=4)
        + frame(CONTINUATION, b"\0" * 673),
        1009,
    ),
    "bad data": (frame(BINARY, b"\xff" * 10, reserved=4), 1007),
    "no data": (frame(TEXT, b"", reserved=4), 1007),
    "half the data": (frame(TEXT, HELLO[:4], reserved=4), 1007),
    "not compressed": (frame(TEXT, b"Hello", reserved=4), 1007),
    "refers to the message before": (
        frame(TEXT, HELLO, reserved=4)
        + frame(TEXT, b"\xf2\x00\x11\x00\x00", reserved=4),
        1007,
    ),
    "not UTF-8": (frame(TEXT, deflated(b"ab\xffcd"), reserved=4), 1007),
    "ends inside a character": (
        frame(TEXT, deflated(b"\xe2\x82"), reserved=4), 1007
    ),
    "bit of a continuation": (
        frame(TEXT, HELLO[:3], final=False, reserved=4)
        + frame(CONTINUATION, HELLO[3:], reserved=4),
        1002,
    ),
    "bit of a ping": (frame(PING, HELLO, reserved=4), 1002),
    "bit of a close": (frame(CLOSE, b"\x03\xe8", reserved=4), 1002),
    "second reserved bit": (frame(TEXT, HELLO, reserved=6), 1002),
    "third reserved bit": (frame(TEXT, HELLO, reserved=5), 1002),
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_closes_on(peer, name):
    data, code = VIOLATIONS[name]
    peer.send(data)
    received, reason = peer.read_close()
    assert received == code
    assert reason, "it says why"


@pytest.mark.valgrind
def test_every_violation_leaves_others_alone(run, connect, inflate, view):
    text = view(run)
    for data, code in VIOLATIONS.values():
        peer = inflate(run)
        peer.send(data)
        closed = peer.read_control(CLOSE)
        assert struct.unpack("!H", closed[:2])[0] == code
        peer.close()
    # What was half-received from one of them is nobody else's.
    peer = inflate(run)
    plain = connect(run).upgrade()
    peer.send(frame(TEXT, HELLO[:3], final=False, reserved=4))
    plain.send(frame(TEXT, b"plain") + frame(PING, b"1"))
    assert plain.read_control(PONG) == b"1"
    peer.send(frame(CONTINUATION, HELLO[3:]) + frame(PING, b"2"))
    assert peer.read_control(PONG) == b"2"
    run.go()
    text.wait_message("next")
    assert text.messages == ["first", "next"]


# Long enough for all of the clients below to compress it.
SENT = "a message " * 400


# They send some messages, see by the answer to a ping that those were taken,
# and return what they get and the code of the end.


async def converse_websockets(url, go):
    async with websockets.connect(url, **WEBSOCKETS_OPTIONS) as socket:
        assert [e.name for e in socket.extensions] == ["permessage-deflate"]
        for _ in range(3):
            await socket.send(SENT)
            await socket.send(SENT.encode())
            await socket.send("")
        await asyncio.wait_for(await socket.ping(), TIMEOUT_S)
        go()
        messages = [message async for message in socket]
    return messages, socket.close_code


async def converse_aiohttp(url, go):
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        async with session.ws_connect(
            url, compress=15, autoping=False
        ) as socket:
            assert socket.compress
            for _ in range(3):
                await socket.send_str(SENT)
                await socket.send_bytes(SENT.encode())
                await socket.send_str("")
            await socket.ping(b"all")
            messages = []
            async for message in socket:
                if message.type == aiohttp.WSMsgType.TEXT:
                    messages.append(message.data)
                else:
                    assert message.type == aiohttp.WSMsgType.PONG
                    go()
            return messages, socket.close_code


NODE_CLIENT = """
const socket = new (require('ws'))(process.argv[1]);
const messages = [];
socket.on('open', () => {
    if (!socket.extensions.includes('permessage-deflate'))
        throw new Error('no extension');
    for (let i = 0; i < 3; i++) {
        socket.send(process.argv[2]);
        socket.send(Buffer.from(process.argv[2]));
        socket.send('');
    }
    socket.ping();
});
socket.on('pong', () => console.log('pong'));
socket.on('message', (data) => messages.push(data.toString()));
socket.on('close', (code) => {
    for (const message of messages)
        console.log(message);
    console.log(code);
});
"""


async def converse_node(url, go):
    with subprocess.Popen(
        ["node", "-e", NODE_CLIENT, url, SENT],
        stdout=subprocess.PIPE,
        text=True,
        env=node_environment(),
    ) as node:
        assert node.stdout.readline() == "pong\n"
        go()
        *messages, code = node.communicate(timeout=TIMEOUT_S)[0].splitlines()
    return messages, int(code)


@pytest.mark.parametrize("converse", [
    converse_websockets,
    converse_aiohttp,
    pytest.param(converse_node, marks=pytest.mark.skipif(
        not has_node_client(), reason="there is no ws for Node"
    )),
])
def test_clients_may_compress_in_both_directions(start, directory, converse):
    lines = [
        f"{i}: a müßig line like others" * (1 + i % 5) for i in range(15_000)
    ]
    lines[7::50] = [""] * len(lines[7::50])
    lines[99] = "long ✓ " * 7000
    data = "".join(f"{line}\n" for line in lines).encode()
    (directory / "data").write_bytes(data)
    run = start("--quiet", script="read _ <go; cat ../data")
    messages, code = asyncio.run(converse(run.at("/", "ws"), run.go))
    got = "".join(f"{message}\n" for message in messages).encode()
    assert (digest(got), code) == (digest(data), 1000)
