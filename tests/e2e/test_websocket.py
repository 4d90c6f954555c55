# SPDX-License-Identifier: ISC
"""The WebSocket protocol, RFC 6455, by hand."""

import contextlib
import socket
import struct

import pytest

from rawsocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    close_frame,
    frame,
    upgrade_head,
)

PINGS = 5


@pytest.fixture
def run(start):
    """Has written one line, and writes another for each go()."""
    return start(
        "--quiet", script="echo first; while read _ <go; do echo next; done"
    )


@pytest.fixture
def peer(run, connect):
    return connect(run).upgrade()


def test_the_handshake_is_answered_as_the_rfc_says(run, connect):
    peer = connect(run)
    assert peer.ask(upgrade_head()) == 101
    assert peer.fields["upgrade"].lower() == "websocket"
    assert peer.fields["connection"].lower() == "upgrade"
    # The example of RFC 6455, section 1.3.
    key = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert peer.fields["sec-websocket-accept"] == key
    assert "sec-websocket-extensions" not in peer.fields
    assert "sec-websocket-protocol" not in peer.fields


def test_fields_of_the_handshake_may_be_lists_in_any_case(run, connect):
    connect(run).upgrade(
        Upgrade="h2c, WebSocket", Connection="keep-alive, UPGRADE"
    )


def test_frames_may_follow_the_handshake_at_once(run, connect):
    peer = connect(run)
    peer.send(upgrade_head() + frame(PING, b"early"))
    assert peer.read_head() == 101
    assert peer.read_control(PONG) == b"early"


def test_bytes_may_come_one_by_one(run, connect):
    peer = connect(run)
    peer.send_bytewise(
        upgrade_head() + frame(TEXT, "hällo".encode())
        + frame(PING, b"slow") + close_frame(1000, b"bye")
    )
    assert peer.read_head() == 101
    assert peer.read_control(PONG) == b"slow"
    assert peer.read_close()[0] == 1000


@pytest.mark.parametrize("size", [0, 1, 125])
def test_a_ping_is_answered_with_its_payload(peer, size):
    peer.send(frame(PING, b"p" * size))
    assert peer.read_control(PONG) == b"p" * size


def test_pongs_go_between_records(start, connect):
    run = start(
        "--quiet", "--wait-clients", "1",
        script="yes 'a line of some length' | head -n 20000",
    )
    peer = connect(run)
    peer.send(upgrade_head() + frame(PING, b"0"))
    assert peer.read_head() == 101
    lines, pongs = 0, 0
    while (received := peer.read_frame())[0] != CLOSE:
        opcode, payload = received
        if opcode == PONG:
            assert payload == b"%d" % pongs
            pongs += 1
            if pongs < PINGS:
                peer.send(frame(PING, b"%d" % pongs))
        else:
            assert payload == b"a line of some length"
            lines += 1
    assert lines == 20000
    assert pongs == PINGS


def test_pings_inside_a_fragmented_message_are_answered(run, peer):
    peer.send(
        frame(TEXT, b"one ", final=False) + frame(PING, b"in between")
        + frame(CONTINUATION, b"two ", final=False)
        + frame(CONTINUATION, b"three")
    )
    assert peer.read_control(PONG) == b"in between"
    run.go()
    while peer.read_message() != "next":
        pass


def test_pongs_that_nobody_asked_for_are_ignored(peer):
    peer.send(frame(PONG, b"hello") + frame(PING, b"after"))
    assert peer.read_control(PONG) == b"after"


@pytest.mark.parametrize("data", [
    frame(TEXT, b"hello"),
    frame(TEXT, b""),
    frame(BINARY, bytes(range(256))),
    frame(TEXT, b"x" * 4096),
    frame(TEXT, "€".encode()[:1], final=False)
    + frame(CONTINUATION, "€".encode()[1:]),
])
def test_messages_of_clients_are_ignored(run, peer, data):
    peer.send(data + frame(PING, b"still here"))
    assert peer.read_control(PONG) == b"still here"


@pytest.mark.parametrize("sent, code", [
    (close_frame(1000), 1000),
    (close_frame(1000, b"bye"), 1000),
    (close_frame(1001, "über".encode()), 1001),
    (close_frame(1003), 1003),
    (close_frame(1011), 1011),
    (close_frame(3000), 3000),
    (close_frame(4999, b"x" * 123), 4999),
    (close_frame(), None),
])
def test_a_close_frame_is_answered_with_its_code(peer, sent, code):
    peer.send(sent)
    assert peer.read_close()[0] == code



