# SPDX-License-Identifier: ISC
"""--trust-proxy: whom proxies ask for is in the access log and in what -v
says, and only what trusted ones say counts."""

import re

import pytest

from harness import wait_until
from rawsocket import close_frame, head

CLIENT = "192.0.2.7"


@pytest.fixture
def proxied(start, directory):
    """Starts wsexec; returns the run and a function for the clients that
    stand in the access log once it has so many lines."""

    def begin(*options):
        path = directory / "access"
        run = start(
            "--access-log", str(path), "--linger", "forever", "-v",
            *options, command=["echo", "hello"],
        )

        def clients(count):
            wait_until(
                lambda: path.read_text().count("\n") >= count, "the lines"
            )
            return [line.split()[0] for line in path.read_text().splitlines()]

        return run, clients

    return begin


def ask(peer, **fields):
    assert peer.ask(head("/healthz", **fields)) == 200
    peer.read_body()


@pytest.mark.parametrize("options, fields, client", [
    ([], {"X_Forwarded_For": CLIENT}, "127.0.0.1"),
    (["10.0.0.0/8"], {"X_Forwarded_For": CLIENT}, "127.0.0.1"),
    (["127.0.0.1"], {}, "127.0.0.1"),
    (["127.0.0.1"], {"X_Forwarded_For": CLIENT}, CLIENT),
    (["127.0.0.0/8"], {"X_Forwarded_For": f"10.0.0.1, {CLIENT}"}, CLIENT),
    (
        ["127.0.0.0/8", "10.0.0.0/8"],
        {"X_Forwarded_For": f"192.0.2.8, {CLIENT}, 10.0.0.1"}, CLIENT,
    ),
    (["127.0.0.1"], {"X_Forwarded_For": "2001:DB8::7"}, "2001:db8::7"),
    (["127.0.0.1"], {"X_Forwarded_For": f"::ffff:{CLIENT}"}, CLIENT),
    (["127.0.0.1"], {"X_Forwarded_For": f"{CLIENT}, nobody"}, "127.0.0.1"),
    (["127.0.0.1"], {"Forwarded": f"for={CLIENT};proto=https"}, CLIENT),
    (
        ["127.0.0.1"], {"Forwarded": 'for="[2001:db8::7]:4711"'},
        "2001:db8::7",
    ),
    (["127.0.0.1"], {"Forwarded": "for=_hidden"}, "127.0.0.1"),
    (["127.0.0.1"], {"X_Real_IP": CLIENT}, "127.0.0.1"),
])
def test_the_client_of_a_request(proxied, connect, options, fields, client):
    run, clients = proxied(
        *[word for o in options for word in ("--trust-proxy", o)]
    )
    ask(connect(run), **fields)
    assert clients(1) == [client]


def test_a_connection_can_have_requests_of_several_clients(proxied, connect):
    run, clients = proxied("--trust-proxy", "127.0.0.1")
    peer = connect(run)
    wanted = ["192.0.2.1", "2001:db8::2", "127.0.0.1", "192.0.2.3"]
    for client in wanted:
        fields = {"X_Forwarded_For": client}
        ask(peer, **(fields if client != "127.0.0.1" else {}))
    # What is no request is the proxy's own.
    assert peer.ask(b"nonsense\r\n\r\n") == 400
    assert clients(5) == [*wanted, "127.0.0.1"]


def test_what_is_said_of_a_stream_names_the_client(proxied, connect):
    run, clients = proxied("--trust-proxy", "127.0.0.1")
    peer = connect(run).upgrade(X_Forwarded_For=CLIENT)
    peer.read_messages()
    assert clients(1) == [CLIENT]
    other = connect(run).upgrade(Forwarded='for="[2001:db8::7]:4711"')
    other.send(close_frame(1000))
    other.read_close()
    assert clients(2) == [CLIENT, "2001:db8::7"]
    text = run.log.wait_for(b"[2001:db8::7]:4711: closed: ").decode()
    for message in ("gets output", "ends with 1000: exit 0", "closed: "):
        assert re.search(rf"wsexec: {re.escape(CLIENT)}: {message}", text)
    assert "127.0.0.1:" not in text.partition("\n")[2]
