# SPDX-License-Identifier: ISC
"""Runs of wsexec for the tests: started, watched and ended.

The binary is $WSEXEC, or build/wsexec. $WSEXEC_OPTIONS are options for all
runs, before those of the tests."""

import contextlib
import ctypes
import hashlib
import os
import pathlib
import shlex
import signal
import subprocess
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT_S = 60
POLL_S = 0.01
PR_SET_CHILD_SUBREAPER = 36


def wsexec_path():
    path = os.environ.get("WSEXEC", str(ROOT / "build" / "wsexec"))
    if not os.access(path, os.X_OK):
        pytest.fail(f"{path} is not there; build it or set WSEXEC")
    return path


def wsexec_command(*arguments):
    """A command line of wsexec."""
    options = shlex.split(os.environ.get("WSEXEC_OPTIONS", ""))
    return [wsexec_path(), *options, *arguments]


def is_sanitized():
    """Whether the binary was built with the address sanitizer."""
    with open(wsexec_path(), "rb") as file:
        return b"__asan_init" in file.read()


def wait_until(condition, what):
    """Waits until condition() is true; returns its value."""
    deadline = time.monotonic() + TIMEOUT_S
    while not (value := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"never happened: {what}")
        time.sleep(POLL_S)
    return value


def digest(data):
    """Stands for data in comparisons: short when they fail."""
    return len(data), hashlib.sha256(data).hexdigest()


# On stderr behind the addresses, where root runs the tests.
ROOT_WARNING = b"wsexec: this is root, and so is the command; --user gives " \
    b"that up\n"


def wsexec(*arguments, **keywords):
    """Runs wsexec to its end; returns a CompletedProcess."""
    keywords = {
        "stdin": subprocess.DEVNULL,
        "capture_output": True,
        "timeout": TIMEOUT_S,
        **keywords,
    }
    return subprocess.run(
        wsexec_command("--port", "0", *arguments), check=False, **keywords
    )


class Collector:
    """Reads a file to its end in a thread of its own."""

    def __init__(self, file):
        self.file = file
        self.bytes = bytearray()
        self.ended = False
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while True:
            try:
                data = os.read(self.file.fileno(), 65536)
            except OSError:  # how a pseudoterminal ends
                data = b""
            with self.changed:
                self.bytes += data
                self.ended = not data
                self.changed.notify_all()
            if not data:
                return

    def wait_for(self, wanted):
        """Waits until these bytes have come; returns all there are."""
        with self.changed:
            self.changed.wait_for(
                lambda: wanted in self.bytes or self.ended, TIMEOUT_S
            )
            if wanted not in self.bytes:
                pytest.fail(f"{wanted!r} is not in {bytes(self.bytes)!r}")
            return bytes(self.bytes)

    def wait_end(self):
        with self.changed:
            if not self.changed.wait_for(lambda: self.ended, TIMEOUT_S):
                pytest.fail("no end of output")
            return bytes(self.bytes)


class Run:
    """wsexec, serving on a port of its own, or where the options say.

    prefix is a command line that it is to be started by.

    The command runs in a directory of its own, which has a FIFO `go`: what
    does `read _ <go` waits until the test calls go()."""

    def __init__(self, directory, options, command, prefix=(), **keywords):
        self.directory = directory
        os.mkfifo(directory / "go")
        # Held open for both, so that nobody waits and nothing is lost.
        self.gate = os.open(directory / "go", os.O_RDWR)
        separator = ["--"] if command else []
        told = {"--port", "--unix-socket"} & {*options}
        port = [] if told or prefix else ["--port", "0"]
        keywords = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "cwd": directory,
            **keywords,
        }
        self.process = subprocess.Popen(
            [*prefix,
             *wsexec_command(*port, *options, *separator, *command)],
            **keywords,
        )
        self.pid = self.process.pid
        self.log = Collector(self.process.stderr)
        self.stdout = None
        if self.process.stdout is not None:
            self.stdout = Collector(self.process.stdout)
        announced = self.log.wait_for(b"\n").split(b"\n")[0].decode()
        assert announced.startswith(
            ("wsexec: http://", "wsexec: https://", "wsexec: unix:")
        ), announced
        self.url = announced.removeprefix("wsexec: ")
        self.port = None
        if self.url.startswith("http"):
            authority = self.url.split("/")[2]
            self.port = int(authority.rpartition(":")[2])

    def at(self, rest, scheme="http"):
        """The URL of another path, or of / with a query."""
        slash = "" if rest.startswith("/") else "/"
        return f"{scheme}://127.0.0.1:{self.port}{slash}{rest}"

    def go(self):
        os.write(self.gate, b"\n")

    def send_signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        """Waits for the end; returns the exit status."""
        return self.process.wait(TIMEOUT_S)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def resident_kib(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1])
        raise AssertionError("no VmRSS")

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        os.close(self.gate)
        for collector in (self.log, self.stdout):
            if collector is not None:
                collector.thread.join(TIMEOUT_S)
                collector.file.close()


def become_subreaper():
    """From now on orphans of what the tests start are children of ours."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def memory_shown(pid):
    """What others can read of how a process was started."""
    shown = b""
    for name in ("environ", "cmdline"):
        with open(f"/proc/{pid}/{name}", "rb") as file:
            shown += file.read()
    return shown


def read_stat(pid):
    """The name, state and parent of a process; None: it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            head, _, rest = file.read().rpartition(")")
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, parent = rest.split()[:2]
    return head.partition("(")[2], state, int(parent)


def children(pid):
    """The processes below pid, as {pid: name}; zombies are not counted."""
    found = {}
    for entry in os.listdir("/proc"):
        stat = read_stat(entry) if entry.isdigit() else None
        if stat is not None and stat[2] == pid and stat[1] != "Z":
            found[int(entry)] = stat[0]
    return found


def kill_children():
    """Ends and reaps whatever is below us; returns what there was."""
    found = children(os.getpid())
    for pid in found:
        os.kill(pid, signal.SIGKILL)
    try:
        while os.waitpid(-1, os.WNOHANG if not found else 0)[0] != 0:
            pass
    except ChildProcessError:
        pass
    return found


def reap_orphans():
    """Reaps those below us that have ended and are nobody's; a process group
    is there as long as one of them is."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass


def wait_nothing_is_left():
    """To be called when all that the tests have started has been waited
    for."""
    def is_nothing_left():
        reap_orphans()
        return not children(os.getpid())

    wait_until(
        is_nothing_left,
        f"the end of all processes, of {children(os.getpid())}",
    )
