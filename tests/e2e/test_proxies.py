# SPDX-License-Identifier: ISC
"""Behind nginx, haproxy and caddy, set up as README.md says."""

import gzip
import os
import re
import signal
import ssl
import subprocess
import time

import pytest

from harness import wait_until
from rawsocket import head, upgrade_head
from viewers import fetch

TOKEN = "0123456789abcdef"
FOREVER = ("--linger", "forever", "--quiet")
HTML = ("--header", "Accept: text/html")
LIVE = "echo one; read _ <go; echo two; exit 3"


def test_the_page_and_its_files(serve):
    site = serve(*FOREVER, command=["echo", "x"])
    page = site.fetch("", *HTML).body
    names = re.findall(rb'(?:src|href)="([^":]+)"', page)
    assert len(names) > 1
    for name in ["", *[name.decode() for name in names]]:
        answer = site.fetch(name, *HTML)
        assert answer.status == 200
        assert answer.body == fetch(site.run.at(f"/build/{name}"), *HTML).body
    assert site.fetch("nothing").status == 404
    without_slash = site.url("").removesuffix("/")
    shown = site.curl("", "--location", without_slash).wait_end()
    assert shown == b"x\nx\n"


@pytest.mark.parametrize("query, wanted", [
    ("", ["one", "two"]), ("format=raw", [b"one\n", b"two\n"]),
])
def test_websockets(serve, query, wanted):
    site = serve(script=LIVE)
    viewer = site.view(f"?{query}")
    viewer.wait_message(wanted[0])
    site.run.go()
    assert viewer.wait_end().messages == wanted
    assert (viewer.code, viewer.reason) == (1000, "exit 3")
    assert site.run.wait() == 3


def test_records_by_websocket(serve):
    site = serve(script=LIVE)
    viewer = site.view("?format=json")
    viewer.wait_record(type="line", seq=1, text="one")
    site.run.go()
    viewer.wait_record(type="line", seq=2, text="two")
    viewer.wait_record(type="exit", code=3)
    viewer.wait_end()


def test_a_signal_is_told_by_the_close_code(serve):
    site = serve(script="echo one; read _ <go")
    viewer = site.view()
    viewer.wait_message("one")
    site.run.send_signal(signal.SIGTERM)
    viewer.wait_end()
    assert (viewer.code, viewer.reason) == (1001, "signal 15")


@pytest.mark.parametrize("rest, first, last", [
    ("", b"one\n", b"two\n"),
    ("?format=text", b"one\n", b"two\n"),
    ("?format=json", b'"text":"one"}\n', b'"last":2}\n'),
    ("events", b"data: one\n\n", b'"last":2}\n\n'),
])
def test_output_by_http_comes_live(serve, rest, first, last):
    site = serve(script=LIVE)
    curl = site.curl(rest)
    curl.output.wait_for(first)
    site.run.go()
    assert curl.wait_end().endswith(last)
    assert curl.process.returncode == 0


def test_an_event_stream_goes_on_behind_its_last_event(serve):
    site = serve(*FOREVER, command=["seq", "3"])
    shown = site.fetch("events").body.decode()
    (event_id,) = re.findall("id: (.*/2)\n", shown)
    rest = site.fetch("events", "--header", f"Last-Event-ID: {event_id}")
    assert re.findall("data: (.)\n", rest.body.decode()) == ["3"]
    (event_id,) = re.findall("id: (.*/exit)\n", shown)
    over = site.fetch("events", "--header", f"Last-Event-ID: {event_id}")
    assert over.status == 204


def test_downloads_are_compressed(serve):
    site = serve(*FOREVER, "--compression", "6", command=["seq", "20000"])
    wanted = b"".join(b"%d\n" % i for i in range(1, 20001))
    assert site.fetch("raw").body == wanted
    answer = site.fetch("raw?follow=0", "--header", "Accept-Encoding: gzip")
    assert answer.fields["content-encoding"] == "gzip"
    assert gzip.decompress(answer.body) == wanted


