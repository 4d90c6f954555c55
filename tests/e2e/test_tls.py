# SPDX-License-Identifier: ISC
"""TLS: who is served by it and how, and what happens to those who do not speak
it."""

import asyncio
import os
import socket
import ssl
import subprocess

import pytest

from harness import TIMEOUT_S, digest, wait_until
from rawsocket import Peer, frame, head, upgrade_head
from rawsocket import CLOSE, PING, PONG
from viewers import fetch, has_node_client, parse_records
from viewers import rejoin
from viewers import take_aiohttp, take_node, take_websocket_client
from viewers import take_websockets

FOREVER = ("--linger", "forever", "--quiet")
LINES = 2000
ALERT = b"\x15"  # what records of alerts begin with
TLS = ssl.TLSVersion
NOISE = (
    "openssl enc -aes-128-ctr -K 00 -iv 00 -in /dev/zero 2>/dev/null |"
    " head -c 50000000"
)


def by_s_client(run, *arguments):
    """What openssl s_client says, when it has sent nothing."""
    shown = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{run.port}",
         *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=TIMEOUT_S, check=False,
    )
    return shown.stdout.decode()


@pytest.mark.valgrind
def test_curl_gets_the_output(start, authority, tls_options):
    run = start(*FOREVER, *tls_options, command=["seq", str(LINES)])
    assert run.url == f"https://127.0.0.1:{run.port}/"
    wanted = "".join(f"{n}\n" for n in range(1, LINES + 1)).encode()
    assert fetch(run.at("/raw?follow=0", "https")).body == wanted
    page = fetch(run.at("/", "https"), "--header", "Accept: text/html")
    assert b"<html" in page.body


def take_without_origin(url, most):
    # Debian's version says that its Origin is http://, also by TLS.
    return take_websocket_client(url, most, suppress_origin=True)


def take_all(client, url):
    if asyncio.iscoroutinefunction(client):
        return asyncio.run(client(url, None))
    return client(url, None)


@pytest.mark.parametrize("client", [
    take_websockets, take_aiohttp, take_without_origin,
    pytest.param(take_node, marks=pytest.mark.skipif(
        not has_node_client(), reason="needs Node with WebSocket or ws"
    )),
])
def test_clients_of_others_get_every_line(start, tls_options, client):
    run = start(*FOREVER, *tls_options, command=["seq", str(LINES)])
    got = take_all(client, run.at("/", "wss"))
    assert "\n".join(got).split("\n") == [
        str(n) for n in range(1, LINES + 1)
    ]


def test_lines_come_live(start, tls_options, view_tls):
    run = start(*tls_options, script="echo one; read _ <go; echo two; exit 3")
    viewer = view_tls(run, "format=json")
    viewer.wait_record(text="one")
    run.go()
    viewer.wait_record(text="two")
    viewer.wait_end()
    assert (viewer.code, viewer.reason) == (1000, "exit 3")
    assert run.wait() == 3


def test_events_come(start, tls_options):
    run = start(*FOREVER, *tls_options, command=["echo", "x"])
    answer = fetch(run.at("/events?follow=0", "https"))
    assert b"data: x\n" in answer.body


def test_much_output_arrives_whole(start, tls_options, curl):
    """50 MB of bytes of all kinds."""
    run = start(*FOREVER, "--history", "100M", *tls_options, script=NOISE)
    wanted = subprocess.run(
        ["sh", "-c", NOISE], stdout=subprocess.PIPE, check=True
    ).stdout
    got = curl(run.at("/raw", "https"))
    assert digest(got.wait_end()) == digest(wanted)
    assert got.process.returncode == 0


def test_ends_with_close_notify(start, tls_options, connect_tls):
    """So that who reads to the end knows that this is it."""
    run = start(*FOREVER, *tls_options, command=["seq", "10"])
    peer = connect_tls(run)
    peer.socket.suppress_ragged_eofs = False
    assert peer.ask(head("/raw", version="HTTP/1.0")) == 200
    assert peer.read_rest() == b"".join(b"%d\n" % n for n in range(1, 11))


def test_a_cut_has_no_close_notify(start, tls_options, connect_tls):
    """Raw output by HTTP/1.0 has nothing else that tells."""
    run = start(
        "-v", *FOREVER, "--client-buffer", "1M", "--slow", "disconnect",
        *tls_options,
        script="yes | head -c 50000000; touch done; read _ <go",
    )
    peer = connect_tls(run)
    peer.socket.suppress_ragged_eofs = False
    peer.send(head("/raw?tail=0", version="HTTP/1.0"))
    wait_until((run.directory / "done").exists, "the end of the output")
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        while peer.socket.recv(65536):
            pass
    run.log.wait_for(b": closed: too slow: ")


