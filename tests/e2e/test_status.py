# SPDX-License-Identifier: ISC
"""/status and /metrics: what they say, and who is told of changes."""

import asyncio
import json
import re
import socket
import subprocess

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_parser,
)
from prometheus_client.parser import (
    text_string_to_metric_families as prometheus_parser,
)

from harness import TIMEOUT_S, is_sanitized, wait_until
from rawsocket import CLOSE, PING, PONG, TEXT, close_frame, frame, head
from rawsocket import upgrade_head
from viewers import (
    Viewer,
    fetch,
    has_node_client,
    parse_records,
    take_aiohttp,
    take_node,
    take_websocket_client,
)

LEAST_S = 0.2  # between two documents
CLOCK_S = 0.005  # by which times in them may be off
LISTED_MAX = 1000
HUGE = "x" * 120_000  # an argument that makes documents large


def status_of(run, query=""):
    answer = fetch(run.at(f"/status{query}"))
    assert answer.status == 200
    return json.loads(answer.body)


def wait_status(run, condition, what):
    """Waits until the document is so; returns it."""
    def look():
        document = status_of(run)
        return condition(document) and document

    return wait_until(look, what)


def metrics_of(run):
    """The samples by their names with labels, as numbers."""
    samples = {}
    for line in fetch(run.at("/metrics")).body.decode().splitlines():
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            assert name not in samples
            samples[name] = float(value)
    return samples


@pytest.fixture
def watch(clients):
    """watch(run) attaches a WebSocket client of /status."""

    def attach(run, query=""):
        clients.append(Viewer(run.at(f"/status{query}", "ws")))
        return clients[-1]

    return attach


def documents(watcher):
    return [json.loads(message) for message in list(watcher.messages)]


def wait_document(watcher, condition, what):
    """Waits until a watcher has got such a document; returns it."""
    found = []
    looked_at = 0

    def look():
        nonlocal looked_at
        while looked_at < len(watcher.messages) and not found:
            document = json.loads(watcher.messages[looked_at])
            looked_at += 1
            if condition(document):
                found.append(document)
        return found

    watcher.wait(look, what)
    return found[0]


@pytest.mark.valgrind
def test_the_document(start):
    run = start("--title", "t", script="echo a; echo bb >&2; read _ <go")
    document = wait_status(
        run, lambda d: d["journal"]["last"] == 2, "both lines"
    )
    assert document["state"] == "running"
    assert re.fullmatch("[0-9a-f]{16}", document["run"])
    assert document["title"] == "t"
    assert document["command"][:2] == ["sh", "-c"]
    assert document["pid"] > 1
    assert document["started"] > 1.7e9
    assert document["uptime"] > 0
    assert document["exit"] is None
    assert document["paused"] is False
    assert document["journal"]["first"] == 1
    assert document["journal"]["evicted"] == 0
    assert 0 < document["journal"]["bytes"] <= document["journal"]["limit"]
    assert document["streams"] == {
        "stdout": {"lines": 1, "bytes": 2},
        "stderr": {"lines": 1, "bytes": 3},
    }
    assert document["clients"]["count"] == 0
    assert document["clients"]["list"] == []
    assert "127.0.0.1" not in json.dumps(document)


def test_the_answer(start, connect):
    run = start("--linger", "forever", "--quiet", command=["true"])
    wait_status(run, lambda d: d["state"] == "ended", "the end")
    for path, media_type in (
        ("/status", "application/json; charset=utf-8"),
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
    ):
        peer = connect(run)
        assert peer.ask(head(path)) == 200
        body = peer.read_body()
        assert body.endswith(b"}\n" if path == "/status" else b"\n")
        assert peer.fields["content-type"] == media_type
        assert peer.fields["cache-control"] == "no-store"
        # Digits of what they count may differ, so their sizes may.
        assert peer.ask(head(path, method="HEAD")) == 200
        size = int(peer.fields["content-length"])
        assert abs(size - len(body)) < 100
        assert peer.fields["content-type"] == media_type
        assert peer.ask(head(path, version="HTTP/1.0")) == 200
        peer.read_body()
        assert peer.read_rest() == b""
        peer = connect(run)
        assert peer.ask(head(path, method="POST")) == 405
        assert peer.fields["allow"] == "GET, HEAD"


