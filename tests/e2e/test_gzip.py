# SPDX-License-Identifier: ISC
"""Compressed answers: the files of the page, and output that ends."""

import asyncio
import base64
import functools
import gzip
import random
import re
import zlib

import aiohttp
import pytest

from harness import TIMEOUT_S, digest, is_sanitized, wait_until
from rawsocket import Peer, head, without_date
from viewers import fetch, parse_records, rejoin

GZIP_AT_ONCE = 64
FORMATS = ("raw", "text", "json")


def incompressible(size):
    """Lines that stay about as long as they are."""
    noise = random.Random(1).randbytes(size * 3 // 4)
    return base64.encodebytes(noise)


def payloads():
    lines = b"".join(b"%d of all the lines\n" % i for i in range(10_000))
    return {
        "20-megabytes": (lines + incompressible(300_000)) * 40,
        "random-bytes": random.Random(2).randbytes(500_000),
        "one-long-line": "aé€😀".encode() * 50_000,
        "only-newlines": b"\n" * 1000,
        "one-byte": b"x",
        "empty": b"",
    }


PAYLOADS = payloads()


@pytest.fixture(name="start")
def start_compressing(start):
    """With the level that is the default, whatever WSEXEC_OPTIONS says."""
    return functools.partial(start, "--compression", "6")


def start_with(start, directory, data, *options):
    """Serves these bytes, all of them at once."""
    (directory / "data").write_bytes(data)
    run = start(
        "--quiet", "--linger", "forever", *options,
        command=["cat", str(directory / "data")],
    )
    wait_ended(run)
    return run


def wait_ended(run):
    """json without follow=0 goes on until the end of the run."""
    assert fetch(run.at("/?format=json&tail=0")).status == 200


def ask_gzip(peer, target, **fields):
    return peer.ask(head(target, Accept_Encoding="gzip", **fields))


def download_peer(connect, run, target):
    peer = connect(run)
    assert ask_gzip(peer, target) == 200
    assert peer.fields["content-encoding"] == "gzip"
    body = gzip.decompress(peer.read_chunks())
    assert peer.read_rest() == b""
    return body


async def get_aiohttp(url):
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        async with session.get(url) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            return await answer.read()


def same_for_all(body, form):
    """Stands for what does not depend on who else is there."""
    if form == "json":
        body = re.sub(rb'\{"type":"clients","count":\d+\}\n', b"", body)
    return digest(body)


@pytest.mark.parametrize("name", PAYLOADS)
def test_every_client_gets_what_it_gets_without(
    start, directory, connect, name
):
    run = start_with(start, directory, PAYLOADS[name])
    for form in FORMATS:
        target = f"/?follow=0&format={form}"
        plain = fetch(run.at(target))
        assert "content-encoding" not in plain.fields
        wanted = same_for_all(plain.body, form)
        if form == "raw":
            assert wanted == digest(PAYLOADS[name])
        by_curl = fetch(run.at(target), "--compressed")
        assert by_curl.fields["content-encoding"] == "gzip"
        assert same_for_all(by_curl.body, form) == wanted
        by_aiohttp = asyncio.run(get_aiohttp(run.at(target)))
        assert same_for_all(by_aiohttp, form) == wanted
        by_peer = download_peer(connect, run, target)
        assert same_for_all(by_peer, form) == wanted


@pytest.mark.parametrize("query", [
    "tail=0", "tail=7", "tail=100000", "after=0", "after=30", "after=60",
    "stream=stdout", "stream=stderr", "stream=stderr&tail=9", "tail=3&after=8",
])
def test_a_part_is_the_same_part(start, connect, query):
    run = start(
        "--quiet", "--linger", "forever",
        script="for i in $(seq 30); do echo o$i; echo e$i >&2; done",
    )
    wait_ended(run)
    for form in FORMATS:
        target = f"/?follow=0&format={form}&{query}"
        wanted = same_for_all(fetch(run.at(target)).body, form)
        got = download_peer(connect, run, target)
        assert same_for_all(got, form) == wanted


def test_what_is_missing_is_told_inside(start, directory, connect):
    run = start_with(
        start, directory, incompressible(6_000_000), "--history", "0"
    )
    text = download_peer(connect, run, "/?follow=0&format=text&after=0")
    assert text.startswith(b"[wsexec: line")
    records = download_peer(connect, run, "/?follow=0&format=json&after=0")
    records = parse_records([records.decode()])
    assert records[1]["type"] == "gap"
    assert digest(rejoin(records)) == digest(text.partition(b"\n")[2])


def test_a_download_from_a_live_run_ends(start, connect, view):
    run = start("--quiet", script="echo x; printf half; read _ <go")
    view(run, "format=json").wait_record(seq=2, partial=True)
    assert download_peer(connect, run, "/raw?follow=0") == b"x\n"


# Accept-Encoding, and the codings of a file and of a download.
PREFERENCES = {
    None: (None, None),
    "": (None, None),
    "gzip": ("gzip", "gzip"),
    "br;q=1.0, gzip;q=0.8, *;q=0.1": ("gzip", "gzip"),
    "deflate": (None, None),
    "*": ("gzip", None),
    "*;q=0": (None, None),
    "gzip;q=0": (None, None),
    "gzip;q=0.5, identity": (None, None),
    "identity;q=0, *": ("gzip", "gzip"),
    # Nothing that is here will do: then it is as if nothing had been said.
    "identity;q=0": (None, None),
}


@pytest.mark.parametrize("compression", ["0", "1", "9"])
def test_clients_choose(start, directory, connect, compression):
    run = start_with(
        start, directory, b"some output\n", "--compression", compression
    )
    for value, codings in PREFERENCES.items():
        if compression == "0":
            codings = (None, None)
        for path, coding in zip(("/viewer.js", "/raw?follow=0"), codings):
            peer = connect(run)
            assert peer.ask(head(path, Accept_Encoding=value)) == 200
            assert peer.fields.get("content-encoding") == coding, value
            assert peer.fields["vary"] == "Accept, Accept-Encoding"


def test_output_that_goes_on_is_not_compressed(start, connect):
    run = start("--quiet", script="echo x; read _ <go; echo y")
    peer = connect(run)
    assert ask_gzip(peer, "/raw") == 200
    assert "content-encoding" not in peer.fields
    assert peer.fields["vary"] == "Accept, Accept-Encoding"
    assert peer.read(7) == b"2\r\nx\n\r\n"
    run.go()
    assert peer.read_rest() == b"2\r\ny\n\r\n0\r\n\r\n"


def test_http_1_0_gets_it_without_chunks(start, directory, connect):
    data = PAYLOADS["random-bytes"]
    run = start_with(start, directory, data)
    peer = connect(run)
    assert ask_gzip(peer, "/raw?follow=0", version="HTTP/1.0") == 200
    assert peer.fields["content-encoding"] == "gzip"
    assert "transfer-encoding" not in peer.fields
    assert digest(gzip.decompress(peer.read_rest())) == digest(data)


@pytest.mark.parametrize("coding", ["identity", "gzip"])
@pytest.mark.parametrize("target", [
    "/viewer.js", "/?format=json", "/raw?follow=0", "/raw?follow=0&tail=2",
    "/raw?follow=0&after=1", "/raw?after=99",
])
def test_head_is_get_without_the_body(start, connect, target, coding):
    run = start("--quiet", "--linger", "forever", script="seq 9")
    wait_ended(run)
    request = {"Accept_Encoding": coding, "Connection": "close"}
    get, just_head = connect(run), connect(run)
    assert get.ask(head(target, **request)) == 200
    assert just_head.ask(head(target, method="HEAD", **request)) == 200
    assert without_date(just_head) == without_date(get)
    assert just_head.read_rest() == b""


def test_files_are_the_same_in_both_codings(start):
    run = start("--quiet", script="read _ <go")
    for path in ("/", "/list.js", "/viewer.js"):
        url = run.at(path)
        accept = ("-H", "Accept: text/html")
        plain = fetch(url, *accept)
        coded = fetch(url, *accept, "-H", "Accept-Encoding: gzip")
        assert "content-encoding" not in plain.fields
        assert coded.fields["content-encoding"] == "gzip"
        assert gzip.decompress(coded.body) == plain.body
        assert len(coded.body) == int(coded.fields["content-length"])
        assert len(coded.body) < len(plain.body)
        assert fetch(url, *accept, "--compressed").body == plain.body
        assert coded.fields["etag"] != plain.fields["etag"]


def test_each_coding_has_an_etag_of_its_own(start):
    run = start("--quiet", script="read _ <go")
    codings = ("identity", "gzip")
    etags = [
        fetch(
            run.at("/viewer.js"), "-H", f"Accept-Encoding: {coding}"
        ).fields["etag"]
        for coding in codings
    ]
    for coding, etag in zip(codings, etags):
        other = etags[1 - etags.index(etag)]
        for match, status in {
            etag: 304,
            f"W/{etag}": 304,
            f'"a, b", {etag}': 304,
            f'"a",W/"b" , W/{etag},"c"': 304,
            f"{other}, {etag}": 304,
            "*": 304,
            other: 200,
            f"W/{other}": 200,
            etag.strip('"'): 200,
            '""': 200,
        }.items():
            answer = fetch(
                run.at("/viewer.js"), "-H", f"Accept-Encoding: {coding}",
                "-H", f"If-None-Match: {match}",
            )
            assert answer.status == status, match
            assert answer.fields["etag"] == etag
            assert answer.fields["vary"] == "Accept, Accept-Encoding"
            assert (answer.body == b"") == (status == 304)
            if status == 304:
                assert "content-encoding" not in answer.fields


def test_a_download_that_falls_off_the_history_is_cut(
    start, directory, connect, view
):
    data = incompressible(10_000_000)
    middle = data.index(b"\n", 2_000_000) + 1
    (directory / "first").write_bytes(data[:middle])
    (directory / "second").write_bytes(data[middle:])
    run = start(
        "--quiet", "--history", "0", "--wait-clients", "1",
        script="cat ../first; read _ <go; cat ../second; read _ <go",
    )
    watcher = view(run, "format=json")
    watcher.wait_record(seq=data[:middle].count(b"\n"))
    chunked, unchunked = connect(run), connect(run)
    target = "/raw?follow=0&after=0"
    assert ask_gzip(chunked, target) == 200
    assert ask_gzip(unchunked, target, version="HTTP/1.0") == 200
    run.go()
    watcher.wait_record(seq=data.count(b"\n"))
    # What came in whole chunks is the beginning, and the end is not there.
    parts = []
    with pytest.raises(EOFError):
        while size := int(chunked.read_until(b"\r\n"), 16):
            parts.append(chunked.read(size))
            assert chunked.read(2) == b"\r\n"
    for coded in (b"".join(parts), unchunked.read_rest()):
        decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
        got = decoder.decompress(coded)
        assert not decoder.eof
        assert 0 < len(got) < middle and data.startswith(got)


def test_a_client_that_stalls_is_closed(start, directory, connect):
    run = start_with(
        start, directory, incompressible(5_000_000), "--stall-timeout", "0.5",
        "--verbose",
    )
    peer = connect(run)
    assert ask_gzip(peer, "/raw?follow=0") == 200
    run.log.wait_for(b"it took no byte for the stall timeout")
    with pytest.raises(EOFError):
        peer.read_chunks()


def test_memory_is_bounded_however_many_stall(start, directory, clients):
    data = incompressible(5_000_000)
    run = start_with(start, directory, data)
    plain = digest(fetch(run.at("/raw?follow=0")).body)
    memory = run.resident_kib()
    codings = []
    for _ in range(GZIP_AT_ONCE + 20):
        clients.append(Peer(run.port))
        assert ask_gzip(clients[-1], "/raw?follow=0") == 200
        codings.append(clients[-1].fields.get("content-encoding"))
    assert codings == ["gzip"] * GZIP_AT_ONCE + [None] * 20
    # Others go on as before, and the rest is as bounded as the feeds are.
    assert digest(fetch(run.at("/raw?follow=0"), "--compressed").body) == plain
    if not is_sanitized():
        assert run.resident_kib() - memory < GZIP_AT_ONCE * 450 + 8192
    for client in clients:
        client.close()

    def is_compressed_again():
        answer = fetch(run.at("/raw?follow=0&tail=1"), "--compressed")
        return answer.fields.get("content-encoding") == "gzip"

    wait_until(is_compressed_again, "a compressed download")


def test_clients_that_leave_in_the_middle_leave_nothing(
    start, directory, clients
):
    run = start_with(start, directory, incompressible(3_000_000))
    descriptors = run.descriptors()
    for i in range(150):
        peer = Peer(run.port)
        clients.append(peer)
        peer.send(head("/raw?follow=0", Accept_Encoding="gzip"))
        peer.read(1 + 2000 * (i % 10))
        peer.close()
    wait_until(
        lambda: run.descriptors() <= descriptors, "the end of all connections"
    )
    fetched = fetch(run.at("/raw?follow=0"), "--compressed")
    assert fetched.fields["content-encoding"] == "gzip"
    assert len(fetched.body) > 2_900_000


@pytest.mark.valgrind
def test_downloads_end_as_they_should(start, directory, connect):
    run = start_with(start, directory, PAYLOADS["one-long-line"])
    got = download_peer(connect, run, "/raw?follow=0")
    assert digest(got) == digest(PAYLOADS["one-long-line"])
    peer = connect(run)
    assert ask_gzip(peer, "/raw?follow=0") == 200
    peer.close()
    assert ask_gzip(connect(run), "/viewer.js") == 200
