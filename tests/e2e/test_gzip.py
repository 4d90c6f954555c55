# SPDX-License-Identifier: ISC
"""Compressed answers: the files of the page."""

import gzip

import pytest

from rawsocket import head
from viewers import fetch

# Accept-Encoding, and the coding of a file.
PREFERENCES = {
    None: None,
    "": None,
    "gzip": "gzip",
    "br;q=1.0, gzip;q=0.8, *;q=0.1": "gzip",
    "deflate": None,
    "*": "gzip",
    "*;q=0": None,
    "gzip;q=0": None,
    "gzip;q=0.5, identity": None,
    "identity;q=0, *": "gzip",
    # Nothing that is here will do: then it is as if nothing had been said.
    "identity;q=0": None,
}


@pytest.mark.parametrize("compression", ["0", "1", "9"])
def test_clients_choose(start, connect, compression):
    run = start("--compression", compression, script="read _ <go")
    peer = connect(run)
    for value, coding in PREFERENCES.items():
        if compression == "0":
            coding = None
        for method in ("GET", "HEAD"):
            request = head("/viewer.js", method, Accept_Encoding=value)
            assert peer.ask(request) == 200
            assert peer.fields.get("content-encoding") == coding, value
            assert peer.fields["vary"] == "Accept-Encoding"
            if method == "GET":
                peer.read_body()


def test_files_are_the_same_in_both_codings(start):
    run = start("--quiet", script="read _ <go")
    for path in ("/", "/style.css", "/viewer.js"):
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
            assert answer.fields["vary"] == "Accept-Encoding"
            assert (answer.body == b"") == (status == 304)
            if status == 304:
                assert "content-encoding" not in answer.fields
