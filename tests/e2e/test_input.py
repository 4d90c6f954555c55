# SPDX-License-Identifier: ISC
"""What clients write: to the command's standard input with --writable, and to
nobody without."""

import hashlib
import random
import signal
import socket
import struct
import subprocess
import threading

import pytest

from harness import TIMEOUT_S, is_sanitized, wait_until, wsexec
from rawsocket import BINARY, CLOSE, PING, PONG, TEXT, close_frame, frame
from viewers import has_node_client, node_environment

MESSAGE_MAX = 4096
PIPE_BYTES = 65536


def high_water_kib(run):
    """The most memory it has ever had."""
    with open(f"/proc/{run.pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    raise AssertionError("no VmHWM")


def shake_off(peer):
    """Ends a connection as the death of its machine's program does."""
    peer.socket.setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    peer.close()


class Flood:
    """Sends bytes in a thread of its own, as fast as they are taken."""

    def __init__(self, peer, data):
        self.peer = peer
        self.data = data
        self.sent = 0
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            while self.sent < len(self.data):
                self.sent += self.peer.socket.send(
                    self.data[self.sent:self.sent + 65536]
                )
        except OSError:
            pass

    def wait_stuck(self):
        """Waits until nothing more is taken, though there is more."""
        before = -1

        def is_stuck():
            nonlocal before
            unchanged = before == self.sent
            before = self.sent
            return unchanged and self.sent > PIPE_BYTES

        for _ in range(20):
            wait_until(is_stuck, "the end of what is taken")
        assert self.sent < len(self.data)


def test_everybody_sees_what_the_command_answers(start, view):
    run = start(
        "--writable", script="while read -r a b; do echo $((a + b)); done"
    )
    one, two = view(run), view(run)
    one.send("1 2")
    two.wait_message("3")
    two.send("3 4")
    one.wait_message("7")
    assert one.messages == ["3", "7"]
    run.stdout.wait_for(b"3\n7\n")


@pytest.mark.parametrize("query", ["", "format=json", "format=raw"])
def test_text_is_lines_and_binary_is_bytes(start, view, query):
    run = start("--writable", script="head -n 8")
    view(run, query).send(
        "one", "", "two\nthree", "four\n", b"fi", b"", b"ve\n",
        b"\x00\xff\x80\n", "\u00fcber",
    )
    assert run.wait() == 0
    assert run.stdout.wait_end() == (
        b"one\n\ntwo\nthree\nfour\nfive\n\x00\xff\x80\n\xc3\xbcber\n"
    )


def test_only_who_may_write_is_told_so(start, view, curl):
    for options, expected in ((["--writable"], True), ([], None)):
        run = start(*options, script="read _ <go")
        record = view(run, "format=json").wait_record(type="start")
        assert record.get("writable") == expected
        records = curl(run.at("/?format=json"))
        assert b'"writable"' not in records.output.wait_for(b"}\n")
        records = curl(run.at("/events"))
        assert b'"writable"' not in records.output.wait_for(b"}\n")


def test_without_the_option_messages_are_dropped(start, view):
    run = start(script="cat; echo end of input; read _ <go; echo end")
    text = view(run)
    text.wait_message("end of input")
    text.send("a", b"b")
    run.go()
    assert text.wait_end().messages == ["end of input", "end"]
    assert text.code == 1000


def test_mistakes():
    for arguments, message in (
        (["--writable"], b"no command to write to"),
        (["-W", "--stdin", "--", "cat"], b"--writable and --stdin"),
    ):
        done = wsexec(*arguments)
        assert done.returncode == 125
        assert done.stderr.count(b"\n") == 1
        assert message in done.stderr


def test_writers_without_a_token_are_warned_of(start, directory):
    warning = b"--writable without a token"
    options = ["--writable", "--ping-interval", "7"]
    open_run = start(*options, script="read _ <go")
    open_run.log.wait_for(warning)
    closed = [
        start(*options, "--token", script="exit 3"),
        start(
            *options, "--unix-socket", str(directory / "socket"),
            script="exit 3",
        ),
    ]
    for run in closed:
        assert run.wait() == 3
        assert warning not in run.log.wait_end()


@pytest.mark.valgrind
def test_messages_are_whole_and_in_the_order_of_each_client(start, view):
    clients, messages = 50, 40
    run = start(
        "--writable", "--quiet",
        command=["head", "-n", str(clients * messages * 3)],
    )
    watcher = view(run)

    def message(name, i):
        filler = "x" * random.Random(name * 1000 + i).randrange(1300)
        return "\n".join(f"{name} {i} {part} {filler}" for part in range(3))

    def write(writer, name):
        writer.send(*(message(name, i) for i in range(messages)))

    threads = [
        threading.Thread(target=write, args=(view(run), name))
        for name in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert run.wait() == 0
    lines = watcher.wait_end().messages
    assert len(lines) == clients * messages * 3
    each = {name: [] for name in range(clients)}
    for first in range(0, len(lines), 3):
        whole = "\n".join(lines[first:first + 3])
        each[int(whole.split()[0])].append(whole)
    for name, got in each.items():
        assert got == [message(name, i) for i in range(messages)]


def test_a_paste_of_thousands_of_lines(start, view):
    lines = [f"line {i}" for i in range(5000)]
    run = start("--writable", "--quiet", command=["head", "-n", "5000"])
    text = view(run)
    text.send(*lines)
    assert text.wait_end().messages == lines
    assert text.code == 1000


NODE_WRITER = """
const socket = new (globalThis.WebSocket ?? require('ws'))(process.argv[1]);
socket.onopen = () => {
    for (let i = 0; i < 1000; i++)
        socket.send(i % 2 ? `line ${i}` : Buffer.from(`line ${i}\\n`));
};
socket.onmessage = (event) => process.stdout.write(event.data + '\\n');
socket.onerror = (event) => { throw event.error ?? event; };
"""


@pytest.mark.skipif(not has_node_client(), reason="no WebSocket in node")
def test_node_writes(start):
    run = start("--writable", "--quiet", command=["head", "-n", "1000"])
    shown = subprocess.run(
        ["node", "-e", NODE_WRITER, run.at("/", "ws")],
        stdout=subprocess.PIPE, env=node_environment(), timeout=TIMEOUT_S,
        check=True,
    ).stdout
    assert shown == b"".join(b"line %d\n" % i for i in range(1000))


def test_compressed_messages_are_written(start, inflate):
    run = start("--writable", "--compression", "6",
                script="read -r line; echo \"got $line\"")
    peer = inflate(run)
    peer.send(frame(TEXT, b"\xf2\x48\xcd\xc9\xc9\x07\x00", reserved=4))
    run.stdout.wait_for(b"got Hello\n")


def test_many_bytes_arrive_as_they_are(start, view):
    data = random.Random(1).randbytes(1 << 20)
    run = start("--writable", script=f"head -c {len(data)} | sha256sum")
    view(run).send(
        *(data[i:i + MESSAGE_MAX] for i in range(0, len(data), MESSAGE_MAX))
    )
    assert run.wait() == 0
    expected = hashlib.sha256(data).hexdigest().encode()
    assert run.stdout.wait_end().split()[0] == expected


def test_a_message_that_is_too_big_ends_its_client_only(start, view):
    run = start("--writable", command=["sed", "-u", "2q"])
    big, other = view(run), view(run)
    big.send("a" * MESSAGE_MAX)
    other.wait(lambda: other.messages, "the message")
    big.send("b" * (MESSAGE_MAX + 1))
    assert big.wait_end().code == 1009
    other.send("c")
    assert other.wait_end().messages == ["a" * MESSAGE_MAX, "c"]


def test_a_client_that_dies_inside_a_message(start, connect, view):
    run = start("--writable", command=["sed", "-u", "2q"])
    text = view(run)
    peer = connect(run).upgrade()
    peer.send(frame(TEXT, b"whole") + frame(TEXT, b"half")[:-2])
    text.wait_message("whole")
    shake_off(peer)
    text.send("next")
    assert text.wait_end().messages == ["whole", "next"]


@pytest.mark.valgrind
def test_a_command_that_does_not_read_stops_who_writes(start, connect, view):
    message = random.Random(2).randbytes(MESSAGE_MAX)
    count = 2000
    run = start(
        "--writable", "--quiet",
        script="echo begun; read _ <go; echo more; read _ <go; "
        f"head -c {count * MESSAGE_MAX + 5} | sha256sum",
    )
    text = view(run)
    text.wait_message("begun")
    before = high_water_kib(run)
    peer = connect(run).upgrade()
    flood = Flood(peer, frame(BINARY, message) * count)
    flood.wait_stuck()
    assert high_water_kib(run) - before < 1024 or is_sanitized()
    # Others are read from, and everybody gets what there is.
    other = connect(run).upgrade()
    other.send(frame(PING, b"?") + frame(TEXT, b"last"))
    assert other.read_until(b"\x8a\x01?").endswith(b"begun")
    run.go()
    assert peer.read_message() == "begun"
    assert peer.read_message() == "more"
    text.wait_message("more")
    # The other one's message comes somewhere between those of the flood.
    run.go()
    flood.thread.join(TIMEOUT_S)
    assert run.wait() == 0
    taken = run.stdout.wait_end()
    assert taken == b""  # --quiet
    text.wait_end()
    hashed = text.messages[-1].split()[0]
    line = b"last\n"
    assert hashed in {
        hashlib.sha256(
            message * at + line + message * (count - at)
        ).hexdigest()
        for at in range(PIPE_BYTES // MESSAGE_MAX, 40)
    }


def test_who_is_held_is_not_taken_for_dead(start, connect, view):
    run = start(
        "--writable", "--quiet", "--ping-interval", "0.1",
        script=f"read _ <go; head -c {PIPE_BYTES * 64} | wc -c",
    )
    text = view(run)
    peer = connect(run).upgrade()
    flood = Flood(peer, frame(BINARY, b"x" * 1024) * (64 * 64))
    flood.wait_stuck()
    for _ in range(10):
        assert peer.read_frame()[0] == PING
    run.go()
    flood.thread.join(TIMEOUT_S)
    assert text.wait_end().messages == [str(PIPE_BYTES * 64)]


def test_who_is_held_and_leaves_is_let_go(start, connect, view):
    run = start(
        "--writable", "--quiet", "--ping-interval", "0.1",
        script=f"read _ <go; head -c {PIPE_BYTES + 6} | tail -n 1",
    )
    text = view(run)
    before = run.descriptors()
    text.send(*[b"x" * 4095 + b"\n"] * (PIPE_BYTES // MESSAGE_MAX))
    peers = [connect(run).upgrade() for _ in range(20)]
    for i, peer in enumerate(peers):
        peer.send(frame(TEXT, b"%05d" % i) * 3)
    wait_until(lambda: run.descriptors() == before + 20, "all clients")
    for peer in peers:
        peer.close()
    wait_until(lambda: run.descriptors() == before, "their end")
    run.go()
    text.wait_end()
    # Whose came first is the kernel's to say when all come at once.
    assert text.messages[0] in {"%05d" % i for i in range(len(peers))}


def test_all_who_are_held_have_their_turn(start, connect, view):
    clients = 20
    run = start(
        "--writable", "--quiet",
        script="read _ <go; exec sed -u s/x*//g",
    )
    text = view(run)
    text.send(*[b"x" * MESSAGE_MAX] * (PIPE_BYTES // MESSAGE_MAX))
    peers = [connect(run).upgrade() for _ in range(clients)]
    floods = [
        Flood(peer, frame(TEXT, b"x" * 1000 + b"%d" % i) * 400)
        for i, peer in enumerate(peers)
    ]
    run.go()
    for flood in floods:
        flood.thread.join(TIMEOUT_S)
    text.wait(
        lambda: len(text.messages) == clients * 400, "the last message"
    )
    # Nobody has waited for all of another.
    first = text.messages[:len(text.messages) // 2]
    assert {*first} == {str(i) for i in range(clients)}


def test_what_comes_before_the_command_waits_for_it(start, connect, view):
    run = start(
        "--writable", "--wait-clients", "2", command=["sed", "-u", "3q"]
    )
    peer = connect(run).upgrade()
    peer.send(frame(TEXT, b"one") + frame(TEXT, b"two"))
    text = view(run)
    text.wait_message("two")
    text.send("three")
    assert text.wait_end().messages == ["one", "two", "three"]


def test_what_comes_between_two_runs_is_for_the_next(start, view):
    run = start(
        "--writable", "--restart", "on-failure", "--restart-delay", "0.05",
        script="read -r line; echo \"got $line\"; [ $line = end ]",
    )
    text = view(run)
    for i in range(5):
        text.send(str(i))
        text.wait_message(f"got {i}")
        text.wait(
            lambda: sum("restart" in m for m in text.messages) == i + 1,
            "the restart",
        )
    text.send("end")
    assert text.wait_end().messages[-1] == "got end"
    assert run.wait() == 0


def test_who_is_held_gets_the_end(start, connect):
    run = start("--writable", "--quiet", script="read _ <go; exit 7")
    peer = connect(run).upgrade()
    flood = Flood(peer, frame(BINARY, b"x" * MESSAGE_MAX) * 2000)
    flood.wait_stuck()
    run.go()
    while (got := peer.read_frame())[0] != CLOSE:
        pass
    assert got[1] == struct.pack("!H", 1000) + b"exit 7"
    flood.thread.join(TIMEOUT_S)
    peer.send(close_frame(1000))
    assert run.wait() == 7


def test_a_command_that_closes_its_input(start, view):
    run = start(
        "--writable", "-v",
        script="exec 0<&-; echo closed; read _ <go; echo end",
    )
    text = view(run)
    text.wait_message("closed")
    text.send("a")
    text.send(*["b" * 4000] * 100)
    run.log.wait_for(b"takes no input any more")
    run.go()
    assert text.wait_end().messages == ["closed", "end"]
    assert text.code == 1000
    assert run.wait() == 0
    assert run.log.wait_end().count(b"takes no input any more") == 1


def test_the_command_sees_the_end_when_wsexec_is_stopped(start, view):
    run = start(
        "--writable", script="trap '' TERM; echo ready; cat; echo end; exit 9"
    )
    text = view(run)
    text.wait_message("ready")
    text.send("a")
    text.wait_message("a")
    run.send_signal(signal.SIGTERM)
    assert run.wait() == 9
    assert text.wait_end().messages == ["ready", "a", "end"]
    assert text.code == 1001


def test_the_command_sees_the_end_when_wsexec_is_killed(start, directory):
    run = start(
        "--writable",
        script=f"trap '' TERM; echo $$; cat; echo end >'{directory}/end'",
    )
    run.stdout.wait_for(b"\n")
    run.send_signal(signal.SIGKILL)
    wait_until((directory / "end").exists, "the end of input")


def test_pings_are_limited_as_ever(start, connect):
    run = start("--writable", "--quiet", script="cat >/dev/null")
    peer = connect(run).upgrade()
    peer.send(frame(PING) * 100)
    while (got := peer.read_frame())[0] == PONG:
        pass
    assert got == (CLOSE, struct.pack("!H", 1008) + b"too many frames")


def test_keys_on_a_terminal(start, view):
    run = start(
        "--writable", "--pty",
        script="trap 'echo interrupted' INT; echo ready; "
        "cat; echo first end; cat; echo second end; stty raw -echo; "
        "echo raw; head -c 3 | od -An -c",
    )
    raw = view(run, "format=text")
    raw.wait_message("ready")
    raw.send("a line")
    raw.wait_message("a line")
    raw.send(b"\x03")
    raw.wait_message("interrupted")
    raw.wait_message("first end")
    raw.send("another", b"\x04")
    raw.wait_message("another")
    raw.wait_message("second end")
    raw.wait_message("raw")
    raw.send(b"\x03\x04", b"\r")
    assert raw.wait_end().messages[-1].split() == ["003", "004", "\\r"]
    assert run.wait() == 0


def test_a_terminal_holds_who_writes_too(start, connect, view):
    lines = 200000
    run = start(
        "--writable", "--pty", "--quiet",
        script="read _ <go; exec wc -lc",
    )
    text = view(run)
    peer = connect(run).upgrade()
    flood = Flood(peer, frame(TEXT, b"0123456789") * lines)
    flood.wait_stuck()
    run.go()
    flood.thread.join(TIMEOUT_S)
    peer.send(frame(BINARY, b"\x04"))
    assert text.wait_end().messages[-1].split() == [
        str(lines), str(lines * 11)
    ]


def test_no_descriptor_of_ours_is_in_the_command(start, view):
    run = start("--writable", script="ls /proc/self/fd | wc -l")
    assert view(run).wait_end().messages == ["4"]  # and the directory's
