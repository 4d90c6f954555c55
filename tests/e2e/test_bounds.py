# SPDX-License-Identifier: ISC
"""What one address may take. Addresses are those that a proxy tells, as this
machine itself has no such limits."""

import os

import pytest

from harness import wait_until
from rawsocket import head, upgrade_head
from viewers import fetch

TOKEN = "0123456789-secret"


def behind(address):
    return {"X_Forwarded_For": address}


@pytest.fixture
def guarded(start):
    return start(
        "--quiet", "--linger", "forever", "--trust-proxy", "127.0.0.1",
        "--max-clients-per-address", "2", script="echo x",
        env={**os.environ, "WSEXEC_TOKEN": TOKEN},
    )


def test_clients_of_an_address(start, connect):
    run = start("--quiet", "--trust-proxy", "127.0.0.1",
                "--max-clients-per-address", "2", script="echo x; read _ <go")
    one, other = behind("192.0.2.1"), behind("192.0.2.2")
    first = connect(run).upgrade(**one)
    connect(run).upgrade("/status", **one)
    for target in ("/", "/status"):
        peer = connect(run)
        assert peer.ask(upgrade_head(target, **one)) == 429
        assert int(peer.fields["retry-after"]) > 0
        assert b"from this address" in peer.read_body()
    assert connect(run).ask(head("/raw", **one)) == 429
    assert connect(run).ask(head("/healthz", **one)) == 200
    connect(run).upgrade(**other)
    for _ in range(3):
        connect(run).upgrade()  # of this machine
    first.close()
    wait_until(
        lambda: connect(run).ask(upgrade_head(**one)) == 101,
        "room for another one",
    )
    connect(run).upgrade(**behind("2001:db8::1"))
    connect(run).upgrade(**behind("2001:db8::2"))
    near = upgrade_head(**behind("2001:db8:0:0:1::3"))
    assert connect(run).ask(near) == 429
    connect(run).upgrade(**behind("2001:db8:0:1::1"))
    run.go()


def test_wrong_tokens_of_an_address(guarded, connect):
    one, other = behind("192.0.2.1"), behind("192.0.2.2")
    answer = fetch(guarded.at(f"/?token={TOKEN}"), "-H", "Accept: text/html",
                   "-H", "X-Forwarded-For: 192.0.2.1")
    cookie = answer.fields["set-cookie"].partition(";")[0]
    for number in range(10):
        ways = [
            head(f"/?token=wrong{number}", **one),
            head("/", **one, Authorization=f"Bearer wrong{number}"),
            upgrade_head(**one, Sec_WebSocket_Protocol="wsexec.token.d3Jvbmc"),
        ]
        # Nothing that is shown is nothing wrong.
        assert connect(guarded).ask(head("/", **one)) == 401
        assert connect(guarded).ask(ways[number % 3]) == 401
    right = f"/raw?follow=0&token={TOKEN}"
    for target in (right, "/?token=wrong"):
        assert connect(guarded).ask(head(target, **one)) == 429
    assert connect(guarded).ask(head("/healthz", **one)) == 200
    target = "/raw?follow=0"
    peer = connect(guarded)
    name = f"127.0.0.1:{guarded.port}"
    assert peer.ask(head(target, **one, Cookie=cookie, Host=name)) == 200
    assert connect(guarded).ask(head(right, **other)) == 200
    assert connect(guarded).ask(head(right)) == 200


def test_requests_of_an_address(guarded, connect):
    """More at once than there may be in the time that it takes."""
    peers = [connect(guarded) for _ in range(8)]
    each = head("/healthz", **behind("192.0.2.9"))
    statuses = []
    for peer in peers:
        peer.send(each * 99)
    for peer in peers:
        for _ in range(99):
            statuses.append(peer.read_head())
            body = peer.read_body()
            if statuses[-1] != 200:
                assert b"too many requests" in body
                break
    assert statuses[:396] == [200] * 396
    assert 429 in statuses
    assert connect(guarded).ask(head("/healthz")) == 200
    other = head("/healthz", **behind("192.0.2.8"))
    assert connect(guarded).ask(other) == 200


def test_pages_that_may_connect_may_read(start, connect):
    run = start("--linger", "forever", "--origin", "https://app.example",
                script="echo x")
    name = f"127.0.0.1:{run.port}"
    shared = "access-control-allow-origin"
    for target in ("/raw?follow=0", "/status", "/metrics", "/none",
                   "/?after=x", "/events?after=1000"):
        peer = connect(run)
        peer.ask(head(target, Origin="https://app.example"))
        assert peer.fields[shared] == "https://app.example"
        for origin in (f"http://{name}", "https://evil.example", None):
            peer = connect(run)
            peer.ask(head(target, Host=name, Origin=origin))
            assert shared not in peer.fields
    peer = connect(run)
    assert peer.ask(head("/healthz")) == 200
    assert peer.fields["vary"] == "Origin"
    plain = start("--linger", "forever", script="echo x")
    peer = connect(plain)
    peer.ask(head(Host="localhost", Origin="http://localhost"))
    assert not [name for name in peer.fields if name.startswith("access-")]
