# SPDX-License-Identifier: ISC
"""Unix sockets: where they are, who may use them, and what is left. Sockets
that were passed, as by systemd."""

import contextlib
import errno
import fcntl
import grp
import os
import pwd
import signal
import socket
import stat
import subprocess

import pytest

from harness import TIMEOUT_S, wait_until, wsexec, wsexec_command
from rawsocket import Peer, head
from viewers import Viewer, fetch

FOREVER = ("--linger", "forever", "--quiet")
TOKEN = "0123456789abcdef"
HIGH = 50  # descriptors from here on are free


@pytest.fixture
def path(directory):
    return directory / "socket"


@pytest.fixture
def watch(clients):
    """watch(path, query) attaches a WebSocket client to a Unix socket."""

    def attach(path, query=""):
        clients.append(Viewer(f"ws://localhost/?{query}", path))
        return clients[-1]

    return attach


def ask(path, url="http://localhost/raw", *arguments):
    return fetch(url, "--unix-socket", str(path), *arguments)


def is_refused(path):
    with socket.socket(socket.AF_UNIX) as peer:
        return peer.connect_ex(str(path)) == errno.ECONNREFUSED


def listeners(run):
    """How many TCP sockets wsexec listens on, and Unix sockets."""
    inodes = set()
    for name in os.listdir(f"/proc/{run.pid}/fd"):
        # Others, which are no listeners, may have been closed by now.
        with contextlib.suppress(FileNotFoundError):
            link = os.readlink(f"/proc/{run.pid}/fd/{name}")
            if link.startswith("socket:["):
                inodes.add(link[8:-1])
    tcp = unix = 0
    for table in ("tcp", "tcp6"):
        with open(f"/proc/net/{table}", encoding="ascii") as file:
            for line in file:
                fields = line.split()
                tcp += fields[3] == "0A" and fields[9] in inodes
    with open("/proc/net/unix", encoding="utf-8") as file:
        for line in file:
            fields = line.split()
            unix += fields[3] == "00010000" and fields[6] in inodes
    return tcp, unix


@pytest.mark.valgrind
def test_serves_on_a_unix_socket_alone(start, watch, path):
    run = start("--unix-socket", str(path), *FOREVER, command=["echo", "x"])
    assert run.url == f"unix:{path}"
    assert listeners(run) == (0, 1)
    assert watch(path).wait_end().messages == ["x"]
    assert ask(path).body == b"x\n"
    page = ask(path, "http://localhost/", "--header", "Accept: text/html")
    assert b"<html" in page.body
    run.send_signal(signal.SIGTERM)
    assert run.wait() == 0
    assert not path.exists()


def test_lines_come_live(start, watch, path):
    run = start(
        "--unix-socket", str(path),
        script="echo one; read _ <go; echo two",
    )
    viewer = watch(path, "format=json")
    viewer.wait_record(text="one")
    run.go()
    viewer.wait_record(text="two")
    assert viewer.wait_end().code == 1000
    assert run.wait() == 0


def test_much_output_arrives_whole(start, watch, path):
    run = start(
        "--unix-socket", str(path), *FOREVER,
        command=["seq", "-f", "%.0f and some more text to fill it",
                 "200000"],
    )
    viewer = watch(path)
    got = [
        line for message in viewer.wait_end().messages
        for line in message.split("\n")
    ]
    assert got == [f"{i} and some more text to fill it"
                   for i in range(1, 200001)]
    assert run.process.poll() is None


def test_a_client_that_takes_nothing_holds_up_nobody(start, watch, path):
    """The kernel keeps no more than a few hundred KiB for it."""
    run = start(
        "--unix-socket", str(path), *FOREVER, "--stall-timeout", "0.5", "-v",
        command=["head", "-c", "20000000", "/dev/zero"],
    )
    with socket.socket(socket.AF_UNIX) as idle:
        idle.settimeout(TIMEOUT_S)
        idle.connect(str(path))
        idle.sendall(head("/raw"))
        run.log.wait_for(b"it took no byte for the stall timeout")
        assert len(ask(path).body) == 20000000
        got = 0
        try:
            while data := idle.recv(1 << 20):
                got += len(data)
        except ConnectionResetError:
            pass
    assert 0 < got < 500000


