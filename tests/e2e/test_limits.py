# SPDX-License-Identifier: ISC
"""What clients can use up, and what comes back when they leave."""

import resource

import pytest

from harness import is_sanitized, wait_until
from rawsocket import Peer, head, upgrade_head
from viewers import fetch

MALFORMED = [
    upgrade_head(Sec_WebSocket_Version="12"),
    upgrade_head(Sec_WebSocket_Key="x"),
    upgrade_head(Connection=None),
    upgrade_head(Host="evil.example"),
    head(method="BREW"),
    head(Host=None),
    b"\x16\x03\x01",
    b"nonsense\r\n\r\n",
    upgrade_head() + b"\x81\x05hello",
    upgrade_head(X="x" * 8000),
]


def only_sent(run, data):
    """Connects, sends, and leaves without a look at the answer."""
    peer = Peer(run.port)
    peer.send(data)
    peer.close()


def answered(run, data):
    peer = Peer(run.port)
    peer.send(data)
    peer.read_until(b"\r\n\r\n")
    peer.close()


@pytest.mark.parametrize("treat", [only_sent, answered])
def test_malformed_handshakes_leave_nothing_behind(start, view, treat):
    run = start("--quiet", script="read _ <go")
    watcher = view(run)
    for i in range(200):
        treat(run, MALFORMED[i % len(MALFORMED)])
    wait_until(lambda: run.descriptors() <= 30, "the end of the first ones")
    memory = run.resident_kib()
    for i in range(2000):
        treat(run, MALFORMED[i % len(MALFORMED)])
    watcher.close()
    idle = start("--quiet", script="read _ <go").descriptors()
    wait_until(
        lambda: run.descriptors() <= idle, "the end of all connections"
    )
    if not is_sanitized():
        assert run.resident_kib() - memory < 4096
    assert fetch(run.at("/healthz")).body == b"ok\n"


def test_half_a_handshake_is_forgotten_with_its_sender(start):
    run = start("--quiet", script="read _ <go")
    before = run.descriptors()
    for i in range(1, len(upgrade_head()), 3):
        only_sent(run, upgrade_head()[:i])
    wait_until(
        lambda: run.descriptors() <= before, "the end of all connections"
    )


def test_clients_that_come_and_go_leave_nothing_behind(start, view):
    run = start("--quiet", script="seq 1000; read _ <go")
    text = view(run)
    text.wait_message("1000")
    before = run.descriptors()
    for i in range(200):
        peer = Peer(run.port)
        peer.upgrade("/?format=json" if i % 2 else "/")
        peer.close()
    wait_until(
        lambda: run.descriptors() <= before, "the end of all connections"
    )
    run.go()
    assert len(text.wait_end().messages) == 1000


def test_clients_over_the_limit_are_told_to_come_back(start, connect):
    run = start("--quiet", "--max-clients", "2", script="read _ <go")
    first, _ = connect(run).upgrade(), connect(run).upgrade()
    for request in (upgrade_head(), head("/raw"), head("/?format=json")):
        peer = connect(run)
        assert peer.ask(request) == 503
        assert int(peer.fields["retry-after"]) > 0
        assert peer.read_body().count(b"\n") == 1
    assert connect(run).ask(head("/healthz")) == 200
    first.close()

    def is_taken():
        peer = connect(run)
        return peer.ask(upgrade_head()) == 101

    wait_until(is_taken, "a place for another")


def test_clients_for_whom_no_descriptor_is_left_are_told_so(start, connect):
    run = start(
        "--quiet", "-v", script="echo x; read _ <go",
        preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_NOFILE, (64, 64)
        ),
    )
    before = run.descriptors()
    idle = []
    while before + len(idle) < 64:
        idle.append(connect(run))
        wait_until(
            lambda: run.descriptors() >= before + len(idle), "the connection"
        )
    for _ in range(20):
        peer = connect(run)
        assert peer.read_head() == 503
        assert int(peer.fields["retry-after"]) > 0
        assert peer.read_rest().endswith(b"\n")
    run.log.wait_for(b"wsexec: refused with 503: no descriptors are left\n")
    for peer in idle:
        peer.close()
    wait_until(
        lambda: run.descriptors() <= before, "the end of all connections"
    )
    assert fetch(run.at("/raw?follow=0")).body == b"x\n"


def test_more_clients_than_descriptors_are_refused(start, connect):
    run = start(
        "--quiet", script="echo x; read _ <go",
        preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_NOFILE, (64, 64)
        ),
    )
    before = run.descriptors()
    peers = [connect(run) for _ in range(80)]
    for peer in peers:
        peer.send(upgrade_head())
    statuses = [peer.read_head() for peer in peers]
    assert set(statuses) == {101, 503}
    assert statuses.count(101) >= 20
    good = peers[statuses.index(101)]
    assert good.read_message() == "x"
    for peer in peers:
        peer.close()
    wait_until(
        lambda: run.descriptors() <= before, "the end of all connections"
    )
    connect(run).upgrade()


def test_the_command_keeps_the_descriptor_limit_of_the_user(start):
    run = start(
        script="ulimit -Sn",
        preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_NOFILE, (100, 200)
        ),
    )
    assert run.stdout.wait_end() == b"100\n"


def test_a_silent_connection_costs_others_nothing(start, connect, view):
    run = start("--quiet", script="echo x; read _ <go; echo y")
    for i in range(100):
        connect(run).send(b"GET / HTTP/1.1\r\n"[:i % 17])
    text = view(run)
    text.wait_message("x")
    run.go()
    assert text.wait_end().messages == ["x", "y"]