def test_head(serve):
    site = serve(*FOREVER, command=["echo", "x"])
    for rest in ("raw", "events", "healthz"):
        answer = site.fetch(rest, "--head")
        assert (answer.status, answer.body) == (200, b"")


def test_a_token_is_passed_on(serve):
    site = serve(*FOREVER, command=["echo", "x"],
                 env={**os.environ, "WSEXEC_TOKEN": TOKEN})
    assert site.fetch("raw").status == 401
    assert site.fetch(f"raw?token={TOKEN}").body == b"x\n"
    field = ("--header", f"Authorization: Bearer {TOKEN}")
    assert site.fetch("raw", *field).body == b"x\n"
    assert site.view(f"?token={TOKEN}").wait_end().messages == ["x"]
    peer = site.connect()
    assert peer.ask(upgrade_head("/build/", Host="example.org")) == 401


def test_pages_of_others_are_refused(serve):
    site = serve(*FOREVER, command=["echo", "x"])
    for origin, status in (
        ("http://example.org", 101), ("http://evil.example", 403),
        ("null", 403),
    ):
        peer = site.connect()
        asked = upgrade_head("/build/", Host="example.org", Origin=origin)
        assert peer.ask(asked) == status
        answer = site.fetch("raw", "--header", f"Origin: {origin}")
        assert answer.status == (200 if status == 101 else 403)


def test_the_log_has_the_client(serve):
    """And not whom it claims to ask for."""
    site = serve(*FOREVER, command=["echo", "x"])
    site.fetch("raw", "--interface", "127.0.0.2",
               "--header", "X-Forwarded-For: 192.0.2.1",
               "--header", "Forwarded: for=192.0.2.2")
    log = site.run.directory / "access.log"
    wait_until(lambda: "\n" in log.read_text(), "a line")
    assert log.read_text().startswith('127.0.0.2 - - [')
    assert '"GET /build/raw HTTP/1.1" 200' in log.read_text()


def test_by_a_unix_socket(serve, directory):
    site = serve("--trust-proxy", "unix", upstream=directory / "socket",
                 script=LIVE)
    viewer = site.view()
    curl = site.curl("events", "--interface", "127.0.0.2")
    viewer.wait_message("one")
    curl.output.wait_for(b"data: one\n\n")
    site.run.go()
    assert viewer.wait_end().messages == ["one", "two"]
    assert b"data: two\n\n" in curl.wait_end()
    log = site.run.directory / "access.log"
    assert site.run.wait() == 3
    assert sorted(line.split()[0] for line in log.read_text().splitlines()
                  ) == ["127.0.0.1", "127.0.0.2"]


QUIET_S = 2
SHORT = {
    "nginx": [("proxy_read_timeout 1h", f"proxy_read_timeout {QUIET_S}s")],
    "haproxy": [
        (f"timeout {what} 1h", f"timeout {what} {QUIET_S}s")
        for what in ("client", "server", "tunnel")
    ],
    "caddy": [(
        "reverse_proxy @build 127.0.0.1",
        f"reverse_proxy @build {{\n transport http {{\n read_timeout"
        f" {QUIET_S}s\n }}\n to 127.0.0.1",
    ), ("\n}\n", "\n}\n}\n")],
}


def test_pings_keep_quiet_clients(serve, language):
    """Longer than the proxy waits, which the raw output shows, that has
    nothing to send."""
    site = serve("--ping-interval", "0.2", changes=SHORT[language],
                 script=LIVE)
    viewer = site.view()
    viewer.wait_message("one")
    events = site.curl("events")
    events.output.wait_for(b"data: one\n\n")
    raw = site.curl()
    raw.output.wait_for(b"one\n")
    assert raw.wait_end() == b"one\n"
    assert not viewer.ended and not events.output.ended
    site.run.go()
    assert viewer.wait_end().messages == ["one", "two"]
    assert viewer.code == 1000
    assert b"data: two\n\n" in events.wait_end()