def test_requests_one_behind_the_other(start, connect):
    run = start("--quiet", script="read _ <go")
    peer = connect(run)
    peer.send((head("/status") + head("/metrics") + head("/healthz")) * 20)
    for _ in range(20):
        assert peer.read_head() == 200
        assert json.loads(peer.read_body())["state"] == "running"
        assert peer.read_head() == 200
        assert b"\nwsexec_connections 1\n" in peer.read_body()
        assert peer.read_head() == 200
        assert peer.read_body() == b"ok\n"


@pytest.mark.parametrize(
    "script, code, signal", [("exit 3", 3, None), ("kill -9 $$", None, 9)]
)
def test_states(start, view, script, code, signal):
    run = start("--wait-clients", "1", "--linger", "forever", "--quiet",
                script=f"read _ <go; {script}")
    document = status_of(run)
    assert document["state"] == "waiting"
    assert document["started"] is document["pid"] is None
    assert document["uptime"] == 0
    assert metrics_of(run)['wsexec_state{state="waiting"}'] == 1
    view(run)
    wait_status(run, lambda d: d["state"] == "running", "the start")
    run.go()
    document = wait_status(run, lambda d: d["state"] == "ended", "the end")
    assert document["exit"]["code"] == code
    assert document["exit"]["signal"] == signal
    assert document["exit"]["seconds"] == document["uptime"] > 0
    metrics = metrics_of(run)
    assert metrics['wsexec_state{state="ended"}'] == 1
    assert metrics["wsexec_exit_code"] == (code or 0)
    assert metrics["wsexec_exit_signal"] == (signal or 0)


def test_restarts(start, watch):
    run = start("--quiet", "--restart", "always", "--restart-delay", "0",
                script="echo x; read _ <go; exit 3")
    watcher = watch(run)
    before = wait_document(
        watcher, lambda d: d["journal"]["last"] == 1, "the first run"
    )
    assert before["restarts"] == 0
    run.go()
    after = wait_document(
        watcher, lambda d: d["streams"]["stdout"]["lines"] == 2, "the second"
    )
    assert after["restarts"] == 1
    assert after["state"] == "running"
    assert after["exit"] is None
    assert after["run"] != before["run"]
    assert after["pid"] != before["pid"]
    assert after["started"] > before["started"]
    assert after["journal"]["last"] == 3
    metrics = metrics_of(run)
    assert metrics["wsexec_restarts_total"] == 1
    assert metrics['wsexec_state{state="running"}'] == 1


def test_between_two_runs(start, watch):
    run = start("--quiet", "--restart", "always", "--restart-delay", "1000",
                script="read _ <go; exit 3")
    watcher = watch(run)
    run.go()
    document = wait_document(
        watcher, lambda d: d["state"] == "restarting", "the end of the first"
    )
    assert document["restarts"] == 1
    assert document["started"] is document["pid"] is document["exit"] is None
    assert document["uptime"] == 0
    assert metrics_of(run)['wsexec_state{state="restarting"}'] == 1
    run.send_signal(15)
    watcher.wait_end()
    last = documents(watcher)[-1]
    assert last["state"] == "ended"
    assert last["exit"] is not None


def test_clients_are_listed(start, connect, view, inflate):
    run = start("--quiet", "--compression", "6",
                script="seq 100; read _ <go; seq 100; read _ <go")
    wait_status(run, lambda d: d["journal"]["last"] == 100, "all lines")
    view(run, "format=json").wait_record(type="line", seq=100)
    view(run, "tail=0")
    inflate(run)
    for request in (head("/raw"), head("/?format=json"), head("/events")):
        connect(run).ask(request)
    document = wait_status(
        run,
        lambda d: d["clients"]["count"] == 6
        and all(c["lag"]["records"] == 0 for c in d["clients"]["list"]),
        "all clients, who have got all",
    )
    listed = document["clients"]["list"]
    assert [client["id"] for client in listed] == [1, 2, 3, 4, 5, 6]
    assert [(c["format"], c["carrier"]) for c in listed] == [
        ("json", "websocket"), ("text", "websocket"), ("text", "websocket"),
        ("raw", "http"), ("json", "http"), ("text", "events"),
    ]
    assert document["clients"]["formats"] == {
        "text": {"websocket": 2, "http": 0, "events": 1},
        "json": {"websocket": 1, "http": 1, "events": 0},
        "raw": {"websocket": 0, "http": 1, "events": 0},
    }
    assert listed[3]["sent"] > len("".join(f"{i}\n" for i in range(100)))
    assert listed[0]["sent"] > listed[1]["sent"] > 0
    assert sum(c["sent"] for c in listed) <= document["sent"]
    assert not any(c["blocked"] or c["gaps"] for c in listed)
    assert document["clients"]["omitted"] == 0
    assert abs(listed[0]["since"] - document["started"]) < 600
    metrics = metrics_of(run)
    assert metrics['wsexec_clients{format="text",carrier="websocket"}'] == 2
    assert metrics["wsexec_clients_opened_total"] == 6
    assert metrics['wsexec_lines_total{stream="stdout"}'] == 100