VIOLATIONS = {
    "not masked": (frame(TEXT, b"x", masked=False), 1002),
    "ping not masked": (frame(PING, b"x", masked=False), 1002),
    "first reserved bit": (frame(TEXT, b"x", reserved=4), 1002),
    "second reserved bit": (frame(TEXT, b"x", reserved=2), 1002),
    "third reserved bit": (frame(PING, b"x", reserved=1), 1002),
    "reserved opcode 3": (frame(3, b"x"), 1002),
    "reserved opcode 7": (frame(7), 1002),
    "reserved opcode 11": (frame(11), 1002),
    "reserved opcode 15": (frame(15, b"x"), 1002),
    "fragmented ping": (frame(PING, b"x", final=False), 1002),
    "fragmented close": (frame(CLOSE, final=False), 1002),
    "long ping": (frame(PING, b"x" * 126), 1002),
    "long close": (close_frame(1000, b"x" * 124), 1002),
    "continuation of nothing": (frame(CONTINUATION, b"x"), 1002),
    "message in a message": (
        frame(TEXT, b"x", final=False) + frame(TEXT, b"y"), 1002
    ),
    "length not minimal": (b"\x81\xfe\0\5\0\0\0\0hello", 1002),
    "64-bit length not minimal": (
        b"\x81\xff" + struct.pack("!Q", 300) + b"\0\0\0\0", 1002
    ),
    "length above 63 bits": (b"\x82\xff" + b"\xff" * 8 + b"\0\0\0\0x", 1002),
    "half a close code": (frame(CLOSE, b"\x03"), 1002),
    "close code 0": (close_frame(0), 1002),
    "close code 999": (close_frame(999), 1002),
    "close code 1004": (close_frame(1004), 1002),
    "close code 1005": (close_frame(1005), 1002),
    "close code 1006": (close_frame(1006), 1002),
    "close code 1015": (close_frame(1015), 1002),
    "close code 2999": (close_frame(2999), 1002),
    "close code 5000": (close_frame(5000), 1002),
    "close reason not UTF-8": (close_frame(1000, b"\xff"), 1007),
    "text not UTF-8": (frame(TEXT, b"ab\xffcd"), 1007),
    "text with a surrogate": (frame(TEXT, b"\xed\xa0\x80"), 1007),
    "text longer than shortest": (frame(TEXT, b"\xc0\xaf"), 1007),
    "text that ends inside a character": (frame(TEXT, b"\xe2\x82"), 1007),
    "bad text before the message ends": (
        frame(TEXT, b"\xe2\x28", final=False), 1007
    ),
    "message too big": (frame(BINARY, b"x" * 4097), 1009),
    "pieces too big": (
        frame(TEXT, b"x" * 4000, final=False)
        + frame(CONTINUATION, b"x" * 97),
        1009,
    ),
    "announced too big": (
        b"\x82\xff" + struct.pack("!Q", 1 << 40) + b"\0\0\0\0x", 1009
    ),
    "flood of pings": (frame(PING) * 200, 1008),
    "flood of empty pieces": (
        frame(TEXT, final=False) + frame(CONTINUATION, final=False) * 200, 1008
    ),
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_closes_on(peer, name):
    data, code = VIOLATIONS[name]
    peer.send(data)
    payload = b""
    with contextlib.suppress(EOFError):
        while True:
            opcode, received = peer.read_frame()
            if opcode == CLOSE:
                payload = received
    assert struct.unpack("!H", payload[:2])[0] == code
    assert len(payload) > 2, "it says why"


@pytest.mark.valgrind
def test_every_violation_leaves_others_alone(run, connect, view):
    text = view(run)
    for data, _ in VIOLATIONS.values():
        peer = connect(run).upgrade()
        peer.send(data)
        peer.read_control(CLOSE)
        peer.close()
    run.go()
    text.wait_message("next")
    assert text.messages == ["first", "next"]


def test_who_has_sent_all_at_once_is_answered(run, connect):
    for _ in range(50):
        peer = connect(run)
        peer.send(upgrade_head() + frame(PING, b"x", masked=False))
        peer.socket.shutdown(socket.SHUT_WR)
        assert peer.read_head() == 101
        peer.close()


def test_nothing_is_answered_after_a_close_frame(peer):
    peer.send(close_frame(1000) + frame(PING, b"late"))
    assert peer.read_close()[0] == 1000


def test_a_client_that_is_cut_off_is_forgotten(run, connect, view):
    records = view(run, "format=json")
    peer = connect(run).upgrade()
    records.wait_record(type="clients", count=2)
    peer.close()
    records.wait(
        lambda: records.records()[-1] == {"type": "clients", "count": 1},
        "the count without it",
    )


def test_a_client_that_answers_pings_is_kept(start, connect):
    run = start("-P", "0.5", "--quiet", script="read _ <go; echo over")
    peer = connect(run).upgrade()
    # For longer than two pings without an answer would be waited for.
    for _ in range(4):
        peer.send(frame(PONG, peer.read_control(PING)))
    run.go()
    assert peer.read_message() == "over"


def test_a_client_that_does_not_answer_pings_is_closed(start, connect):
    run = start("-P", "0.1", "--quiet", script="read _ <go")
    peer = connect(run).upgrade()
    assert b"\x89\0" in peer.read_rest(), "it was asked before"


def test_the_end_of_the_run_is_told_in_the_close_frame(start, view):
    for script, reason in (
        ("exit 0", "exit 0"), ("exit 2", "exit 2"), ("kill -9 $$", "signal 9")
    ):
        run = start("--wait-clients", "1", script=script)
        text = view(run).wait_end()
        assert (text.code, text.reason) == (1000, reason)


def test_being_stopped_is_told_in_the_close_frame(run, view):
    text = view(run)
    run.process.terminate()
    assert text.wait_end().code == 1001
    assert text.reason == "signal 15"


def test_a_client_that_never_answers_the_close_frame_is_not_waited_for_long(
    start, connect
):
    run = start("--wait-clients", "1", "--drain", "0.2", script="echo x")
    peer = connect(run).upgrade()
    assert peer.read_control(CLOSE) == struct.pack("!H", 1000) + b"exit 0"
    assert run.wait() == 0
