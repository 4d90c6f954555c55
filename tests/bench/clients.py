# SPDX-License-Identifier: ISC
"""The clients: swarm, which checks every line of many, and pour, which drops
what one gets as fast as it comes."""

import json
import os
import subprocess

import measure

CONNECT_S = 120
HANDSHAKES = 100  # at once; some servers refuse more
WRONG = ("failed", "missing", "out_of_order", "non_seq", "bad_length",
         "bad_payload", "protocol_errors", "reset", "eof")


class Program:
    """A program that prints one JSON object when it is done."""

    def __init__(self, words):
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE,
                                        stdin=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def result(self):
        """Waits for the object only, not for the end: then its connections
        are closed, which is not to be measured."""
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait()
            raise RuntimeError(f"{self.process.args[0]}: status {status}")
        return json.loads(line)

    def stop(self):
        """Ends it early; returns the object."""
        self.process.terminate()
        return self.result()


class Swarm(Program):
    """So many clients of a server; directory is for a file of its own."""

    def __init__(self, tools, server, clients, *options, path="/"):
        self.clients = clients
        self.ready_file = f"{server.directory}/ready-{id(self)}"
        super().__init__([
            str(tools / "swarm"), "-u", f"ws://{server.address}{path}",
            "-n", str(clients), "--ready-file", self.ready_file,
            "--inflight", str(HANDSHAKES), "--settle", "0.3", *map(str, options)])

    def wait_connected(self):
        measure.wait_until(
            lambda: os.path.exists(self.ready_file)
            or self.process.poll() is not None,
            CONNECT_S, f"{self.clients} clients connect")


class Pour(Program):
    """Connections that drop what they get for a request."""

    def __init__(self, tools, address, *options):
        super().__init__([str(tools / "pour"), "drain",
                          *map(str, options[:-1]), address, options[-1]])


def faults(result, clients, lines):
    """What a swarm says went wrong; lines=None: none were expected."""
    found = []
    if result["connected"] != clients:
        found.append(f"{result['connected']} of {clients} connected")
    if lines is not None and result["complete"] != clients:
        lost = clients * lines - result["messages"]
        found.append(f"{result['complete']} of {clients} complete, "
                     f"{lost} lines not delivered")
    found += [f"{name} {result[name]}" for name in WRONG if result.get(name)]
    if result["error"]:
        found.append(result["error"])
    return found