def test_only_so_many_clients_are_listed(start, connect):
    run = start("--quiet", script="read _ <go")
    most = LISTED_MAX + 2
    try:
        peers = [connect(run) for _ in range(most)]
    except OSError:
        pytest.skip("there are not enough descriptors")
    for peer in peers:
        peer.send(upgrade_head())
    document = wait_status(
        run, lambda d: d["clients"]["count"] == most, "all clients"
    )
    clients = document["clients"]
    assert [c["id"] for c in clients["list"]] == list(
        range(1, LISTED_MAX + 1)
    )
    assert clients["omitted"] == 2
    assert clients["formats"]["text"]["websocket"] == most
    for peer in peers[:10]:
        peer.close()
    document = wait_status(
        run, lambda d: d["clients"]["count"] == most - 10, "the end of ten"
    )
    assert document["clients"]["list"][0]["id"] == 11
    assert document["clients"]["omitted"] == 0


def test_lag_and_gaps(start, connect, view):
    run = start("--quiet", "--history", "8M",
                script="head -c 30000000 /dev/zero | tr '\\0' x | fold -w 999;"
                " read _ <go; echo; read _ <go")
    stuck = connect(run)
    stuck.send(upgrade_head("/?format=json&tail=0"))
    wait_status(
        run,
        lambda d: d["clients"]["blocked"] == 1
        and d["streams"]["stdout"]["bytes"] > 30_000_000,
        "one that does not read",
    )

    def look():
        """The document, and metrics of the same time: the kernel may still
        have taken something between them."""
        before = status_of(run)
        metrics = metrics_of(run)
        after = status_of(run)
        if before["clients"]["lag"] != after["clients"]["lag"]:
            return None
        return after, metrics

    document, metrics = wait_until(look, "a time when nothing is sent")
    client = document["clients"]["list"][0]
    assert client["blocked"]
    assert client["lag"]["bytes"] > 1_000_000
    assert client["lag"]["records"] > 1000
    assert document["clients"]["lag"] == client["lag"]
    assert document["journal"]["evicted"] > 0
    assert metrics["wsexec_clients_blocked"] == 1
    assert metrics["wsexec_clients_lag_max_bytes"] == client["lag"]["bytes"]
    view(run, "format=json").wait_record(type="gap", reason="evicted")
    document = wait_status(
        run, lambda d: d["gaps"]["evicted"]["count"] == 1, "the gap"
    )
    assert document["gaps"]["evicted"]["records"] == (
        document["journal"]["evicted"]
    )
    assert document["clients"]["list"][1]["gaps"] == 1
    stuck.read_head()
    while not any(
        record["type"] == "gap"
        for record in parse_records([stuck.read_message()])
    ):
        pass
    document = wait_status(
        run, lambda d: d["gaps"]["slow"]["count"] > 0, "the other gap"
    )
    assert document["gaps"]["slow"]["records"] > 1000
    assert document["clients"]["list"][0]["gaps"] > 0


def test_why_clients_have_gone(start, connect, view):
    run = start("--quiet", "--ping-interval", "1", script="read _ <go")
    view(run).close()
    connect(run).upgrade("/?follow=0").read_messages()
    peer = connect(run).upgrade()
    peer.send(b"\xff\xff")
    peer.read_close()
    connect(run).upgrade()  # which answers no ping
    wait_status(
        run,
        lambda d: d["clients"]["closed"] == {
            "left": 1, "complete": 1, "stopped": 0, "slow": 0, "stalled": 0,
            "silent": 1, "misbehaved": 1, "memory": 0,
        },
        "the end of all",
    )
    assert metrics_of(run)[
        'wsexec_clients_closed_total{reason="silent"}'
    ] == 1


def test_slow_clients_have_gone(start, connect):
    run = start("--quiet", "--client-buffer", "1M", "--slow", "disconnect",
                script="head -c 30000000 /dev/zero; read _ <go")
    connect(run).send(upgrade_head("/?format=raw&tail=0"))
    wait_status(
        run, lambda d: d["clients"]["closed"]["slow"] == 1, "its end"
    )


