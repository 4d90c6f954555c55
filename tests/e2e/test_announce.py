# SPDX-License-Identifier: ISC
"""What programs that start wsexec are told: --ready-fd and NOTIFY_SOCKET."""

import os
import select
import signal
import socket

import pytest

from harness import TIMEOUT_S, wsexec
from viewers import fetch

HIGH = 50  # descriptors from here on are free
TOKEN = "0123456789abcdef"


class Manager:
    """Takes what is told to NOTIFY_SOCKET."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(TIMEOUT_S)
        self.socket.bind(name.replace("@", "\0"))
        self.environment = {**os.environ, "NOTIFY_SOCKET": name}

    def read(self):
        return self.socket.recv(4096).decode()

    def has_more(self):
        return bool(select.select([self.socket], [], [], 0)[0])

    def close(self):
        self.socket.close()


@pytest.fixture(params=["path", "abstract"])
def manager(request, directory, clients):
    name = str(directory / "notify")
    if request.param == "abstract":
        name = f"@{name}"
    clients.append(Manager(name))
    return clients[-1]


@pytest.fixture
def pipe():
    """A pipe for --ready-fd: the end to read, and the number of the other."""
    ends = os.pipe()
    high = os.dup2(ends[1], HIGH)
    os.close(ends[1])
    with os.fdopen(ends[0], "rb") as file:
        yield file, high
        try:
            os.close(high)
        except OSError:
            pass


@pytest.mark.valgrind
def test_the_ready_fd_gets_the_address_and_is_closed(start, pipe):
    file, fd = pipe
    run = start("--ready-fd", str(fd), script="read _ <go", pass_fds=[fd])
    os.close(fd)
    assert file.read() == f"{run.url}\n".encode()
    assert run.process.poll() is None
    assert fetch(run.at("/healthz")).body == b"ok\n"


def test_the_ready_fd_gets_all_addresses(start, pipe, directory):
    file, fd = pipe
    run = start(
        "--ready-fd", str(fd), "--port", "0", "--address", "127.0.0.1",
        "--address", "127.0.0.2", "--unix-socket", "s", script="read _ <go",
        pass_fds=[fd], env={**os.environ, "WSEXEC_TOKEN": TOKEN},
    )
    os.close(fd)
    told = file.read()
    assert told.count(f"?token={TOKEN}\n".encode()) == 3
    logged = run.log.wait_for(told.split(b"\n")[2])
    assert logged.startswith(
        b"".join(b"wsexec: " + line + b"\n" for line in told.splitlines())
    )


def test_many_addresses_are_cut_at_a_whole_one(start, pipe):
    file, fd = pipe
    addresses = [
        word for i in range(1, 41)
        for word in ("--address", f"127.0.0.{i}")
    ]
    run = start(
        "--ready-fd", str(fd), "--port", "0", "--base-path",
        "/" + "x" * 100, *addresses, script="read _ <go", pass_fds=[fd],
    )
    os.close(fd)
    told = file.read()
    assert 3900 < len(told) <= 4096
    lines = told.decode().splitlines()
    assert lines[0] == run.url
    assert all(line.endswith("x/") for line in lines)


def test_a_ready_fd_that_takes_nothing_is_not_waited_for(start, pipe):
    file, fd = pipe
    os.set_blocking(fd, False)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(fd, bytes(65536))
    os.set_blocking(fd, True)
    run = start("--ready-fd", str(fd), script="read _ <go", pass_fds=[fd])
    run.log.wait_for(f"--ready-fd: {fd}: Resource temporarily".encode())
    os.close(fd)
    assert file.read().strip(b"\0") == b""


def test_a_ready_fd_that_nobody_reads_harms_nothing(start, pipe):
    file, fd = pipe
    file.close()
    run = start("--ready-fd", str(fd), command=["true"], pass_fds=[fd])
    assert run.wait() == 0
    assert f"--ready-fd: {fd}: Broken pipe".encode() in run.log.wait_end()


def test_a_ready_fd_that_is_none_is_125(pipe):
    file, fd = pipe
    for number, fds in (("1234", []), (str(fd), [])):
        done = wsexec("--ready-fd", number, "true", pass_fds=fds)
        assert done.returncode == 125
        assert done.stderr == (
            f"wsexec: --ready-fd: {number}: Bad file descriptor\n".encode()
        )
    read_only = os.dup2(file.fileno(), HIGH + 1)
    done = wsexec("--ready-fd", str(read_only), "true", pass_fds=[read_only])
    os.close(read_only)
    assert done.returncode == 125


def test_the_ready_fd_ends_without_an_address_if_nothing_starts(pipe):
    file, fd = pipe
    done = wsexec("--ready-fd", str(fd), "no-such-command", pass_fds=[fd])
    assert done.returncode == 127
    os.close(fd)
    assert file.read() == b""


def test_a_manager_is_told_of_each_step(start, manager):
    run = start(
        "--linger", "forever", script="read _ <go; exit 3",
        env=manager.environment,
    )
    assert manager.read() == "READY=1"
    assert manager.read() == "STATUS=The command runs."
    run.go()
    assert manager.read() == "STATUS=The run has ended with status 3."
    run.send_signal(signal.SIGTERM)
    assert manager.read() == "STOPPING=1"
    assert run.wait() == 3
    assert not manager.has_more()


def test_a_manager_is_told_that_clients_are_waited_for(start, view, manager):
    run = start("--wait-clients", "1", script="kill -9 $$",
                env=manager.environment)
    assert manager.read() == "READY=1"
    assert manager.read() == "STATUS=Waits for clients: 1."
    view(run).wait_end()
    assert manager.read() == "STATUS=The command runs."
    assert manager.read() == (
        "STOPPING=1\nSTATUS=The run has ended with signal 9."
    )
    assert run.wait() == 128 + 9


def test_a_manager_is_told_of_restarts(start, manager):
    run = start(
        "--restart", "on-failure", "--restart-delay", "0.5",
        script="[ -e there ] && { read _ <go; exit; }; : >there; exit 4",
        env=manager.environment,
    )
    assert manager.read() == "READY=1"
    assert manager.read() == "STATUS=The command runs."
    assert manager.read() == (
        "STATUS=The command has ended with status 4;"
        " restart 1 follows in 0.5 s."
    )
    assert manager.read() == "STATUS=The command runs; restart 1."
    run.go()
    assert manager.read() == (
        "STOPPING=1\nSTATUS=The run has ended with status 0."
    )
    assert run.wait() == 0
    assert not manager.has_more()


def test_a_manager_hears_nothing_if_nothing_starts(manager):
    done = wsexec("no-such-command", env=manager.environment)
    assert done.returncode == 127
    assert not manager.has_more()


def test_the_command_does_not_know_the_manager(start, manager):
    run = start(script="echo ${NOTIFY_SOCKET-none}", env=manager.environment)
    assert run.stdout.wait_end() == b"none\n"


@pytest.mark.parametrize("name, told", [
    ("/nowhere/notify", "No such file"),
    ("relative", "Address family not supported"),
    ("/" + "x" * 200, "Address family not supported"),
    ("", "Address family not supported"),
])
def test_a_manager_that_is_not_there_harms_nothing(start, name, told):
    run = start(command=["true"], env={**os.environ, "NOTIFY_SOCKET": name})
    assert run.wait() == 0
    assert f"NOTIFY_SOCKET: {name}: {told}".encode() in run.log.wait_end()


def test_a_manager_that_takes_nothing_is_not_waited_for(start, manager):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.setblocking(False)
        other.connect(manager.socket.getsockname())
        with pytest.raises(BlockingIOError):
            while True:
                other.send(b"x")
        run = start(command=["true"], env=manager.environment)
        assert run.wait() == 0
    assert b"Resource temporarily unavailable" in run.log.wait_end()
