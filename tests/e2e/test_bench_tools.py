# SPDX-License-Identifier: ISC
"""The tools of the benchmark: that they see what is wrong, and nothing else.

They are in tests/bench beside the binary that is tested."""

import contextlib
import json
import pathlib
import socket
import subprocess
import threading
import zlib

import pytest

from harness import TIMEOUT_S, Collector, wsexec_path
from rawsocket import PING, TEXT, accept_key, close_frame, frame

LINES = 3000
LINE_BYTES = 100
FAULTS = ("failed", "gaps", "missing", "out_of_order", "non_seq",
          "bad_length", "bad_payload", "protocol_errors")


def tool(name):
    path = pathlib.Path(wsexec_path()).parent / "tests" / "bench" / name
    if not path.exists():
        pytest.fail(f"{path} is not there: make bench-tools")
    return str(path)


def run_tool(name, *arguments):
    return subprocess.run(
        [tool(name), *map(str, arguments)], stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
    )


def emit(*arguments, lines=LINES):
    return [tool("emit"), "-l", str(lines), "-b", str(LINE_BYTES), *arguments]


def swarm(port, *arguments):
    done = run_tool(
        "swarm", "-u", f"ws://127.0.0.1:{port}/", "--expect", LINES,
        "--line-bytes", LINE_BYTES, "--settle", 0, "--duration", TIMEOUT_S,
        "--verify", *arguments,
    )
    assert done.stderr == ""
    result = json.loads(done.stdout)
    assert done.returncode == int(result["connected"] == 0)
    return result


def faults_of(result):
    return {name: result[name] for name in FAULTS if result[name]}


@contextlib.contextmanager
def running(*words):
    """A process that says where it listens; gives the port."""
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output = Collector(process.stdout)
    try:
        yield int(output.wait_for(b"\n").split(b"\n")[0].rpartition(b":")[2])
    finally:
        process.terminate()
        process.wait(TIMEOUT_S)
        output.thread.join(TIMEOUT_S)
        process.stdout.close()


class Script:
    """A server that sends these bytes to one client."""

    def __init__(self, sent, extensions=None):
        self.sent = sent
        self.extensions = extensions
        self.request = b""
        self.answers = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(TIMEOUT_S)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        with self.listener, self.listener.accept()[0] as client:
            client.settimeout(TIMEOUT_S)
            while not self.request.endswith(b"\r\n\r\n"):
                self.request += client.recv(65536)
            client.sendall((
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\n"
                f"Sec-WebSocket-Accept: {accept_key()}\r\n"
                + (f"Sec-WebSocket-Extensions: {self.extensions}\r\n"
                   if self.extensions else "") + "\r\n"
            ).encode() + self.sent)
            client.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                while data := client.recv(65536):
                    self.answers += data

    def swarm(self, *arguments):
        result = swarm(self.port, *arguments)
        self.thread.join(TIMEOUT_S)
        return result


@pytest.fixture(name="lines", scope="module")
def emitted_lines():
    done = subprocess.run(emit(), stdin=subprocess.DEVNULL, check=True,
                          stdout=subprocess.PIPE, timeout=TIMEOUT_S)
    return done.stdout.splitlines()


def text(payload, **keywords):
    return frame(TEXT, payload, masked=False, **keywords)


def frames(lines):
    return b"".join(map(text, lines))


def in_fragments(line):
    return (text(line[:5], final=False)
            + frame(0, line[5:40], final=False, masked=False)
            + frame(PING, b"?", masked=False)
            + frame(0, line[40:], masked=False))


def compressed(lines):
    deflate = zlib.compressobj(6, zlib.DEFLATED, -12)
    for line in lines:
        data = deflate.compress(line) + deflate.flush(zlib.Z_SYNC_FLUSH)
        yield text(data[:-4], reserved=4)


def replaced(lines, number, *by):
    return [*lines[:number], *by, *lines[number + 1:]]