def test_answers_are_counted(start, connect):
    run = start("--quiet", script="read _ <go")
    connect(run).ask(head("/nothing-is-here"))
    connect(run).ask(head("/?tail=x"))
    connect(run).ask(head(method="BREW"))
    connect(run).upgrade()
    document = status_of(run)
    assert document["http"]["answers"] == {
        "101": 1, "400": 1, "404": 1, "501": 1
    }
    assert document["http"]["accepted"] == 5
    assert metrics_of(run)['wsexec_http_responses_total{code="200"}'] == 1


def test_behind_the_same_gate_as_output(start, connect):
    token = "0123456789abcdef"
    run = start("--quiet", "--base-path", "/x", script="read _ <go",
                env={"WSEXEC_TOKEN": token, "PATH": "/usr/bin:/bin"})
    for path in ("/x/status", "/x/metrics"):
        assert fetch(run.at(path)).status == 401
        assert fetch(run.at(f"{path}?token={token}")).status == 200
        bearer = f"Authorization: Bearer {token}"
        assert fetch(run.at(path), "-H", bearer).status == 200
        assert fetch(run.at(path), "-I", "-H", bearer).status == 200
        for fields, status in (
            ({}, 401),
            ({"Origin": "http://evil.example"}, 403),
            ({"Host": "evil.example"}, 421),
        ):
            assert connect(run).ask(upgrade_head(path, **fields)) == status
    peer = connect(run).upgrade(f"/x/status?token={token}")
    assert json.loads(peer.read_message())["state"] == "running"
    assert fetch(run.at(f"/status?token={token}")).status == 404


@pytest.mark.valgrind
def test_a_watcher_is_told_of_changes(start, view, watch):
    run = start("--quiet", script="read _ <go; exit 3")
    watcher = watch(run)
    first = wait_document(watcher, lambda d: True, "a document")
    assert first["clients"]["count"] == 0
    assert first["http"]["watchers"] == 1
    viewer = view(run, "format=json")
    assert viewer.wait_record(type="clients")["count"] == 1
    wait_document(
        watcher, lambda d: d["clients"]["count"] == 1, "a client"
    )
    viewer.close()
    wait_document(
        watcher, lambda d: d["clients"]["closed"]["left"] == 1, "its end"
    )
    run.go()
    assert run.wait() == 3
    watcher.wait_end()
    assert (watcher.code, watcher.reason) == (1000, "exit 3")
    last = documents(watcher)[-1]
    assert last["state"] == "ended"
    assert last["exit"]["code"] == 3


def test_documents_come_at_most_five_times_a_second(start, watch):
    run = start(
        "--quiet",
        script="read _ <go; end=$(($(date +%s%N) / 1000000 + 2500));"
        " while [ $(($(date +%s%N) / 1000000)) -lt $end ]; do echo; done",
    )
    watcher = watch(run)
    run.go()
    watcher.wait_end()
    *running, last = documents(watcher)
    assert last["state"] == "ended"
    assert len(running) >= 2
    times = [document["uptime"] for document in running]
    for before, after in zip(times, times[1:]):
        assert after - before >= LEAST_S - CLOCK_S, times
    lines = [d["streams"]["stdout"]["lines"] for d in running]
    assert lines == sorted(lines)
    assert last["streams"]["stdout"]["lines"] >= lines[-1]


def test_documents_come_each_second(start, watch):
    run = start("--quiet", script="read _ <go")
    watcher = watch(run)
    watcher.wait(lambda: len(watcher.messages) >= 4, "three more")
    times = [document["uptime"] for document in documents(watcher)]
    for before, after in zip(times, times[1:]):
        assert after - before >= 1 - CLOCK_S, times


def test_no_documents_come_of_themselves_after_the_end(start, view, watch):
    run = start("--quiet", "--linger", "forever", command=["true"])
    wait_status(run, lambda d: d["state"] == "ended", "the end")
    watcher = watch(run)
    wait_document(watcher, lambda d: d["state"] == "ended", "a document")
    view(run).wait_end()
    wait_document(
        watcher, lambda d: d["clients"]["opened"] == 1, "the client"
    )
    assert len(watcher.messages) <= 3  # it has come, and has gone
    run.send_signal(15)
    watcher.wait_end()
    assert (watcher.code, watcher.reason) == (1000, "exit 0")


