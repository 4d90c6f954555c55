# SPDX-License-Identifier: ISC
"""What the soak tests share: crowds of clients, and runs of wsexec with the
help of the end-to-end tests.

The binary is $WSEXEC, or build/wsexec; the crowd is $SOAK_CLIENT, or
build/tests/soak/client."""

import contextlib
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "e2e"))

# pylint: disable=wrong-import-position
import harness  # noqa: E402

MIB = 1 << 20


def client_path():
    return os.environ.get(
        "SOAK_CLIENT", str(ROOT / "build" / "tests" / "soak" / "client")
    )


def prepare():
    """Room for many connections, no core dumps, and orphans are ours."""
    if not os.access(client_path(), os.X_OK):
        sys.exit(f"{client_path()} is not there: use make soak")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    harness.become_subreaper()


@contextlib.contextmanager
def directory():
    path = pathlib.Path(tempfile.mkdtemp(prefix="wsexec-soak-"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


@contextlib.contextmanager
def wsexec(*options, command, **keywords):
    """A Run of wsexec; closed at the end."""
    with directory() as own:
        run = harness.Run(own, options, command, **keywords)
        try:
            yield run
        finally:
            run.close()


class Crowd:
    """A process with many clients; plan has a line for each, as client.c
    says.  results is a dict for each, at the end."""

    def __init__(self, run, plan, *options, on_progress=None):
        self.results = []
        self.on_progress = on_progress
        self.process = subprocess.Popen(
            [client_path(), *options, f"127.0.0.1:{run.port}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.process.stdin.write("".join(f"{p}\n" for p in plan).encode())
        self.process.stdin.close()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            if line.startswith(b"progress "):
                self.on_progress(int(line.split()[1]))
            else:
                self.results.append(json.loads(line))

    def send_signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        """Waits for the end of all; returns the results."""
        self.thread.join()
        if self.process.wait() != 0:
            raise RuntimeError(f"client: status {self.process.returncode}")
        return self.results

    def close(self):
        self.process.kill()
        self.process.wait()
        self.thread.join()
        self.process.stdout.close()


def memory_kib(pid, field):
    """A field of /proc/PID/status: VmRSS, VmHWM."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    raise AssertionError(f"no {field}")


def parse_size(text):
    """100, 64K, 400M, 1G"""
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    if text[-1:] in units:
        return int(text[:-1]) * units[text[-1]]
    return int(text)


class Verdict:
    """Counts what is wrong, and says it."""

    def __init__(self):
        self.failures = 0

    def check(self, right, what):
        if not right:
            self.failures += 1
            print(f"WRONG: {what}", flush=True)
        return right

    def finish(self):
        """Leaves nothing running; ends the program."""
        left = harness.children(os.getpid())
        self.check(not left, f"processes are left: {left}")
        harness.kill_children()
        print("all right" if self.failures == 0
              else f"{self.failures} wrong", flush=True)
        sys.exit(1 if self.failures else 0)