def test_swarm_takes_lines_in_any_shape(lines):
    joined = b"\n".join(lines)
    pieces = [joined[i:i + 777] for i in range(0, len(joined), 777)]
    for sent, mode, messages in (
        (frames(lines), "frame", LINES),
        (frames(line + b"\n" for line in lines), "frame", LINES),
        (b"".join(map(in_fragments, lines)), "frame", 3 * LINES),
        (text(joined), "lines", 1),
        (frames([*pieces, b"\n"]), "stream", len(pieces) + 1),
    ):
        result = Script(sent).swarm("--mode", mode)
        assert faults_of(result) == {}
        assert (result["complete"], result["messages"]) == (1, LINES)
        assert result["frames"] == messages
        assert result["wire_bytes"] == len(sent)
        assert result["latency_us"]["samples"] == LINES


@pytest.mark.parametrize("sent, found", [
    (lambda lines: replaced(lines, 7), {"gaps": 1, "missing": 1}),
    (lambda lines: lines[4:], {"gaps": 1, "missing": 4}),
    (lambda lines: replaced(lines, 7, lines[7], lines[7]),
     {"out_of_order": 1}),
    (lambda lines: replaced(lines, 7, lines[7][:-1]), {"bad_length": 1}),
    (lambda lines: replaced(lines, 7, lines[7][:-1] + b"!"),
     {"bad_payload": 1}),
    (lambda lines: replaced(lines, 7, b"a line", lines[7]), {"non_seq": 1}),
])
def test_swarm_sees_what_is_wrong(lines, sent, found):
    sent = sent(lines)
    result = Script(frames(sent)).swarm()
    assert faults_of(result) == found
    assert result["messages"] == len(sent)
    assert result["complete"] == int(
        len(sent) == LINES and "gaps" not in found
    )
    result = Script(
        b"".join(compressed(sent)), "permessage-deflate"
    ).swarm("--deflate")
    assert faults_of(result) == found


@pytest.mark.parametrize("sent", [
    b"\x82\x85hello", b"\xc1\x05hello", b"\x80\x05hello", b"\x09\x00",
    b"\x8b\x00", b"\x89\x7e\x00\x80",
], ids=["masked", "reserved", "continued", "fragment", "opcode", "long"])
def test_swarm_sees_frames_that_are_none(sent):
    result = Script(sent).swarm()
    assert faults_of(result) == {"protocol_errors": 1}
    assert result["error"] != ""


def test_swarm_answers_pings_and_close_frames(lines):
    script = Script(
        frame(PING, b"abc", masked=False) + frames(lines[:-1])
        + b"\x88\x05\x03\xe8bye"
    )
    result = script.swarm()
    assert (result["pings"], result["close_codes"]) == (1, {"1000": 1})
    assert script.answers[:2] == b"\x8a\x83"
    assert script.answers[-8:-6] == close_frame(1000)[:2]


def test_swarm_inflates_or_counts(lines):
    sent = b"".join(compressed(lines))
    for inflate, seen in (1, LINES), (0, 0):
        script = Script(sent, "permessage-deflate; x=1")
        result = script.swarm("--deflate", "--inflate", inflate)
        assert b"permessage-deflate; client_max_window_bits" in script.request
        assert faults_of(result) == {}
        assert result["complete"] == 1
        assert result["compressed_messages"] == LINES
        assert result["extensions"] == "permessage-deflate; x=1"
        assert result["latency_us"]["samples"] == seen
    # Nothing was offered, or it cannot be inflated.
    assert Script(sent, "permessage-deflate").swarm()["failed"] == 1
    result = Script(text(b"\xff", reserved=4), "permessage-deflate").swarm(
        "--deflate"
    )
    assert result["protocol_errors"] == 1