def test_lines_are_not_delayed(serve):
    """haproxy makes it 200 ms without an option that is in its recipe."""
    site = serve("--quiet", script="while read _ <go; do date; done")
    curl = site.curl()

    def line_s():
        size = len(curl.output.bytes)
        began = time.monotonic()
        site.run.go()
        wait_until(lambda: len(curl.output.bytes) > size, "a line")
        return time.monotonic() - began

    assert min(line_s() for _ in range(10)) < 0.1


@pytest.mark.parametrize("rest", ["", "events"])
def test_who_leaves_is_gone(serve, language, rest):
    """haproxy sees it when it has something to send for the second time; in
    an event stream there are comments."""
    site = serve("-v", "--ping-interval", "0.1",
                 script="echo one; while read _ <go; do echo more; done")
    curl = site.curl(rest)
    curl.output.wait_for(b"one\n")
    curl.process.kill()

    def is_gone():
        if (language, rest) == ("haproxy", ""):
            site.run.go()
        return b"closed: the peer " in site.run.log.bytes

    wait_until(is_gone, "wsexec sees it")


@pytest.mark.parametrize("ask", [head, upgrade_head])
def test_who_takes_nothing_is_too_slow(serve, ask):
    """No proxy takes it all in its place."""
    site = serve(
        "--quiet", "-v", "--slow", "disconnect", "--client-buffer", "1M",
        "--linger", "forever",
        script="read _ <go; yes 0123456789012345678901 | head -c 60000000",
    )
    peer = site.connect()
    asked = ask("/build/raw?tail=0", Host="example.org")
    assert peer.ask(asked) == (101 if ask is upgrade_head else 200)
    site.run.go()
    site.run.log.wait_for(b"too slow: the last line sent was")


# caddy ends it as if it were whole.
CUT = {"nginx": 18, "haproxy": 18, "caddy": 0}


def test_what_is_cut_is_cut(serve, language):
    """When wsexec is killed, so that no end was told."""
    site = serve("--kill-after", "0.1", script=LIVE)
    raw = site.curl()
    raw.output.wait_for(b"one\n")
    records = site.curl("?format=json")
    records.output.wait_for(b"one")
    viewer = site.view()
    viewer.wait_message("one")
    site.run.send_signal(signal.SIGKILL)
    assert raw.wait_end() == b"one\n"
    assert raw.process.returncode == CUT[language]
    assert b'"exit"' not in records.wait_end()
    viewer.wait_end()
    assert viewer.code == 1006


@pytest.fixture
def certificate(directory):
    """A file with a key and a certificate for example.org."""
    path = directory / "example.org.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj",
         "/CN=example.org", "-addext", "subjectAltName=DNS:example.org",
         "-keyout", str(path), "-out", str(directory / "certificate")],
        capture_output=True, check=True,
    )
    with open(path, "ab") as file:
        file.write((directory / "certificate").read_bytes())
    return str(path)


def test_tls_and_http_2_outside(serve, certificate):
    site = serve(certificate=certificate, script=LIVE)
    trust = ssl.create_default_context(cafile=certificate)
    viewer = site.view(ssl=trust, server_hostname="example.org",
                       origin="https://example.org")
    viewer.wait_message("one")
    raw = site.curl("", "--http2", "--write-out", "HTTP/%{http_version}")
    raw.output.wait_for(b"one\n")
    events = site.curl("events", "--http2")
    events.output.wait_for(b"data: one\n\n")
    assert b"<html" in site.fetch("", "--http2", *HTML).body
    site.run.go()
    assert viewer.wait_end().messages == ["one", "two"]
    assert (viewer.code, viewer.reason) == (1000, "exit 3")
    assert raw.wait_end() == b"one\ntwo\nHTTP/2"
    assert b"data: two\n\n" in events.wait_end()
