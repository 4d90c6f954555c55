# SPDX-License-Identifier: ISC
"""HTTP: what is served, and how everything else is refused."""

import email.utils
import os
import time

import pytest

from rawsocket import head, upgrade_head, without_date
from viewers import fetch

TLS_HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(189)
FIELD = "x" * 500

# What is sent, and the status it is to be refused with.
REFUSED = {
    "no host": (head(Host=None), 400),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    "foreign host": (head(Host="evil.example"), 421),
    "foreign host with port": (head(Host="evil.example:8080"), 421),
    "host that only begins well": (head(Host="127.0.0.1.evil.example"), 421),
    "empty host": (head(Host=""), 421),
    "foreign origin": (head(Origin="http://evil.example"), 403),
    "origin null": (head(Origin="null"), 403),
    "cross-site fetch": (
        head(Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors"), 403
    ),
    "POST": (head(method="POST"), 405),
    "DELETE": (head(method="DELETE"), 405),
    "unknown method": (head(method="BREW"), 501),
    "long method": (b"G" * 100 + b" / HTTP/1.1\r\n\r\n", 501),
    "lower-case method": (head(method="get"), 501),
    "body": (head(method="GET", Content_Length="5") + b"hello", 413),
    "chunked body": (head(Transfer_Encoding="chunked"), 501),
    "expect": (head(Expect="100-continue"), 417),
    "HTTP/2": (head(version="HTTP/2.0"), 505),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 501),
    "HTTP/1.2": (head(version="HTTP/1.2"), 505),
    "no version": (b"GET /\r\n\r\n", 400),
    "bad version": (head(version="HTTP/x.y"), 400),
    "long target": (head("/" + "x" * 3000), 414),
    "long query": (head("/?x=" + "x" * 3000), 414),
    "absolute target": (head("http://127.0.0.1/"), 400),
    "asterisk target": (head("*"), 400),
    "no target": (b"GET  HTTP/1.1\r\n\r\n", 400),
    "NUL in target": (head("/\0"), 400),
    "umlaut in target": (head("/\xe4"), 400),
    "space before method": (b" " + head(), 400),
    "empty line before method": (b"\r\n" + head(), 400),
    "bare line feeds": (b"GET / HTTP/1.1\nHost: a\n\n", 400),
    "bare carriage return": (b"GET / HTTP/1.1\rHost: a\r\r", 400),
    "NUL in field": (head(X="a\0b"), 400),
    "control in field": (head(X="a\x01b"), 400),
    "line feed in field": (head(X="a\nb"), 400),
    "folded field": (b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", 400),
    "space before colon": (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    "no colon": (b"GET / HTTP/1.1\r\nHost\r\n\r\n", 400),
    "no name": (b"GET / HTTP/1.1\r\n: a\r\n\r\n", 400),
    "large head": (head(**{f"X{i}": FIELD for i in range(20)}), 431),
    "one long field": (head(X="x" * 9000), 431),
    "many fields": (head(**{f"X{i}": "x" for i in range(70)}), 431),
    "TLS": (TLS_HELLO, 400),
    "noise": (bytes(range(128, 256)), 400),
    "a WebSocket frame": (b"\x81\x85\0\0\0\0hello", 400),
    "unknown address": (head("/nothing-is-here"), 404),
    "way up": (head("/../etc/passwd"), 404),
    "encoded way up": (head("/%2e%2e/etc/passwd"), 404),
    "source of the page": (head("/page.h"), 404),
    "bad after": (head("/?after=x"), 400),
    "negative tail": (head("/?tail=-1"), 400),
    "enormous after": (head("/?after=99999999999999999999"), 400),
    "bad format": (head("/?format=xml"), 400),
    "bad stream": (head("/?stream=stdin"), 400),
    "bad follow": (head("/?follow=2"), 400),
    "bad run": (head("/?run=a/b"), 400),
    "bad escape": (head("/?format=%zz"), 400),
    "given twice": (head("/?tail=1&tail=2"), 400),
    "handshake with version 8": (
        upgrade_head(Sec_WebSocket_Version="8"), 426
    ),
    "handshake without version": (
        upgrade_head(Sec_WebSocket_Version=None), 426
    ),
    "handshake without key": (upgrade_head(Sec_WebSocket_Key=None), 400),
    "handshake with a short key": (
        upgrade_head(Sec_WebSocket_Key="c2hvcnQ="), 400
    ),
    "handshake with a key that is not base64": (
        upgrade_head(Sec_WebSocket_Key="!" * 24), 400
    ),
    "handshake without Connection": (upgrade_head(Connection=None), 400),
    "handshake without Upgrade": (upgrade_head(Upgrade=None), 400),
    "handshake by POST": (upgrade_head(method="POST"), 405),
    "handshake by HEAD": (upgrade_head(method="HEAD"), 400),
    "handshake by HTTP/1.0": (upgrade_head(version="HTTP/1.0"), 400),
    "handshake for a foreign host": (
        upgrade_head(Host="evil.example"), 421
    ),
    "handshake of a foreign page": (
        upgrade_head(Origin="http://evil.example"), 403
    ),
    "handshake with a bad query": (upgrade_head("/?tail=x"), 400),
    "handshake elsewhere": (upgrade_head("/nothing-is-here"), 404),
}


@pytest.fixture
def run(start):
    """Serves one line, for ever."""
    return start("--linger", "forever", "--quiet", command=["echo", "x"])


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(run, connect, name):
    request, status = REFUSED[name]
    peer = connect(run)
    assert peer.ask(request) == status
    assert peer.fields["connection"] == "close"
    if name == "handshake by HEAD":
        assert peer.read_rest() == b""
        return
    body = peer.read_body()
    assert body.endswith(b"\n") and body.count(b"\n") == 1
    assert 10 < len(body) < 200
    assert peer.read_rest() == b""
    if status == 426:
        assert peer.fields["sec-websocket-version"] == "13"
        assert peer.fields["upgrade"] == "websocket"
    if status == 405:
        assert "GET" in peer.fields["allow"]


@pytest.mark.valgrind
def test_every_refusal_leaves_others_alone(run, connect, view):
    text = view(run, "after=0")
    for request, status in REFUSED.values():
        assert connect(run).ask(request) == status
    assert text.wait_end().messages == ["x"]
    assert fetch(run.at("/raw")).body == b"x\n"


def test_requests_may_come_byte_by_byte(run, connect):
    peer = connect(run)
    peer.send_bytewise(head("/raw"))
    assert peer.read_head() == 200
    assert peer.read_rest() == b"2\r\nx\n\r\n0\r\n\r\n"


def test_refusals_come_before_the_rest_of_a_bad_head(run, connect):
    peer = connect(run)
    assert peer.ask(b"GET / HTTP/1.1\r\nBad field") == 400


def test_a_connection_serves_several_pages(start, connect):
    run = start(script="read _ <go")
    peer = connect(run)
    for _ in range(3):
        assert peer.ask(head("/healthz")) == 200
        assert peer.read_body() == b"ok\n"


def test_requests_may_be_sent_ahead(start, connect):
    run = start(script="read _ <go")
    peer = connect(run)
    peer.send(
        head("/healthz") + head("/", Accept="text/html") + head("/healthz")
    )
    assert peer.read_head() == 200
    assert peer.read_body() == b"ok\n"
    assert peer.read_head() == 200
    assert b"<html" in peer.read_body()
    assert peer.read_head() == 200
    assert peer.read_body() == b"ok\n"


def test_a_page_and_then_the_output_on_one_connection(start, connect):
    run = start("--quiet", script="echo x; read _ <go")
    peer = connect(run)
    assert peer.ask(head("/healthz")) == 200
    assert peer.read_body() == b"ok\n"
    assert peer.ask(head("/raw")) == 200
    assert peer.read(7) == b"2\r\nx\n\r\n"


def test_every_answer_has_the_date(run, connect):
    began = int(time.time())
    for request, status in [
        (head("/raw"), 200),
        (head("/?format=json", version="HTTP/1.0"), 200),
        (head("/", Accept="text/html"), 200),
        (head("/healthz", "HEAD"), 200),
        (upgrade_head(), 101),
        (head("/nothing-is-here"), 404),
        (head(Host=None), 400),
    ]:
        peer = connect(run)
        assert peer.ask(request) == status
        text = peer.fields["date"]
        date = email.utils.parsedate_to_datetime(text)
        assert began <= date.timestamp() <= time.time()
        assert email.utils.format_datetime(date, usegmt=True) == text


def test_close_is_done_when_it_is_asked_for(start, connect):
    run = start(script="read _ <go")
    peer = connect(run)
    assert peer.ask(head("/healthz", Connection="close")) == 200
    assert peer.fields["connection"] == "close"
    assert peer.read_rest() == b"ok\n"


@pytest.mark.parametrize("path", ["/healthz", "/", "/viewer.js"])
def test_head_is_get_without_the_body(start, connect, path):
    run = start(script="read _ <go")
    fields = {"Accept": "text/html", "Connection": "close"}
    get, just_head = connect(run), connect(run)
    assert get.ask(head(path, **fields)) == 200
    assert just_head.ask(head(path, method="HEAD", **fields)) == 200
    assert without_date(just_head) == without_date(get)
    assert len(get.read_rest()) == int(get.fields["content-length"]) > 0
    assert just_head.read_rest() == b""


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
@pytest.mark.parametrize("target", [
    "/raw", "/?format=json", "/raw?follow=0&tail=2", "/raw?after=1",
    "/raw?after=99",
])
def test_head_of_the_output_is_that_of_get(start, connect, target, version):
    run = start("--quiet", "--linger", "forever", script="seq 9")
    assert len(fetch(run.at("/raw")).body) == 18
    get, just_head = connect(run), connect(run)
    assert get.ask(head(target, version=version)) == 200
    assert just_head.ask(head(target, "HEAD", version)) == 200
    assert without_date(just_head) == without_date(get)
    assert just_head.read_rest() == b""


def test_http_1_0_gets_bytes_without_chunks(run, connect):
    peer = connect(run)
    assert peer.ask(head("/raw", version="HTTP/1.0", Host=None)) == 200
    assert "transfer-encoding" not in peer.fields
    assert peer.read_rest() == b"x\n"


def test_files_that_did_not_change_are_not_sent_again(run):
    first = fetch(run.at("/viewer.js"))
    etag = first.fields["etag"]
    again = fetch(run.at("/viewer.js"), "-H", f"If-None-Match: {etag}")
    assert (again.status, again.body) == (304, b"")
    other = fetch(run.at("/viewer.js"), "-H", 'If-None-Match: "other"')
    assert (other.status, other.body) == (200, first.body)


def test_browsers_get_the_page_and_others_the_bytes(run):
    page = fetch(run.url, "-H", "Accept: text/html,*/*;q=0.8")
    assert page.fields["content-type"] == "text/html; charset=utf-8"
    policy = page.fields["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert page.fields["x-content-type-options"] == "nosniff"
    others = fetch(run.url)
    assert others.fields["content-type"] == "text/plain; charset=utf-8"
    assert others.fields["x-content-type-options"] == "nosniff"
    assert others.body == b"x\n"


def test_the_format_can_be_chosen_over_http(run):
    assert fetch(run.at("/?format=raw")).body == b"x\n"
    assert fetch(run.at("/?format=text")).body == b"x\n"
    records = fetch(run.at("/?format=json"), "-H", "Accept: text/html")
    assert records.fields["content-type"].startswith("application/x-ndjson")
    assert b'"text":"x"' in records.body


def test_everything_is_below_the_base_path(start, view):
    run = start("--base-path", "/a/b", "--linger", "forever", script="echo x")
    assert run.url == f"http://127.0.0.1:{run.port}/a/b/"
    assert fetch(run.url).body == b"x\n"
    assert fetch(run.at("/a/b/raw")).body == b"x\n"
    assert fetch(run.at("/a/b/healthz")).status == 200
    for path in ("/", "/raw", "/healthz", "/a", "/a/bc", "/a/b/a/b/"):
        assert fetch(run.at(path)).status == 404
    redirected = fetch(run.at("/a/b?tail=1"))
    assert redirected.status == 308
    assert redirected.fields["location"] == "/a/b/?tail=1"


@pytest.mark.parametrize("host", [
    "127.0.0.1", "127.0.0.1:1", "localhost", "LOCALHOST:80", "localhost.",
    "x.localhost", "[::1]:8080", "192.0.2.7",
])
def test_hosts_that_cannot_be_rebound_are_served(run, connect, host):
    assert connect(run).ask(head("/healthz", Host=host)) == 200


def test_other_hosts_and_origins_are_served_if_allowed(start, connect):
    run = start(
        "--allowed-host", "logs.example", "--origin", "https://app.example",
        "--linger", "forever", script="echo x",
    )
    assert connect(run).ask(head(Host="logs.example")) == 200
    assert connect(run).ask(head(Host="other.example")) == 421
    connect(run).upgrade(Origin="https://app.example")
    peer = connect(run)
    assert peer.ask(upgrade_head(Origin="http://app.example")) == 403


def test_pages_of_the_server_itself_may_connect(run, connect):
    host = f"127.0.0.1:{run.port}"
    connect(run).upgrade(Host=host, Origin=f"http://{host}")
    other = f"127.0.0.1:{run.port + 1}"
    peer = connect(run)
    assert peer.ask(upgrade_head(Host=host, Origin=f"http://{other}")) == 403


def test_a_token_is_asked_for_where_there_is_one(start, connect):
    run = start("--token", "--linger", "forever", script="echo x")
    address, _, token = run.url.partition("?token=")
    assert len(token) >= 32
    refused = fetch(address)
    assert refused.status == 401
    assert refused.fields["www-authenticate"].startswith("Bearer")
    for wrong in (token[:-1], token + "0", "0" * len(token), ""):
        assert fetch(f"{address}?token={wrong}").status == 401
        field = f"Authorization: Bearer {wrong}"
        assert fetch(address, "-H", field).status == 401
    assert connect(run).ask(upgrade_head()) == 401
    assert fetch(run.url).body == b"x\n"
    assert fetch(address, "-H", f"Authorization: Bearer {token}").status == 200
    connect(run).upgrade(f"/?token={token}")


@pytest.mark.parametrize("source", ["file", "environment"])
def test_the_token_can_be_given(start, directory, source):
    token = "0123456789abcdef-._~ABCDEF"
    options, env = [], None
    if source == "file":
        (directory / "token").write_text(token + "\n")
        options = ["--token-file", str(directory / "token")]
    else:
        env = {**os.environ, "WSEXEC_TOKEN": token}
    run = start(*options, "--linger", "forever", script="echo x", env=env)
    assert run.url.endswith(f"?token={token}")
    assert fetch(run.url).body == b"x\n"


def test_other_addresses_get_a_token_unless_told_otherwise(start):
    run = start("--address", "0.0.0.0", script="read _ <go")
    assert "?token=" in run.url
    run = start("--address", "0.0.0.0", "--no-auth", script="read _ <go")
    assert "?token=" not in run.url


def test_several_addresses_are_served(start):
    run = start(
        "--address", "127.0.0.1", "--address", "127.0.0.2",
        "--linger", "forever", script="echo x",
    )
    urls = [
        line.split()[1]
        for line in run.log.wait_for(b"127.0.0.2").decode().splitlines()
        if "http://" in line
    ]
    assert [fetch(url).body for url in urls] == [b"x\n", b"x\n"]
