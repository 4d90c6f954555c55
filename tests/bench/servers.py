# SPDX-License-Identifier: ISC
"""How each server is started on a command, and ended.

All of them run the same command, listen on a port of their own, and send each
line of its output as one text message to each client."""

import collections
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile

import measure

PEERS = pathlib.Path(__file__).resolve().parent / "peers"
START_S = 20
STOP_S = 10
PORTS = range(17000, 30000)  # those that clients get begin above

# A design makes the words of a command line from a port, a scratch directory
# and the words of the source.
Design = collections.namedtuple("Design", "name words")


def wsexec(binary, *options, name="wsexec"):
    return Design(name, lambda port, directory, source: [
        binary, "-q", "-p", str(port), *options, "--", *source])


def lossless_wsexec(binary, *options, name="wsexec"):
    """As the floor does it, the source waits for clients; for floods."""
    return wsexec(binary, "--slow", "block", *options, name=name)


def floor(binary, *options, name="floor"):
    return Design(name, lambda port, directory, source: [
        binary, "-p", str(port), *options, "--", *source])


def peers(gorilla):
    """The other servers; gorilla is the program made of gorilla.go."""
    return [
        Design("Go, gorilla/websocket", lambda port, directory, source: [
            gorilla, str(port), *source]),
        Design("Node, ws", lambda port, directory, source: [
            "node", str(PEERS / "node_ws.js"), str(port), *source]),
        Design("Python, websockets", lambda port, directory, source: [
            "/usr/bin/python3", str(PEERS / "py_websockets.py"), str(port),
            *source]),
        Design("nginx, nchan", lambda port, directory, source: [
            "/usr/bin/python3", str(PEERS / "nchan.py"), str(port),
            directory, *source]),
        # Each client has a tail of its own, which reads what the source
        # writes to a file.
        Design("websocketd, tail -f", lambda port, directory, source: [
            "sh", "-c",
            'file=$1 port=$2; shift 2; >"$file"; "$@" >"$file" & '
            'exec websocketd --loglevel=fatal --address=127.0.0.1 '
            '--port="$port" tail -n +1 -f "$file"',
            "sh", directory + "/lines", str(port), *source]),
    ]


def free_port():
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Server:
    """One of them, running in a session of its own.

    make_source is called with the name of the file whose creation lets the
    source begin, and returns the words of the source."""

    def __init__(self, design, make_source):
        self.directory = tempfile.mkdtemp(prefix="wsexec-bench-")
        self.gate = self.directory + "/go"
        self.log = pathlib.Path(self.directory, "log")
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        words = design.words(self.port, self.directory,
                             make_source(self.gate))
        with self.log.open("wb") as log:
            # Descriptors 0 to 2 are no business of the servers.
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
                env={**os.environ, "NODE_PATH": "/usr/share/nodejs"})
        self.session = self.process.pid
        try:
            measure.wait_until(self.listens, START_S, f"{design.name} listens")
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def listens(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.process.args[0]} ended: "
                               + self.log.read_text("utf-8", "replace")[-500:])
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def go(self):
        """Lets the source begin."""
        with open(self.gate, "xb"):
            pass

    def has_ended(self):
        self.process.poll()
        return not measure.session_pids(self.session)

    def close(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in measure.session_pids(self.session):
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
            try:
                measure.wait_until(self.has_ended, STOP_S, "end of server")
                break
            except TimeoutError:
                continue
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
