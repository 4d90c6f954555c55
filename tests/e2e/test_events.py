# SPDX-License-Identifier: ISC
"""Server-Sent Events: what is told, and how a client goes on."""

import time

import pytest

from eventstream import EventStream
from harness import wait_until
from rawsocket import head, upgrade_head, without_date
from viewers import fetch, parse_records

BYTES = bytes(b for b in range(1, 256) if b != 10)


@pytest.fixture
def listen(clients):
    """listen(run, target) opens an event stream."""

    def attach(run, target="/events", **keywords):
        clients.append(EventStream(run.port, target, **keywords))
        return clients[-1]

    return attach


def wait_ended(run):
    target = "/?format=json&follow=0&tail=0"
    wait_until(
        lambda: b'"exit"' in fetch(run.at(target)).body, "the end of the run"
    )


@pytest.fixture
def ten(start):
    """Has written ten lines and ended, and is still served."""
    run = start("--quiet", "--linger", "forever", "--compression", "6",
                script="seq 10; exit 3")
    wait_ended(run)
    return run


def texts(events):
    return [event.data for event in events if event.type == "message"]


def run_of(run):
    return fetch(run.at("/raw?follow=0&tail=0")).fields["wsexec-run"]


@pytest.mark.valgrind
@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
def test_a_run_is_told_in_events(ten, listen, version):
    stream = listen(ten, version=version)
    assert stream.fields["content-type"] == "text/event-stream"
    assert stream.fields["cache-control"] == "no-store"
    assert stream.fields["x-accel-buffering"] == "no"
    chunked = stream.fields.get("transfer-encoding") == "chunked"
    assert chunked == (version == "HTTP/1.1")
    first, *lines, end = stream.read_all()
    assert stream.retry_ms == 2000
    assert (first.type, first.id) == ("start", None)
    run_id = first.record()["run"]
    assert first.record()["last"] == 10
    assert [(e.type, e.data, e.id) for e in lines] == [
        ("message", str(n), f"{run_id}/{n}") for n in range(1, 11)
    ]
    assert (end.type, end.id) == ("exit", f"{run_id}/exit")
    assert end.record() == {**end.record(), "code": 3, "last": 10}


def test_events_come_as_the_lines_do(start, listen):
    run = start("--quiet", script="echo one; read _ <go; echo two >&2")
    stream = listen(run)
    assert stream.next("message").data == "one"
    other = listen(run, "/events?format=json&tail=0")
    assert stream.next("clients").record()["count"] == 2
    run.go()
    two = stream.next("message")
    assert (two.data, two.id[-2:]) == ("two", "/2")
    line = other.next("message")
    assert line.id == two.id
    assert line.record() == {
        **line.record(), "type": "line", "seq": 2, "stream": "stderr",
        "text": "two",
    }
    assert other.next("exit").record()["code"] == 0
    stream.read_all()


def test_lines_of_any_bytes(start, listen, directory):
    lines = [
        b"", b" two", b"50%\r60%\r", b"data: x", b":", b"\r\r", BYTES,
        BYTES.replace(b"\r", b""), "\u2028\ufeff\x85".encode(), b"a\0b",
    ]
    (directory / "lines").write_bytes(b"\n".join(lines) + b"\n")
    run = start(
        "--quiet", "--linger", "forever",
        command=["cat", str(directory / "lines")],
    )
    expected = [line.decode(errors="replace") for line in lines]
    stream = listen(run)
    assert [stream.next("message").data for _ in lines] == [
        line.replace("\r", "\n") for line in expected
    ]
    stream = listen(run, "/events?format=json")
    assert [
        stream.next("message").record()["text"] for _ in lines
    ] == expected


def test_json_has_the_same_records_as_elsewhere(ten, listen):
    events = listen(ten, "/events?format=json").read_all()
    records = parse_records([fetch(ten.at("/?format=json")).body.decode()])
    assert [event.record() for event in events] == [
        record for record in records if record["type"] != "clients"
    ]


@pytest.mark.parametrize("accept, kind", [
    ("text/event-stream", "text/event-stream"),
    ("text/event-stream, */*;q=0.1", "text/event-stream"),
    ("text/event-stream;q=0.5, text/plain", "text/plain; charset=utf-8"),
    ("text/event-stream;q=0, */*", "text/plain; charset=utf-8"),
    ("text/html, text/event-stream", "text/html; charset=utf-8"),
    ("application/x-ndjson", "application/x-ndjson; charset=utf-8"),
    ("text/*", "text/plain; charset=utf-8"),
    ("*/*", "text/plain; charset=utf-8"),
    (None, "text/plain; charset=utf-8"),
])
def test_the_type_is_the_one_that_is_accepted(ten, connect, accept, kind):
    peer = connect(ten)
    assert peer.ask(head(Accept=accept)) == 200
    assert peer.fields["content-type"] == kind
    assert "Accept" in peer.fields["vary"].split(", ")