def test_a_full_socket_skips_to_the_newest(start, connect, watch):
    run = start("--quiet", "--title", "t", "--history", "1M",
                command=["sh", "-c", "while :; do echo; done", *[HUGE] * 8])
    peer = connect(run).upgrade("/status")
    watcher = watch(run)
    watcher.wait(lambda: len(watcher.messages) >= 15, "many documents")
    memory = run.resident_kib()
    first = json.loads(peer.read_message())
    newest = documents(watcher)[-1]
    times = [first["uptime"]]
    while times[-1] < newest["uptime"]:
        times.append(json.loads(peer.read_message())["uptime"])
    assert times == sorted(times)
    assert len(times) < 15, "what was not taken has waited for it"
    assert memory < 200_000 or is_sanitized()


@pytest.fixture
def local(start, clients):
    """A run with large documents on a Unix socket, of which the kernel keeps
    little; and connect(request), which asks there and takes nothing."""
    run = start("--quiet", "--title", "t", "--history", "1M",
                "--stall-timeout", "3", "--unix-socket", "socket",
                command=["sh", "-c", "while :; do echo; done", *[HUGE] * 8])
    path = str(run.directory / "socket")

    def connect(request):
        connection = socket.socket(socket.AF_UNIX)
        clients.append(connection)
        connection.settimeout(TIMEOUT_S)
        connection.connect(path)
        connection.sendall(request)
        return connection

    return path, connect


def test_a_message_must_be_taken_in_time(local, clients):
    path, connect = local
    watcher = Viewer("ws://localhost/status", path)
    clients.append(watcher)
    connection = connect(upgrade_head("/status"))
    taken = 0
    # In this way a message would take six seconds.
    for count in range(1, 60):
        watcher.wait(lambda: len(watcher.messages) > count, "a document")
        data = connection.recv(30_000)
        taken += len(data)
        if not data:
            break
    assert 0 < taken < len(HUGE) * 8


def test_answers_that_are_not_taken_are_bounded(local):
    path, connect = local

    def status():
        return fetch(
            "http://localhost/status", "--unix-socket", path
        ).status

    assert status() == 200
    held = [connect(head("/status")) for _ in range(8)]
    wait_until(lambda: status() == 503, "too many")
    for connection in held[:4]:
        connection.close()
    wait_until(lambda: status() == 200, "room again")


def test_watchers_are_bounded(start, connect, view):
    run = start("--quiet", "--max-clients", "2", script="read _ <go")
    watchers = [connect(run).upgrade("/status") for _ in range(2)]
    peer = connect(run)
    assert peer.ask(upgrade_head("/status")) == 503
    assert peer.fields["retry-after"] == "5"
    view(run)
    assert status_of(run)["clients"]["count"] == 1
    watchers[0].close()
    wait_status(
        run, lambda d: d["http"]["watchers"] == 1, "the end of one"
    )
    connect(run).upgrade("/status")


def test_manners_of_watchers(start, connect):
    run = start("--quiet", "--ping-interval", "1", script="read _ <go")
    peer = connect(run)
    # All at once, and in pieces.
    peer.send_bytewise(upgrade_head("/status") + frame(PING, b"p"))
    peer.read_until(b"\r\n\r\n")
    assert peer.read_control(PONG) == b"p"
    peer.read_control(PING)
    peer.send(frame(TEXT, b"ignored"))
    peer.send(close_frame(1000))
    assert peer.read_control(CLOSE)[:2] == (1000).to_bytes(2, "big")
    peer = connect(run).upgrade("/status")
    peer.send(frame(TEXT, b"not masked", masked=False))
    assert peer.read_close()[0] == 1002
    connect(run).upgrade("/status").close()
    silent = connect(run).upgrade("/status")
    assert silent.read_rest() != b""  # to the end: it answers no ping
    wait_status(run, lambda d: d["http"]["watchers"] == 0, "their end")
    document = status_of(run)
    assert document["clients"]["opened"] == 0
    assert sum(document["clients"]["closed"].values()) == 0


@pytest.mark.parametrize("fields, status", [
    ({"Sec_WebSocket_Version": "8"}, 426),
    ({"Sec_WebSocket_Key": "x"}, 400),
    ({"method": "HEAD"}, 200),
])
def test_handshakes_that_are_none(start, connect, fields, status):
    run = start("--quiet", script="read _ <go")
    assert connect(run).ask(upgrade_head("/status", **fields)) == status


def test_watchers_are_told_that_wsexec_stops(start, watch):
    run = start("--quiet", script="read _ <go")
    watcher = watch(run)
    run.send_signal(15)
    watcher.wait_end()
    assert (watcher.code, watcher.reason) == (1001, "signal 15")
    assert documents(watcher)[-1]["exit"]["signal"] == 15


