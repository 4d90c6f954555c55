# SPDX-License-Identifier: ISC
"""Sockets that others open, pass on or connect: systemd-socket-activate and
socat; and what systemd says of the units that are examples."""

import os
import signal
import subprocess

import pytest

from harness import ROOT, TIMEOUT_S, Collector, wait_until
from harness import wsexec_command, wsexec_path
from proxies import Port, is_open
from rawsocket import head
from viewers import Curl, Viewer, fetch

LIVE = "echo one; read _ <go; echo two; exit 3"
FOREVER = ("--linger", "forever", "--quiet")


@pytest.fixture
def port():
    port = Port()
    yield port.number
    port.close()


@pytest.fixture
def spawn(directory, leaves_nothing_running):
    """spawn(argument ...) starts a program in the directory, with a session
    of its own; returns its Popen, with a Collector of stderr as log and of
    stdout as output."""
    spawned = []

    def begin(*arguments):
        process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, cwd=directory, start_new_session=True,
        )
        process.log = Collector(process.stderr)
        process.output = Collector(process.stdout)
        spawned.append(process)
        return process

    yield begin
    for process in spawned:
        try:
            os.killpg(process.pid, signal.SIGTERM)
        except ProcessLookupError:  # it has ended by itself
            pass
        process.wait(TIMEOUT_S)
        process.stdin.close()
        for collector in (process.log, process.output):
            collector.thread.join(TIMEOUT_S)
            collector.file.close()


def activate(spawn, sockets, *arguments):
    """systemd-socket-activate, listening; it passes no environment on, and
    reports of sanitizers are to be found."""
    passed = [name for name in os.environ if name.endswith("SAN_OPTIONS")]
    process = spawn(
        "systemd-socket-activate",
        *[word for place in sockets for word in ("--listen", str(place))],
        *[word for name in passed for word in ("--setenv", name)],
        *wsexec_command(*arguments),
    )
    for place in sockets:
        process.log.wait_for(f"Listening on {place} as ".encode())
    return process


def test_the_first_one_to_connect_starts_it(spawn, directory, port, clients):
    os.mkfifo(directory / "go")
    path = directory / "socket"
    places = [f"127.0.0.1:{port}", path]
    process = activate(spawn, places, "--", "sh", "-c", LIVE)
    assert b"Execing" not in process.log.bytes
    clients.append(Viewer(f"ws://127.0.0.1:{port}/"))
    viewer = clients[-1]
    told = process.log.wait_for(f"wsexec: unix:{path}\n".encode())
    assert f"wsexec: http://127.0.0.1:{port}/\n".encode() in told
    viewer.wait_message("one")
    clients.append(Viewer("ws://localhost/?format=json", path))
    clients[-1].wait_record(text="one")
    (directory / "go").write_text("\n")
    assert viewer.wait_end().messages == ["one", "two"]
    assert (viewer.code, viewer.reason) == (1000, "exit 3")
    clients[-1].wait_record(type="exit", code=3)
    assert process.wait(TIMEOUT_S) == 3
    assert process.output.wait_end() == b"one\ntwo\n"


def test_it_is_started_by_a_unix_socket(spawn, directory):
    path = directory / "socket"
    activate(spawn, [path], *FOREVER, "--", "echo", "x")
    answer = fetch("http://localhost/", "--unix-socket", str(path))
    assert (answer.status, answer.body) == (200, b"x\n")


def test_a_request_by_hand_to_a_unix_socket(start, spawn, directory):
    path = directory / "socket"
    run = start("--unix-socket", str(path), script=LIVE)
    socat = spawn("socat", "-", f"UNIX-CONNECT:{path}")
    socat.stdin.write(head("/raw", Host="localhost"))
    socat.stdin.flush()
    socat.output.wait_for(b"\r\n\r\n4\r\none\n\r\n")
    run.go()
    assert socat.output.wait_end().endswith(b"4\r\ntwo\n\r\n0\r\n\r\n")
    assert socat.wait(TIMEOUT_S) == 0


def test_a_tcp_port_that_leads_to_a_unix_socket(
    start, spawn, directory, port, clients
):
    path = directory / "socket"
    run = start("--unix-socket", str(path), script=LIVE)
    spawn("socat", f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork",
          f"UNIX-CONNECT:{path}")
    wait_until(lambda: is_open(port), "socat listens")
    clients.append(Viewer(f"ws://127.0.0.1:{port}/"))
    viewer = clients[-1]
    viewer.wait_message("one")
    clients.append(Curl(f"http://127.0.0.1:{port}/events"))
    clients[-1].output.wait_for(b"data: one\n\n")
    run.go()
    assert viewer.wait_end().messages == ["one", "two"]
    assert (viewer.code, viewer.reason) == (1000, "exit 3")
    assert b"data: two\n\n" in clients[-1].wait_end()
    assert run.wait() == 3


def test_systemd_accepts_the_units(directory):
    for name in ("wsexec.service", "wsexec.socket"):
        unit = (ROOT / "man" / "examples" / name).read_text(encoding="utf-8")
        unit = unit.replace("/usr/local/bin/wsexec", wsexec_path())
        unit = unit.replace("/usr/local/bin/job", "/bin/true")
        (directory / name).write_text(unit)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no",
         "./wsexec.service", "./wsexec.socket"],
        cwd=directory, capture_output=True, check=False, timeout=TIMEOUT_S,
    )
    # It may have something to say of other units of the machine.
    assert b"wsexec.s" not in done.stdout + done.stderr
    assert done.returncode == 0
