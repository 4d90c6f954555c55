# SPDX-License-Identifier: ISC
"""--access-log: a line for each answered request, without secrets, and
nobody waits for it."""

import contextlib
import fcntl
import os
import re
import signal

import pytest

from harness import wait_until, wsexec
from rawsocket import CLOSE, close_frame, head
from viewers import fetch

TOKEN = "s3cret-s3cret"
LINE = re.compile(
    r'(?P<client>\S+) - - \[(?P<time>[^]]+)\] "(?P<request>[^"]*)"'
    r' (?P<status>\d{3}) (?P<bytes>\d+)'
    r'(?: "(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)")?'
    r' (?P<seconds>\d+\.\d{3})'
)
TIME = re.compile(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}")


class Log:
    """The access log of a run, in its directory."""

    def __init__(self, path):
        self.path = path
        self.position = 0

    def lines(self):
        return [
            LINE.fullmatch(line).groupdict()
            for line in self.path.read_text().splitlines()
        ]

    def next(self):
        """Waits for the next line."""
        wait_until(
            lambda: self.path.read_text().count("\n") > self.position,
            f"line {self.position + 1} of the access log",
        )
        self.position += 1
        return self.lines()[self.position - 1]


@pytest.fixture
def logged(start, directory):
    """Starts wsexec with an access log; returns the run and the log."""

    def begin(*options, **keywords):
        path = directory / "access"
        run = start(
            "--access-log", str(path), "--linger", "forever", *options,
            **keywords,
        )
        return run, Log(path)

    return begin


def summary(line):
    return line["request"], int(line["status"]), int(line["bytes"])


def test_each_answer_has_a_line(logged, connect):
    run, log = logged(command=["echo", "hello"])
    run.stdout.wait_for(b"hello\n")
    expected = [
        ("/raw?follow=0", "GET /raw?follow=0 HTTP/1.1", 200, 16),
        ("/healthz", "GET /healthz HTTP/1.1", 200, 3),
        ("/nothing", "GET /nothing HTTP/1.1", 404, None),
        ("/?tail=x", "GET /?tail=x HTTP/1.1", 400, None),
    ]
    for target, request, status, size in expected:
        body = fetch(run.at(target)).body
        line = log.next()
        # In chunks the body of the first takes some more.
        size = len(body) if size is None else size
        assert summary(line) == (request, status, size)
        assert line["client"] == "127.0.0.1"
        assert TIME.fullmatch(line["time"])
        assert line["referer"] is None
    assert len(fetch(run.at("/raw?follow=0"), "--http1.0").body) == 6
    assert summary(log.next()) == ("GET /raw?follow=0 HTTP/1.0", 200, 6)
    assert fetch(run.at("/raw"), "--head").status == 200
    assert summary(log.next()) == ("HEAD /raw HTTP/1.1", 200, 0)
    assert connect(run).ask(head(method="POST")) == 405
    assert summary(log.next())[:2] == ("-", 405)
    assert connect(run).ask(b"\x81\x85\0\0\0\0hello") == 400
    assert summary(log.next())[:2] == ("-", 400)
    connect(run).close()  # no request, no answer, no line
    assert connect(run).ask(head("/healthz")) == 200
    assert log.next()["request"] == "GET /healthz HTTP/1.1"


def test_each_answer_of_a_connection_has_a_line(logged, connect):
    run, log = logged(command=["true"])
    peer = connect(run)
    peer.send(head("/healthz") + head("/viewer.js") + head("/healthz"))
    sizes = []
    for _ in range(3):
        assert peer.read_head() == 200
        sizes.append(len(peer.read_body()))
    assert [summary(log.next()) for _ in range(3)] == [
        (f"GET {target} HTTP/1.1", 200, size)
        for target, size in zip(("/healthz", "/viewer.js", "/healthz"), sizes)
    ]
    assert sizes[0] == 3 and sizes[1] > 100


def test_a_stream_has_its_line_at_its_end(logged, connect):
    run, log = logged(script="echo hello; read _ <go")
    peer = connect(run).upgrade("/?tail=5")
    assert peer.read_message() == "hello"
    assert connect(run).ask(head("/healthz")) == 200
    assert log.next()["request"] == "GET /healthz HTTP/1.1"
    assert len(log.lines()) == 1
    peer.send(close_frame(1000))
    peer.read_close()
    # A message of 5 bytes and a close frame with a code.
    assert summary(log.next()) == ("GET /?tail=5 HTTP/1.1", 101, 7 + 4)
    run.go()


def test_how_long_a_stream_was_there(logged, connect):
    run, log = logged("--ping-interval", "0.1", script="read _ <go; echo x")
    peer = connect(run).upgrade()
    peer.read_control(9)
    run.go()
    peer.read_messages()
    assert 0.1 <= float(log.next()["seconds"]) < 60


def test_a_client_that_leaves_has_a_line(logged, connect):
    run, log = logged(script="echo hello; read _ <go")
    peer = connect(run).upgrade()
    assert peer.read_message() == "hello"
    peer.close()
    assert summary(log.next()) == ("GET / HTTP/1.1", 101, 7)
    run.go()


def test_the_combined_format(logged):
    run, log = logged("--access-log-format", "combined", command=["true"])
    fetch(run.at("/healthz"), "-A", 'a "b" \\ä', "-e", "http://a/?b=c")
    line = log.next()
    assert line["referer"] == "http://a/?b=c"
    assert line["agent"] == r'a \"b\" \\\xc3\xa4'
    fetch(run.at("/healthz"), "-A", "")
    line = log.next()
    assert (line["referer"], line["agent"]) == ("-", "-")