@pytest.mark.parametrize("version, name", [
    (TLS.TLSv1_2, "TLSv1.2"), (TLS.TLSv1_3, "TLSv1.3"),
])
def test_versions_that_are_spoken(
    start, tls_options, connect_tls, version, name
):
    run = start("-v", *FOREVER, *tls_options, command=["echo", "x"])
    peer = connect_tls(run, version=version)
    assert peer.socket.version() == name
    assert peer.ask(head("/raw")) == 200
    run.log.wait_for(f": speaks {name}\n".encode())


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_versions_that_are_not_spoken(start, tls_options, version):
    run = start("-v", *FOREVER, *tls_options, command=["echo", "x"])
    shown = by_s_client(run, version, "-cipher", "DEFAULT:@SECLEVEL=0")
    assert "alert protocol version" in shown
    run.log.wait_for(b": refused: TLS: unsupported protocol\n")


@pytest.mark.parametrize("cipher", ["AES128-SHA", "ECDHE-ECDSA-AES128-SHA"])
def test_old_ciphers_are_refused(start, tls_options, cipher):
    run = start("-v", *FOREVER, *tls_options, command=["echo", "x"])
    shown = by_s_client(run, "-tls1_2", "-cipher", cipher + ":@SECLEVEL=0")
    assert "handshake failure" in shown
    run.log.wait_for(b": refused: TLS: no shared cipher\n")


def test_http_1_1_is_agreed_on(start, tls_options, connect_tls):
    run = start(*FOREVER, *tls_options, command=["echo", "x"])
    peer = connect_tls(run, alpn=["h2", "http/1.1"])
    assert peer.socket.selected_alpn_protocol() == "http/1.1"
    with pytest.raises(ssl.SSLError, match="no application protocol"):
        connect_tls(run, alpn=["h2"])


def test_sessions_are_not_resumed(start, tls_options, directory):
    run = start(*FOREVER, *tls_options, command=["echo", "x"])
    session = directory / "session"
    for version in ("-tls1_2", "-tls1_3"):
        by_s_client(run, version, "-sess_out", str(session))
        if session.exists():
            shown = by_s_client(run, version, "-sess_in", str(session))
            assert "Reused, " not in shown
            session.unlink()


def test_renegotiation_is_refused(start, tls_options):
    run = start(*FOREVER, *tls_options, command=["echo", "x"])
    shown = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{run.port}",
         "-tls1_2"],
        input=b"R\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=TIMEOUT_S, check=False,
    ).stdout
    assert b"no renegotiation" in shown


def test_plain_requests_are_told_where_to_go(start, tls_options, connect):
    run = start("-v", *FOREVER, *tls_options, "--base-path", "/logs",
                command=["echo", "x"])
    peer = connect(run)
    assert peer.ask(head("/logs/", Host=f"localhost:{run.port}")) == 400
    assert peer.fields["content-type"] == "text/plain; charset=utf-8"
    assert peer.read_rest().decode() == (
        f"TLS is spoken here; open https://localhost:{run.port}/logs/\n"
    )
    assert connect(run).ask(upgrade_head("/logs/")) == 400
    # Names of others are not repeated.
    assert connect(run).ask(head("/logs/", Host="example.org")) == 421
    old = connect(run)
    assert old.ask(head(version="HTTP/1.0", Host=None)) == 400
    assert b"https://" in old.read_rest()


def test_tls_to_a_plain_port_is_told_at_once(start, authority, connect):
    run = start("-v", *FOREVER, command=["echo", "x"])
    with pytest.raises(ssl.SSLError, match="WRONG_VERSION_NUMBER"):
        Peer(run.port, authority.context())
    run.log.wait_for(b": refused with 400: TLS on a plain port\n")
    assert connect(run).ask(head("/raw")) == 200


@pytest.mark.parametrize("data", [
    b"\0" * 100, b"\x16\x03\x01\xff\xff" + b"\0" * 1000,
    b"\x80\x2e\x01\x00\x02" + b"x" * 100, os.urandom(2000).lower(),
    b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", b"get / http/1.1\r\n\r\n",
])
def test_garbage_is_refused(start, tls_options, connect, connect_tls, data):
    run = start("-v", *FOREVER, *tls_options, command=["echo", "x"])
    peer = connect(run)
    peer.send(b"\0" + data if data[:1].isupper() else data)
    answer = peer.read_rest()
    assert answer == b"" or answer.startswith(ALERT)
    run.log.wait_for(b": refused: TLS: ")
    assert connect_tls(run).ask(head("/raw")) == 200


def test_a_handshake_has_ten_seconds(start, tls_options, connect):
    run = start("-v", *FOREVER, *tls_options, command=["echo", "x"])
    peer = connect(run)
    peer.send(b"\x16\x03\x01\x00")
    assert peer.read_rest() == b""
    run.log.wait_for(
        b": closed: the TLS handshake was not complete in time\n"
    )


def test_thousands_of_half_handshakes(start, tls_options, connect_tls):
    """Those that go no further cost no more than their number is bounded to,
    and hold up nobody."""
    run = start("-v", *FOREVER, *tls_options, command=["echo", "x"])
    hello = client_hello()
    peers = []
    try:
        for n in range(3000):
            peers.append(socket.create_connection(("127.0.0.1", run.port)))
            peers[-1].sendall(hello if n % 2 else hello[:n % len(hello)])
            if len(peers) > 1500:
                peers.pop(0).close()
        run.log.wait_for(b"too many connections have not become streams")
        assert connect_tls(run).ask(head("/raw?follow=0")) == 200
    finally:
        for peer in peers:
            peer.close()