def test_events_of_records_by_their_type(ten, listen):
    stream = listen(ten, "/?format=json", Accept="text/event-stream")
    assert stream.next("message").record()["text"] == "1"


@pytest.mark.parametrize("accept", [
    "application/json", "image/png, text/css", "text/*;q=0", "*/*;q=0",
])
def test_what_accepts_nothing_of_it_is_refused(ten, connect, accept):
    peer = connect(ten)
    assert peer.ask(head(Accept=accept)) == 406
    assert b"text/event-stream" in peer.read_body()
    for target in ("/?format=json", "/raw", "/events", "/viewer.js"):
        assert connect(ten).ask(head(target, Accept=accept)) == 200
    assert connect(ten).ask(upgrade_head(Accept=accept)) == 101


@pytest.mark.parametrize("query, first", [
    ("after=3", 4), ("tail=2", 9), ("after=0&follow=0", 1),
])
def test_the_query_is_the_usual_one(ten, listen, query, first):
    events = listen(ten, f"/events?{query}").read_all()
    assert texts(events) == [str(n) for n in range(first, 11)]


def test_one_stream_only(start, listen):
    run = start(
        "--quiet", "--wait-clients", "1", "--linger", "forever",
        script="echo out; echo err >&2; echo out",
    )
    events = listen(run, "/events?stream=stderr").read_all()
    assert texts(events) == ["err"]
    # Its last line is not the last one of the run, but it has the end.
    last_id = events[-1].id
    listen(run, "/events?stream=stderr", status=204, Last_Event_ID=last_id)


@pytest.mark.valgrind
def test_the_last_id_says_where_to_go_on(ten, listen):
    run_id = run_of(ten)
    for target in ("/events", "/events?after=2&run=x", "/events?tail=1"):
        stream = listen(ten, target, Last_Event_ID=f"{run_id}/7")
        assert stream.fields["wsexec-first"] == "8"
        first, *lines = stream.read_all()
        assert first.record()["resumed"] is True
        assert texts(lines) == ["8", "9", "10"]


@pytest.mark.parametrize("last_id", [
    "0123456789abcdef/7", "0123456789abcdef/exit", "0123456789abcdef/99",
])
def test_the_id_of_another_run_begins_anew(ten, listen, last_id):
    for target in ("/events", "/events?tail=1"):
        events = listen(ten, target, Last_Event_ID=last_id).read_all()
        assert events[0].record()["resumed"] is False
        assert texts(events) == [str(n) for n in range(1, 11)]


@pytest.mark.parametrize("last_id", [
    "", "7", "/7", "a/", "a/x", "a/7/8", "a/-7", "a b/7", "x" * 65 + "/7",
    "a/99999999999999999999", "a/exit ex",
])
def test_what_is_no_id_of_ours_is_ignored(ten, listen, last_id):
    stream = listen(ten, "/events?after=8", Last_Event_ID=last_id)
    assert texts(stream.read_all()) == ["9", "10"]


def test_the_last_id_is_for_events_only(ten, connect):
    peer = connect(ten)
    last_id = f"{run_of(ten)}/7"
    assert peer.ask(head("/raw?tail=1", Last_Event_ID=last_id)) == 200
    assert peer.read_chunks() == b"10\n"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_has_got_the_exit_need_not_come_again(ten, listen, method):
    run_id = run_of(ten)
    stream = listen(
        ten, method=method, status=204, Last_Event_ID=f"{run_id}/exit"
    )
    assert "content-length" not in stream.fields
    # The connection goes on, so nothing was sent as a body.
    assert stream.ask(head("/healthz")) == 200
    assert stream.read_body() == b"ok\n"


def test_who_has_all_lines_still_gets_the_exit(ten, listen):
    stream = listen(ten, Last_Event_ID=f"{run_of(ten)}/10")
    assert [e.type for e in stream.read_all()] == ["start", "exit"]


def test_a_run_without_lines_ends_as_well(start, listen):
    run = start("--quiet", "--linger", "forever", script="exit 4")
    events = listen(run).read_all()
    assert [event.type for event in events] == ["start", "exit"]
    listen(run, status=204, Last_Event_ID=events[-1].id)