def test_the_log_is_added_to_and_complete_at_the_end(start, directory, view):
    path = directory / "access"
    path.write_text("before\n")
    run = start("--access-log", str(path), script="read _ <go")
    viewers = [view(run) for _ in range(20)]
    run.go()
    assert run.wait() == 0
    for viewer in viewers:
        viewer.wait_end()
    first, *lines = path.read_text().splitlines()
    assert first == "before"
    assert [LINE.fullmatch(line)["status"] for line in lines] == ["101"] * 20


def test_a_run_that_is_cut_off_has_all_lines(logged, connect):
    run, log = logged(command=["true"])
    peer = connect(run).upgrade()
    peer.read_control(CLOSE)
    assert log.lines() == []
    # The close frame is not answered.  Two signals are not waited for.
    run.send_signal(signal.SIGTERM)
    run.send_signal(signal.SIGINT)
    assert run.wait() == 0
    assert [line["status"] for line in log.lines()] == ["101"]


def test_no_token_is_ever_written(start, directory, connect):
    path = directory / "access"
    run = start(
        "--access-log", str(path), "--access-log-format", "combined",
        "-vv", "--linger", "forever", "--quiet", command=["echo", "x"],
        env={**os.environ, "WSEXEC_TOKEN": TOKEN},
    )
    secret = {"Authorization": f"Bearer {TOKEN}", "Cookie": TOKEN}
    targets = [
        f"/?token={TOKEN}&follow=0",
        f"/?follow=0&token={TOKEN}",
        f"/?%74oken={TOKEN}&follow=0",
        f"/?token={TOKEN}x",
        f"/?token=%00{TOKEN}",
        f"/?token={TOKEN}&token={TOKEN}",
        f"/?tail=1?token={TOKEN}",
        f"/raw?tail={TOKEN}",
        f"/{TOKEN}?x={TOKEN}",
        f"/page.js?run={TOKEN}",
        f"http://127.0.0.1/?token={TOKEN}",
    ]
    for target in targets:
        for fields in ({}, secret, {"Host": TOKEN}, {"Origin": TOKEN}):
            connect(run).ask(head(
                target, Referer=f"http://a/?token={TOKEN}",
                User_Agent=TOKEN, **fields,
            ))
    connect(run).upgrade(f"/?token={TOKEN}").read_messages()
    connect(run).ask(head(method=TOKEN))
    connect(run).ask(head(f"/?token={TOKEN}", version="HTTP/2.0"))
    log = Log(path)
    wanted = len(targets) * 4 + 3
    wait_until(lambda: len(log.lines()) == wanted, "all lines")
    run.send_signal(signal.SIGTERM)
    run.wait()
    assert TOKEN not in path.read_text()
    announced, *messages = run.log.wait_end().decode().splitlines()
    assert f"token={TOKEN}" in announced
    assert len(messages) > wanted
    assert not [line for line in messages if TOKEN in line]


def test_the_log_can_go_to_the_standard_error(start):
    run = start("--access-log", "-", "--linger", "forever", command=["true"])
    assert fetch(run.at("/healthz")).status == 200
    shown = run.log.wait_for(b'"GET /healthz HTTP/1.1" 200 3 ')
    assert shown.splitlines()[-1].startswith(b"127.0.0.1 - - [")


def test_a_full_log_holds_nobody_up(start, directory, connect):
    """Nobody reads the log: answers go on, lines are left out and counted."""
    path = directory / "log"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDWR)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    run = start(
        "--access-log", str(path), "--access-log-format", "combined",
        "--linger", "forever", command=["echo", "x"],
    )
    request = head("/healthz", User_Agent="\xff" * 7000)
    asked = 0
    # More than fits into all the pipes there are on the way.
    while asked * 28_000 < 4 * 1024 * 1024:
        peer = connect(run)
        for _ in range(50):
            assert peer.ask(request) == 200
            peer.read_body()
            asked += 1
        peer.close()
    os.set_blocking(reader, False)
    text = b""

    def read_log():
        nonlocal text
        with contextlib.suppress(BlockingIOError):
            while more := os.read(reader, 1 << 20):
                text += more
        return b"are left out" in run.log.bytes

    wait_until(read_log, "a message about the lines that are left out")
    run.send_signal(signal.SIGTERM)
    wait_until(
        lambda: read_log() and run.process.poll() is not None, "the end"
    )
    read_log()
    os.close(reader)
    lines = text.decode().splitlines()
    assert all(LINE.fullmatch(line) for line in lines)
    (lost,) = re.findall(rb"(\d+) lines are left out", run.log.wait_end())
    assert len(lines) + int(lost) == asked


def test_a_log_that_is_never_read_does_not_hold_up_the_end(
    start, directory, connect
):
    path = directory / "log"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDWR)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    run = start(
        "--access-log", str(path), "--access-log-format", "combined",
        "--linger", "forever", command=["echo", "x"],
    )
    for _ in range(3):
        peer = connect(run)
        request = head("/healthz", User_Agent="\xff" * 7000)
        assert peer.ask(request) == 200
        peer.close()
    connect(run).upgrade().read_messages()  # to the end of the command
    run.send_signal(signal.SIGTERM)
    assert run.wait() == 0
    os.close(reader)
    assert b"the last lines are not there" in run.log.wait_end()


def test_a_log_that_cannot_be_opened_is_told_of(directory):
    done = wsexec("--access-log", str(directory), "--", "echo", "x")
    assert (done.returncode, done.stdout) == (125, b"")
    assert done.stderr.startswith(b"wsexec: --access-log: ")
    assert done.stderr.count(b"\n") == 1