def test_clients_that_are_not_ours(start):
    run = start("--quiet", script="read _ <go")
    url = run.at("/status", "ws")
    taken = asyncio.run(take_aiohttp(url, 2))
    taken += take_websocket_client(url, 2)
    if has_node_client():
        taken += take_node(url, 2)
    for document in map(json.loads, taken):
        assert document["state"] == "running"


def test_the_command_can_be_hidden(start, view):
    run = start("--quiet", "--hide-command",
                command=["/bin/sh", "-c", "read _ <go", "secret"])
    viewer = view(run, "format=json")
    record = viewer.wait_record(type="start")
    assert record["command"] == []
    assert record["title"] == "sh"
    document = status_of(run)
    assert document["command"] == []
    assert document["title"] == "sh"
    for path in ("/status", "/metrics", "/events?follow=0"):
        assert b"secret" not in fetch(run.at(path)).body
    titled = start("--quiet", "--hide-command", "--title", "mine",
                   script="read _ <go")
    assert status_of(titled)["title"] == "mine"


OPEN = "application/openmetrics-text"
PROMETHEUS = (
    f"{OPEN};version=1.0.0,{OPEN};version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)


@pytest.mark.parametrize("accept, is_open", [
    (None, False),
    ("*/*", False),
    ("text/plain", False),
    ("application/*", False),
    ("text/html", False),
    (OPEN, True),
    (f"{OPEN};q=0", False),
    (f"{OPEN};q=0.5, text/plain", False),
    (f"{OPEN}, text/plain", True),
    (PROMETHEUS, True),
])
def test_metrics_in_two_formats(start, connect, accept, is_open):
    run = start("--quiet", script="read _ <go")
    peer = connect(run)
    assert peer.ask(head("/metrics", Accept=accept)) == 200
    body = peer.read_body()
    assert body.endswith(b"\n# EOF\n") == is_open
    assert peer.fields["content-type"] == (
        f"{OPEN}; version=1.0.0; charset=utf-8" if is_open
        else "text/plain; version=0.0.4; charset=utf-8"
    )
    assert peer.fields["vary"] == "Accept"


def test_metrics_of_the_process(start):
    run = start("--quiet", script="read _ <go")
    metrics = metrics_of(run)
    assert metrics["process_open_fds"] == pytest.approx(
        run.descriptors(), abs=2
    )
    assert metrics["process_resident_memory_bytes"] / 1024 == pytest.approx(
        run.resident_kib(), rel=0.5
    )
    assert 0 <= metrics["process_cpu_seconds_total"] < 60
    assert abs(
        metrics["process_start_time_seconds"]
        - metrics["wsexec_start_time_seconds"]
    ) < 60
    assert metrics["process_max_fds"] > 0


@pytest.fixture
def busy(start, view, connect):
    """A run with clients, that has done a bit of everything."""
    run = start("--quiet", "--linger", "forever", "--history", "1M",
                script="seq 300000; read _ <go; kill -9 $$")
    view(run, "format=json").wait_record(type="line", seq=300000)
    connect(run).ask(head("/nothing-is-here"))
    run.go()
    wait_status(run, lambda d: d["state"] == "ended", "the end")
    return run


def test_promtool_finds_nothing(busy):
    metrics = fetch(busy.at("/metrics")).body
    checked = subprocess.run(["promtool", "check", "metrics"], input=metrics,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert (checked.returncode, checked.stdout) == (0, b"")


def names(families):
    return sorted(
        sample.name for family in families for sample in family.samples
    )


def test_parsers_of_prometheus_take_both(busy):
    plain = fetch(busy.at("/metrics")).body.decode()
    openmetrics = fetch(busy.at("/metrics"), "-H", f"Accept: {OPEN}").body
    families = list(openmetrics_parser(openmetrics.decode()))
    assert names(families) == names(prometheus_parser(plain))
    by_name = {family.name: family for family in families}
    assert by_name["wsexec_run"].type == "info"
    assert by_name["wsexec_lines"].type == "counter"
    assert by_name["wsexec_lines"].samples[0].value == 300000
    assert by_name["wsexec_exit_signal"].samples[0].value == 9
    for family in families:
        assert family.documentation
        assert family.type != "unknown"
        assert family.name.endswith(family.unit)
    in_bytes = [f.name for f in families if f.name.endswith("_bytes")]
    assert in_bytes == [f.name for f in families if f.unit == "bytes"]