def test_tcp_is_opened_beside_it_if_it_is_asked_for(start, watch, path):
    second = path.with_name("second")
    run = start(
        "--port", "0", "--unix-socket", str(path),
        "--unix-socket", str(second), *FOREVER, command=["echo", "x"],
    )
    told = run.log.wait_for(f"unix:{second}\n".encode()).split(b"\n")
    assert told[1:3] == [
        f"wsexec: unix:{path}".encode(), f"wsexec: unix:{second}".encode()
    ]
    assert listeners(run) == (1, 2)
    assert ask(path).body == ask(second).body == b"x\n"
    assert fetch(run.at("/raw")).body == b"x\n"


def test_a_relative_path_will_do(start):
    run = start("--unix-socket", "here", *FOREVER, command=["echo", "x"])
    assert run.url == "unix:here"
    assert ask(run.directory / "here").body == b"x\n"
    run.send_signal(signal.SIGTERM)
    assert run.wait() == 0
    assert not (run.directory / "here").exists()


@pytest.mark.parametrize("options, mode", [
    ([], 0o600),
    (["--unix-socket-mode", "666"], 0o666),
    (["--unix-socket-mode", "0660"], 0o660),
])
def test_the_mode_is_that_of_the_option(start, path, options, mode):
    start(
        "--unix-socket", str(path), *options, *FOREVER,
        command=["echo", "x"], preexec_fn=lambda: os.umask(0o027),
    )
    found = path.stat().st_mode
    assert stat.S_ISSOCK(found)
    assert stat.S_IMODE(found) == mode


def test_the_umask_of_the_command_is_as_it_was(start, path):
    run = start("--unix-socket", str(path), script="umask",
                preexec_fn=lambda: os.umask(0o027))
    assert run.stdout.wait_end() == b"0027\n"


@pytest.mark.parametrize("owner", ["{user}", "{user}:{group}", ":{group}"])
def test_the_owner_is_that_of_the_option(start, path, owner):
    own = user, group = os.getuid(), os.getgid()
    if user == 0:  # who may give it away
        user, group = 12345, 54321
    start(
        "--unix-socket", str(path), "--unix-socket-owner",
        owner.format(user=user, group=group), *FOREVER, command=["echo", "x"],
    )
    found = path.stat()
    assert found.st_uid == (user if "user" in owner else own[0])
    assert found.st_gid == (group if "group" in owner else own[1])


def test_names_of_owners_are_looked_up(start, path):
    user = pwd.getpwuid(os.getuid()).pw_name
    group = grp.getgrgid(os.getgid()).gr_name
    start(
        "--unix-socket", str(path),
        "--unix-socket-owner", f"{user}:{group}", *FOREVER,
        command=["echo", "x"],
    )
    found = path.stat()
    assert (found.st_uid, found.st_gid) == (os.getuid(), os.getgid())


@pytest.mark.parametrize("owner, told", [
    ("no-such-user", b"there is no user 'no-such-user'"),
    ("0:no-such-group", b"there is no group 'no-such-group'"),
    ("", b"there is no user ''"),
    ("0:", b"there is no group ''"),
    ("4294967295", b"there is no user '4294967295'"),
])
def test_an_owner_that_is_none_is_125(path, owner, told):
    done = wsexec("--unix-socket", str(path), "--unix-socket-owner", owner,
                  "true")
    assert done.returncode == 125
    assert done.stderr == b"wsexec: --unix-socket-owner: " + told + b"\n"
    assert not path.exists()


def test_the_second_one_is_refused_and_harms_nobody(start, path):
    start("--unix-socket", str(path), *FOREVER, command=["echo", "x"])
    done = wsexec("--unix-socket", str(path), "true")
    assert done.returncode == 125
    assert done.stderr == (
        f"wsexec: cannot listen on unix:{path}: Address already in use; "
        "another program answers there\n".encode()
    )
    assert ask(path).body == b"x\n"


