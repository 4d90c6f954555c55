#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Thousands of malformed handshakes leave no descriptor and no memory, and
the client that watches meanwhile sees nothing of them."""

import argparse
import collections
import random
import socket
import struct

import soak
from soak import harness
from rawsocket import Peer, head, upgrade_head

ROUND = 50  # connections at a time
GROWTH_KIB = 1024  # of memory, for 10,000 of them


def bad_requests(randomness):
    """(name, bytes, expected status or None: closed without an answer)"""
    long = "x" * 70000
    return [
        ("no key", upgrade_head(Sec_WebSocket_Key=None), 400),
        ("short key", upgrade_head(Sec_WebSocket_Key="AAAA"), 400),
        ("key that is none", upgrade_head(Sec_WebSocket_Key="*" * 24), 400),
        ("no version", upgrade_head(Sec_WebSocket_Version=None), None),
        ("old version", upgrade_head(Sec_WebSocket_Version="8"), 426),
        ("no connection", upgrade_head(Connection=None), None),
        ("POST", upgrade_head().replace(b"GET", b"POST", 1), 405),
        ("HTTP/1.0", upgrade_head().replace(b"P/1.1", b"P/1.0", 1), None),
        ("HTTP/9", head(version="HTTP/9.9"), 505),
        ("no host", upgrade_head(Host=None), 400),
        ("foreign host", upgrade_head(Host="example.com"), 421),
        ("foreign origin", upgrade_head(Origin="http://example.com"), 403),
        ("bad query", upgrade_head("/?after=x"), 400),
        ("no such path", upgrade_head("/nothing"), 404),
        ("long head", head(X=long), 431),
        ("long target", head("/" + long), None),
        ("no colon", b"GET / HTTP/1.1\r\nHost 127.0.0.1\r\n\r\n", 400),
        ("space before colon",
         b"GET / HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n", 400),
        ("folded", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n x\r\n\r\n", 400),
        ("NUL", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: \0\r\n\r\n", 400),
        ("noise", randomness.randbytes(300) + b"\r\n\r\n", None),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 10, None),
        ("nothing", b"", None),
        ("half", upgrade_head()[:randomness.randrange(1, 100)], None),
        ("half, reset", upgrade_head()[:randomness.randrange(1, 100)],
         None),
        ("bad frames behind", upgrade_head() + randomness.randbytes(50),
         101),
        ("unmasked frame behind", upgrade_head() + b"\x81\x01x", 101),
    ]


def open_one(port, name, data):
    connection = socket.create_connection(("127.0.0.1", port), 30)
    try:
        connection.sendall(data)
        if name.endswith("reset"):
            connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
        else:
            connection.shutdown(socket.SHUT_WR)
    except OSError:  # it was refused before it had said all
        pass
    return connection


def read_all(connection):
    parts = []
    try:
        while data := connection.recv(65536):
            parts.append(data)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def finish_one(verdict, seen, connection, name, wanted):
    if name.endswith("reset"):
        connection.close()
        return
    answer = read_all(connection)
    connection.close()
    status = int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else None
    seen[name, status] += 1
    # Where none is named, a page, a refusal or nothing at all may be right.
    if wanted is not None:
        verdict.check(status == wanted, f"{name}: {answer[:300]!r}")


def attack(verdict, port, randomness, count):
    """So many malformed handshakes; returns what was answered."""
    seen = collections.Counter()
    for _ in range(0, count, ROUND):
        opened = []
        for name, data, wanted in randomness.choices(
            bad_requests(randomness), k=ROUND
        ):
            connection = open_one(port, name, data)
            opened.append((connection, name, wanted))
        for connection, name, wanted in opened:
            finish_one(verdict, seen, connection, name, wanted)
    return seen


def quiet_descriptors(run, wanted):
    """The number of descriptors, as soon as it is as wanted."""
    harness.wait_until(lambda: run.descriptors() <= wanted,
                       f"{wanted} descriptors, not {run.descriptors()}")
    return run.descriptors()


def measure(verdict, run, options, randomness):
    peer = Peer(run.port).upgrade("/?format=json")
    # What is allocated once is not counted.
    descriptors = run.descriptors()
    attack(verdict, run.port, randomness, options.count // 10)
    quiet_descriptors(run, descriptors)
    resident = soak.memory_kib(run.pid, "VmRSS")
    seen = attack(verdict, run.port, randomness, options.count)
    after = quiet_descriptors(run, descriptors)
    growth = soak.memory_kib(run.pid, "VmRSS") - resident
    for (name, status), times in sorted(seen.items(), key=str):
        print(f"  {name:22} {status or 'closed':>6} {times:6}")
    print(f"{options.count} handshakes: descriptors {descriptors}, then"
          f" {after}; VmRSS {resident} KiB, then {growth:+} KiB", flush=True)
    verdict.check(
        growth <= GROWTH_KIB or harness.is_sanitized(),
        f"memory has grown by {growth} KiB",
    )
    run.go()
    records, code, reason = peer.read_records()
    lines = [r["text"] for r in records
             if r["type"] == "line" and "partial" not in r]
    verdict.check((lines, code, reason) == (["done"], 1000, "exit 0"),
                  f"the one who watched got {records[-3:]}, {code} {reason}")
    peer.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--count", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.randrange(1 << 32)
    print(f"seed {options.seed}", flush=True)
    soak.prepare()
    verdict = soak.Verdict()
    with soak.wsexec(command=["sh", "-c", "read _ <go; echo done"]) as run:
        measure(verdict, run, options, random.Random(options.seed))
        verdict.check(run.wait() == 0, "status")
    verdict.finish()


if __name__ == "__main__":
    main()
