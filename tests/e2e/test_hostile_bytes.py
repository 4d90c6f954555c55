# SPDX-License-Identifier: ISC
"""Whatever clients send, what wsexec writes of it is printable lines of its
own: on its stderr, with -v, and in the access log."""

import re
import signal
import socket

from harness import TIMEOUT_S, wait_until
from rawsocket import TEXT, close_frame, frame, head, upgrade_head

# What terminals obey, what ends lines, in both widths; and what is long.
HOSTILE = [
    b"\x1b]0;title\x07", b"\x1b[2J", b"a\nwsexec: forged", b"a\r\nb: c",
    b"\x9b31m", b"\x9d0;title\x9c", "\u009b2J".encode(), b"\x7f\b\0",
    "\u202e\u2066".encode(), b"\xff\xfe", b'"\\ %s%n', b"x" * 6000,
    b"\x9b" * 6000,
]
FIELDS = [b"User-Agent", b"Referer", b"X-Forwarded-For", b"Forwarded",
          b"Host", b"Origin", b"Upgrade", b"Sec-WebSocket-Extensions",
          b"Sec-WebSocket-Protocol", b"Authorization", b"Cookie",
          b"Accept-Encoding", b"Last-Event-ID"]
ACCESS_LINE = re.compile(
    r'[0-9a-f.:]+ - - \[[^]]+\] "[ -~]*" \d{3} \d+ "[ -~]*" "[ -~]*" [0-9.]+'
)


def requests():
    """Each hostile text in each place."""
    for text in HOSTILE:
        # Long enough to be looked at, and not refused for its length.
        for target in (text[:1500], b"/" + text, b"/?format=" + text[:1500],
                       b"/?" + text[:1500] + b"=x"):
            yield head().replace(b" / ", b" " + target + b" ")
        yield head().replace(b"GET", text)
        yield head().replace(b"HTTP/1.1", text)
        yield head().replace(b"\r\n\r\n", b"\r\n" + text + b": x\r\n\r\n")
        for name in FIELDS:
            for request in (head("/healthz"), upgrade_head("/?follow=0")):
                line = b"\r\n" + name + b": " + text
                yield request.replace(b"\r\n\r\n", line + b"\r\n\r\n")


def assert_printable(data, what):
    found = re.search(rb"[^ -~\n]", data)
    assert found is None, (what, data[max(0, found.start() - 80):][:160])


def answer_of(port, request):
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as peer:
        parts = []
        try:
            peer.sendall(request)
            peer.shutdown(socket.SHUT_WR)
            while data := peer.recv(65536):
                parts.append(data)
        except ConnectionResetError:
            pass
        return b"".join(parts)


def test_requests(start, connect, directory):
    path = directory / "access"
    run = start(
        "-v", "--linger", "forever", "--access-log", str(path),
        "--access-log-format", "combined", "--trust-proxy", "127.0.0.1",
        "--token", command=["echo", "x"],
    )
    for request in requests():
        answer = answer_of(run.port, request)
        assert answer.startswith(b"HTTP/1.1 "), (request[:100], answer)
        # None of it comes back as it was.
        assert b"\x1b" not in answer and b"\x9b" not in answer
    assert connect(run).ask(head("/healthz?end")) == 200
    assert connect(run).ask(b"end\r\n\r\n") == 400
    wait_until(lambda: b"?end " in path.read_bytes(), "the last line")
    log = path.read_bytes()
    assert log.count(b"\n") > len(HOSTILE) * len(FIELDS)
    assert_printable(log, "the access log")
    for line in log.decode().splitlines():
        assert ACCESS_LINE.fullmatch(line), line
    run.send_signal(signal.SIGTERM)
    log = run.log.wait_end()
    assert_printable(log, "stderr")
    for line in log.split(b"\n")[:-1]:
        assert line.startswith(b"wsexec: ") and len(line) < 4096, line
        assert not line.startswith(b"wsexec: forged")


def test_logs_of_streams(start, connect, directory):
    path = directory / "access"
    run = start("-v", "--access-log", str(path), script="read _ <go")
    for text in HOSTILE:
        peer = connect(run).upgrade()
        # As a reason, as a message that may not be, as what is no frame.
        peer.send(close_frame(1000, text[:123]))
        peer.read_rest()
        peer = connect(run).upgrade()
        peer.send(frame(TEXT, text))
        peer.send(text)
        peer.close()
    run.go()
    run.wait()
    log = run.log.wait_end()
    assert log.count(b": closed: ") >= 2 * len(HOSTILE)
    assert_printable(log, "stderr")
    assert_printable(path.read_bytes(), "the access log")