def test_what_a_killed_one_leaves_is_replaced(start, path):
    run = start("--unix-socket", str(path), *FOREVER, "--kill-after", "0.2",
                command=["echo", "x"])
    run.send_signal(signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    assert stat.S_ISSOCK(path.stat().st_mode)
    # Its guard lets go of the socket as soon as it runs.
    wait_until(lambda: is_refused(path), "the end of the socket")
    start("--unix-socket", str(path), *FOREVER, command=["echo", "y"])
    assert ask(path).body == b"y\n"


@pytest.mark.parametrize("kind", ["file", "directory", "fifo", "link"])
def test_what_is_no_socket_stays(path, kind):
    make = {
        "file": lambda: path.write_text("precious"),
        "directory": path.mkdir,
        "fifo": lambda: os.mkfifo(path),
        "link": lambda: path.symlink_to("nowhere"),
    }
    make[kind]()
    before = path.lstat()
    done = wsexec("--unix-socket", str(path), "true")
    assert done.returncode == 125
    assert done.stderr == (
        f"wsexec: cannot listen on unix:{path}: File exists, and is no "
        "socket\n".encode()
    )
    assert path.lstat().st_ino == before.st_ino


@pytest.mark.parametrize("name, told", [
    ("x" * 200, b"File name too long"),
    ("nowhere/socket", b"No such file or directory"),
])
def test_a_path_that_will_not_do_is_125(directory, name, told):
    done = wsexec("--unix-socket", str(directory / name), "true")
    assert done.returncode == 125
    assert done.stderr.endswith(b": " + told + b"\n")
    assert done.stderr.count(b"\n") == 1


def test_that_of_another_is_not_removed(start, path):
    run = start("--unix-socket", str(path), *FOREVER, command=["echo", "x"])
    path.unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        run.send_signal(signal.SIGTERM)
        run.wait()
        assert path.exists()


def test_nothing_is_left_where_the_command_cannot_run(path):
    done = wsexec("--unix-socket", str(path), "no-such-command")
    assert done.returncode == 127
    assert b"unix:" not in done.stderr
    assert not path.exists()


def test_no_token_is_needed_unless_there_is_one(start, path):
    run = start(
        "--unix-socket", str(path), *FOREVER, "--base-path", "/logs",
        command=["echo", "x"], env={**os.environ, "WSEXEC_TOKEN": TOKEN},
    )
    url = f"http://localhost/logs/?token={TOKEN}"
    assert run.url == f"unix:{path} {url}"
    assert ask(path, url).body == b"x\n"
    assert ask(path, "http://localhost/logs/raw").status == 401


def test_hosts_and_origins_are_those_of_tcp(start, path):
    start("--unix-socket", str(path), *FOREVER, "--allowed-host", "a.example",
          command=["echo", "x"])
    for host, status in (
        ("localhost", 200), ("127.0.0.1", 200), ("a.example", 200),
        ("evil.example", 421),
    ):
        assert ask(path, f"http://{host}/raw").status == status
    answer = ask(path, "http://localhost/raw", "--header",
                 "Origin: http://evil.example")
    assert answer.status == 403


def test_clients_are_told_apart_in_the_log(start, path):
    run = start("--unix-socket", str(path), *FOREVER, "-v",
                command=["echo", "x"])
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(TIMEOUT_S)
        peer.connect(str(path))
        peer.sendall(head("/nothing-is-here"))
        assert peer.recv(12) == b"HTTP/1.1 404"
        name = f"unix:uid={os.getuid()},pid={os.getpid()}"
        run.log.wait_for(f"{name}: refused with 404".encode())
    run.log.wait_for(f"{name}: closed: ".encode())


def test_the_last_line_reaches_who_is_there(start, watch, path):
    run = start("--unix-socket", str(path),
                script="trap 'echo last; exit 3' TERM; echo ready;"
                " while :; do read _ <go; done")
    viewer = watch(path)
    viewer.wait_message("ready")
    run.send_signal(signal.SIGTERM)
    assert run.wait() == 3
    assert viewer.wait_end().messages == ["ready", "last"]
    assert viewer.code == 1001
    wait_until(lambda: not path.exists(), "the end of the socket")


class Manager:
    """Passes sockets to a process as sd_listen_fds(3) wants it.

    A shell is needed to know the process id before wsexec runs."""

    def __init__(self, sockets, names=None, count=None):
        self.fds = [
            fcntl.fcntl(s.fileno(), fcntl.F_DUPFD, HIGH) for s in sockets
        ]
        moves = " ".join(
            f"{3 + i}<&{fd} {fd}<&-" for i, fd in enumerate(self.fds)
        )
        self.prefix = [
            "bash", "-c", f'LISTEN_PID=$$ exec "$@" {moves}', "bash",
        ]
        self.keywords = {
            "pass_fds": self.fds,
            "env": {
                **os.environ,
                "LISTEN_FDS": str(len(sockets) if count is None else count),
                **({} if names is None else {"LISTEN_FDNAMES": names}),
            },
        }

    def close(self):
        for fd in self.fds:
            os.close(fd)


@pytest.fixture
def activate(start):
    """activate(sockets, option ..., ...) starts wsexec with these sockets."""

    def start_with(sockets, *options, **keywords):
        with contextlib.closing(Manager(sockets)) as manager:
            return start(*options, prefix=manager.prefix,
                         **manager.keywords, **keywords)

    return start_with


def activate_in_vain(sockets, **keywords):
    """How wsexec ends when these are passed."""
    with contextlib.closing(Manager(sockets, **keywords)) as manager:
        return subprocess.run(
            [*manager.prefix, *wsexec_command("true")],
            stdin=subprocess.DEVNULL, capture_output=True, check=False,
            timeout=TIMEOUT_S, **manager.keywords,
        )


@pytest.fixture
def passed(path):
    """A Unix socket and one of TCP that listen, and the port of that."""
    with socket.socket(socket.AF_UNIX) as unix:
        with socket.create_server(("127.0.0.1", 0)) as tcp:
            unix.bind(str(path))
            unix.listen()
            yield unix, tcp, tcp.getsockname()[1]


def test_serves_on_sockets_that_were_passed(activate, passed, watch, path):
    unix, tcp, port = passed
    run = activate([tcp, unix], *FOREVER, command=["echo", "x"])
    told = run.log.wait_for(b"unix:").split(b"\n")
    assert told[0] == f"wsexec: http://127.0.0.1:{port}/".encode()
    run.log.wait_for(f"wsexec: unix:{path}\n".encode())
    assert listeners(run) == (1, 1)
    assert fetch(run.at("/raw")).body == ask(path).body == b"x\n"
    assert watch(path).wait_end().messages == ["x"]
    run.send_signal(signal.SIGTERM)
    assert run.wait() == 0
    assert path.exists(), "it is that of who has passed it"


def test_who_connected_before_is_served(activate, passed, clients):
    """That is what sockets are passed for."""
    _, tcp, port = passed
    peer = Peer(port)
    clients.append(peer)
    peer.send(head("/raw?follow=1"))
    activate([tcp], *FOREVER, command=["echo", "x"])
    assert peer.read_head() == 200
    assert peer.read_chunks() == b"x\n"


def test_other_sockets_are_opened_if_they_are_asked_for(
    activate, passed, path
):
    unix, _, _ = passed
    second = path.with_name("second")
    run = activate(
        [unix], "--port", "0", "--unix-socket", str(second), *FOREVER,
        command=["echo", "x"],
    )
    run.log.wait_for(f"unix:{second}\n".encode())
    assert listeners(run) == (1, 2)


def test_the_command_knows_nothing_of_them(activate, passed):
    unix, tcp, _ = passed
    run = activate(
        [unix, tcp],
        script="env | grep LISTEN_; ls /proc/self/fd | grep -c .",
    )
    assert run.stdout.wait_end() == b"4\n"  # 0, 1, 2, and that of ls


def test_sockets_for_another_process_are_not_taken(start):
    env = {**os.environ, "LISTEN_FDS": "1", "LISTEN_PID": "1"}
    run = start(*FOREVER, command=["echo", "x"], env=env)
    assert listeners(run) == (1, 0)


@pytest.mark.parametrize("options, needed", [
    ([], True), (["--no-auth"], False),
])
def test_a_public_one_makes_a_token_needed(activate, options, needed):
    with socket.create_server(("0.0.0.0", 0)) as tcp:
        run = activate([tcp], *options, *FOREVER, command=["echo", "x"])
        port = tcp.getsockname()[1]
        answer = fetch(f"http://127.0.0.1:{port}/raw")
    assert ("?token=" in run.url) == needed
    assert answer.status == (401 if needed else 200)


def test_what_does_not_listen_is_125(passed):
    _, tcp, _ = passed
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    deaf = socket.socket()
    connected = socket.create_connection(tcp.getsockname())
    with datagrams, deaf, connected, open("/dev/null", "rb") as file:
        for wrong in (datagrams, deaf, connected, file):
            done = activate_in_vain([tcp, wrong], names="good:bad")
            assert done.returncode == 125
            assert done.stderr == (
                b"wsexec: cannot listen on descriptor 4 (bad) of LISTEN_FDS:"
                b" not a stream socket that listens\n"
            )


@pytest.mark.parametrize("count, told", [
    (3, b"LISTEN_FDS: descriptor 5: Bad file descriptor"),
    ("x", b"LISTEN_FDS: 'x' is not in 0..64"),
])
def test_sockets_that_are_not_there_are_125(passed, count, told):
    done = activate_in_vain(passed[:2], count=count)
    assert done.returncode == 125
    assert done.stderr == b"wsexec: " + told + b"\n"