@pytest.mark.parametrize("options", [
    (), ("--threads", "2"), ("--ring", "64K", "--chunk", "8K"),
    ("--interval-us", "2000"),
], ids=["one", "threads", "small", "interval"])
def test_floor(directory, options):
    go = str(directory / "go")
    with running(tool("floor"), "--port", "0", *options, "--",
                 *emit("--start-file", go)) as port:
        result = swarm(port, "-n", 20, "--ready-file", go)
    assert faults_of(result) == {}
    assert (result["connected"], result["complete"]) == (20, 20)
    assert result["messages"] == 20 * LINES


def test_swarm_and_wsexec(start):
    run = start("--quiet", "--wait-clients", "25", command=emit())
    result = swarm(run.port, "-n", 20, "-s", 5, "-j", 2, "--drain", TIMEOUT_S)
    assert faults_of(result) == {}
    assert (result["connected"], result["complete"]) == (25, 20)
    assert result["stalled_messages"] == 5 * LINES
    assert result["messages"] == 20 * LINES


def test_swarm_talks(start, directory):
    go, talk = directory / "go", directory / "talk"
    run = start("--quiet", command=emit("--start-file", str(go)))
    talk.touch()
    # Nothing is expected of it: it ends with the run.
    with subprocess.Popen(
        [tool("swarm"), "-u", f"127.0.0.1:{run.port}", "-n", "10",
         "--talk-file", str(talk), "--ready-file", str(go)],
        stdout=subprocess.PIPE,
    ) as process:
        result = json.loads(process.communicate(timeout=TIMEOUT_S)[0])
    assert (result["talked"], result["close_codes"]) == (10, {"1000": 10})
    assert result["messages"] == 10 * LINES
    assert not talk.exists()


def test_pour(start):
    size = 3_000_000
    with running(tool("pour"), "serve", "--bytes", str(size)) as port:
        for options, least in (("-n", 3), 3 * size), (("-b", "1M"), 1 << 20):
            done = run_tool("pour", "drain", *options, f"127.0.0.1:{port}")
            result = json.loads(done.stdout)
            assert done.returncode == result["failed"] == 0
            assert result["status"] == 200
            assert least <= result["bytes"] <= 3 * size
    run = start("--quiet", "--linger", "forever", command=emit())
    run.log.wait_for(b"\n")
    done = run_tool("pour", "drain", "--websocket", f"127.0.0.1:{run.port}",
                    "/?tail=0")
    assert json.loads(done.stdout)["status"] == 101
    done = run_tool("pour", "drain", f"127.0.0.1:{run.port}", "/nothing")
    assert (done.returncode, json.loads(done.stdout)["status"]) == (1, 404)


@pytest.mark.parametrize("words, status, said", [
    (("emit", "-b", "x"), 2, "--bytes: 'x' is not a size"),
    (("emit", "-b", "29"), 2, "--bytes: 29 is not in 30.."),
    (("floor", "--tx", "zc", "true"), 2, "--tx: 'zc' is not send"),
    (("floor",), 2, "no command"),
    (("floor", "--port", "0", "/nothing"), 1, "No such file"),
    (("swarm", "--nothing"), 2, "unrecognized option '--nothing'"),
    (("swarm", "-u", "nowhere"), 2, "'nowhere' is not"),
    (("pour", "nothing"), 2, "neither serve nor drain"),
    (("pour", "drain"), 2, "ADDRESS:PORT is wanted"),
    (("pour", "drain", "127.0.0.1:1"), 1, "Connection refused"),
])
def test_mistakes(words, status, said):
    done = run_tool(*words)
    assert done.returncode == status
    assert said in done.stderr.splitlines()[-1]
    assert done.stdout == ""


@pytest.mark.parametrize("words", [
    ("emit",), ("floor",), ("swarm",), ("pour",), ("pour", "serve"),
    ("pour", "drain"),
], ids=" ".join)
def test_help(words):
    done = run_tool(*words, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: {' '.join(words)}")
    assert max(map(len, done.stdout.splitlines())) < 80