def client_hello():
    """The bytes that a handshake begins with."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(
        incoming, outgoing, server_hostname="localhost"
    )
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def test_a_handshake_in_single_bytes(start, tls_options, connect, authority):
    run = start(*FOREVER, *tls_options, command=["echo", "x"])
    peer = connect(run)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = authority.context().wrap_bio(
        incoming, outgoing, server_hostname="localhost"
    )

    def work(step):
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                peer.send_bytewise(outgoing.read())
                incoming.write(peer.receive())

    work(client.do_handshake)
    client.write(head("/raw"))
    peer.send_bytewise(outgoing.read())
    answer = b""
    while not answer.endswith(b"0\r\n\r\n"):
        answer += work(lambda: client.read(1000))
    assert b"x\n" in answer


def test_many_requests_in_one_record(start, tls_options, connect_tls):
    """Also what OpenSSL has and the socket no longer."""
    run = start(*FOREVER, *tls_options, command=["echo", "x"])
    peer = connect_tls(run)
    peer.send(head("/healthz") * 50)
    for _ in range(50):
        assert peer.read_head() == 200
        assert peer.read(int(peer.fields["content-length"])) == b"ok\n"


def test_pings_are_answered_between_records(start, tls_options, connect_tls):
    run = start(
        "--quiet", *tls_options,
        script="yes | head -n 300000; read _ <go",
    )
    peer = connect_tls(run).upgrade("/")
    pongs = lines = 0
    sent = 0
    while lines < 300000 or pongs < sent:
        if sent < 20:
            peer.send(frame(PING, b"%d" % sent))
            sent += 1
        opcode, payload = peer.read_frame()
        if opcode == PONG:
            assert payload == b"%d" % pongs
            pongs += 1
        elif opcode != CLOSE and payload != b"":
            lines += payload.count(b"\n") + 1
            assert set(payload) <= set(b"y\n")
    run.go()
    peer.read_control(CLOSE)


@pytest.mark.parametrize("slow", ["skip", "disconnect", "block"])
def test_slow_clients_lose_nothing_untold(
    start, tls_options, connect_tls, slow
):
    """Whoever stops in the middle of a record gets the rest of it."""
    run = start(
        *FOREVER, "--client-buffer", "300K", "--history", "8M",
        "--slow", slow, "--wait-clients", "1", *tls_options,
        script="seq -f '%.0f and some more text to fill it' 400000;"
        " touch done",
    )
    peer = connect_tls(run).upgrade("/?format=json&after=0")
    if slow != "block":
        wait_until((run.directory / "done").exists, "the end of the command")
    expected, gaps = 1, 0
    for record in records_of(peer):
        if record["type"] == "gap":
            assert record["first"] == expected
            expected = record["last"] + 1
            gaps += 1
        elif record["type"] == "line":
            assert (record["seq"], record["text"]) == (
                expected, f"{expected} and some more text to fill it"
            )
            expected += 1
    # Who is cut may have had all of it in the sockets by then.
    assert expected == 400001 or slow == "disconnect"
    assert gaps == (slow == "skip")


def records_of(peer):
    """Records up to the close frame; pongs come in between."""
    for message in peer.read_messages()[0]:
        if message:
            yield from parse_records([message.decode()])


def test_a_client_resumes_where_it_was(start, tls_options, view_tls):
    run = start(*FOREVER, *tls_options, command=["seq", "100"])
    first = view_tls(run, "format=json&limit=0").wait_end()
    begin = first.wait_record(type="start")
    again = view_tls(run, f"format=json&after=90&run={begin['run']}")
    records = again.wait_end().records()
    assert again.wait_record(type="start")["resumed"] is True
    assert rejoin(records) == b"".join(b"%d\n" % n for n in range(91, 101))


def test_pages_of_http_may_not_connect(start, tls_options, connect_tls):
    """The page came by https, from here; http is somebody else."""
    run = start(*FOREVER, *tls_options, command=["echo", "x"])
    here = f"127.0.0.1:{run.port}"
    for scheme, status in (("https", 101), ("http", 403)):
        assert connect_tls(run).ask(upgrade_head(
            Host=here, Origin=f"{scheme}://{here}"
        )) == status


def test_unix_sockets_stay_plain(start, tls_options, directory):
    path = directory / "socket"
    run = start(
        "--unix-socket", str(path), "--port", "0", *tls_options, *FOREVER,
        command=["echo", "x"],
    )
    assert run.url.startswith("https://")
    run.log.wait_for(f"\nwsexec: unix:{path}\n".encode())
    answer = fetch("http://localhost/raw", "--unix-socket", str(path))
    assert answer.body == b"x\n"