def test_the_exit_of_a_run_that_goes_on_stops_nobody(start, listen):
    run = start("--quiet", script="echo x; read _ <go; echo y")
    run_id = run_of(run)
    stream = listen(run, Last_Event_ID=f"{run_id}/exit")
    assert stream.next("start").record()["run"] == run_id
    run.go()
    assert stream.next("exit").record()["code"] == 0


def test_what_was_evicted_is_told(start, listen):
    line, total = "x" * 99, 60_000
    run = start(
        "--quiet", "--history", "1M", "--linger", "forever",
        script=f"yes {line} | head -n {total}",
    )
    wait_ended(run)
    for target in ("/events", "/events?format=json"):
        stream = listen(run, target)
        gap, first = stream.next("gap"), stream.next("message")
        record = gap.record()
        assert gap.id is None
        assert record == {
            "type": "gap", "first": 1, "last": record["last"],
            "reason": "evicted",
        }
        assert first.id.endswith(f"/{record['last'] + 1}")


def test_an_unfinished_line_is_an_event_of_its_own(start, listen):
    run = start("--quiet", script="printf 'a\\rname: '; read _ <go; echo x")
    for target in ("/events", "/events?format=json"):
        stream = listen(run, target)
        partial = stream.next("partial")
        assert partial.id is None
        assert partial.record()["text"] == "a\rname: "
        assert partial.record()["partial"] is True
    run.go()
    line = stream.next("message")
    assert line.record()["text"] == "a\rname: x"
    assert line.id.endswith("/1")


@pytest.mark.valgrind
def test_a_quiet_stream_is_kept_alive(start, listen):
    run = start(
        "--quiet", "--ping-interval", "0.25", script="read _ <go; echo x"
    )
    stream = listen(run)
    while stream.comments < 4:
        stream.read_body_part()
    run.go()
    assert stream.next("message").data == "x"
    assert stream.next("exit").record()["code"] == 0


def test_there_is_no_comment_where_lines_come(start, listen):
    run = start(
        "--quiet", "--ping-interval", "0.5",
        script="while read line; do echo $line; done <go",
    )
    stream = listen(run)
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        run.go()
        stream.next("message")
    assert stream.comments == 0


def test_compressed_events(ten):
    answer = fetch(ten.at("/events?follow=0"), "--compressed")
    assert answer.fields["content-encoding"] == "gzip"
    assert answer.body.startswith(b"retry: 2000\n\nevent: start\n")
    assert answer.body.count(b"\ndata: ") == 10 + 3


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
def test_head_is_that_of_get(ten, connect, version):
    get, just_head = connect(ten), connect(ten)
    assert get.ask(head("/events?tail=3", version=version)) == 200
    assert just_head.ask(head("/events?tail=3", "HEAD", version)) == 200
    assert without_date(just_head) == without_date(get)
    assert just_head.read_rest() == b""


@pytest.mark.parametrize("request_head", [
    head("/events?format=raw"),
    head("/?format=raw", Accept="text/event-stream"),
    head("/events?tail=x"),
    upgrade_head("/events"),
])
def test_what_is_no_event_stream_is_refused(ten, connect, request_head):
    peer = connect(ten)
    assert peer.ask(request_head) == 400
    body = peer.read_body()
    assert body.count(b"\n") == 1 and 10 < len(body) < 200


def test_events_are_below_the_base_path_and_want_the_token(start, connect):
    run = start(
        "--base-path", "/a", "--token", "--linger", "forever",
        script="echo x",
    )
    token = run.url.partition("?token=")[2]
    assert connect(run).ask(head("/a/events")) == 401
    assert connect(run).ask(head(f"/a/events?token={token}")) == 200
    assert connect(run).ask(head(f"/events?token={token}")) == 404
    wrong = head(f"/a/events?token={token}", Origin="http://evil.example")
    assert connect(run).ask(wrong) == 403


def test_who_is_too_slow_is_cut_and_goes_on_by_its_id(start, listen):
    """Nothing is lost: the last id it has got is enough."""
    total = 40_000
    run = start(
        "--quiet", "--slow", "disconnect", "--client-buffer", "1M",
        "--wait-clients", "1", "--linger", "forever",
        script=f"seq -f '{'x' * 99} %.0f' {total}",
    )
    stream = listen(run)
    wait_ended(run)
    seen = []
    with pytest.raises(EOFError):
        while True:
            seen.append(stream.next("message"))
    stream = listen(run, Last_Event_ID=seen[-1].id)
    seen += [e for e in stream.read_all() if e.type == "message"]
    assert [event.data for event in seen] == [
        f"{'x' * 99} {n}" for n in range(1, total + 1)
    ]
