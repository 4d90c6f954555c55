# SPDX-License-Identifier: ISC
"""Clients that come late, and get all the history there is."""

import contextlib
import pathlib
import statistics
import subprocess

import clients
import ingest
import measure
import scenario
import servers
from report import Table, judge, number
from scenario import Ratio, Scenario

HEADING = "Late joiners"
HISTORY_BYTES = 10**9
LINE_BYTES = 100
SPEED_TARGET = 0.9  # of a plain send() loop
LATENCY_TARGET = 2.0  # times the p99 without late joiners
LATE = 100
LIVE = Scenario(1000, 500, 100, 100)
LOAD_S = 60
FORMATS = (  # name, path, whether it is a WebSocket
    ("text, WebSocket", "/?follow=0", True),
    ("raw, HTTP", "/raw?follow=0", False),
    ("json, HTTP", "/?format=json&follow=0", False),
)


def history_lines(bench):
    return HISTORY_BYTES // (10 if bench.quick else 1) // (LINE_BYTES + 1)


def wsexec(bench):
    return servers.wsexec(bench.wsexec, "--history", "4G", "--linger",
                          "forever")


class Plain(contextlib.AbstractContextManager):
    """pour serve: sends so many bytes from memory to who connects."""

    def __init__(self, tools, size):
        self.process = subprocess.Popen(
            [str(tools / "pour"), "serve", "--bytes", str(size)],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        port = self.process.stdout.readline().split()[-1].rpartition(":")[2]
        self.address = "127.0.0.1:" + port

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def drain(bench, address, path, websocket=False):
    options = ["--websocket"] if websocket else []
    with clients.Pour(bench.tools, address, *options, path) as pour:
        return pour.result()


def load(server, done):
    server.go()
    measure.wait_until(done.exists, LOAD_S, "the history is there")
    measure.wait_until_idle(server.session)


def one_format(bench, server, name, path, websocket, size):
    """A row: one late joiner and a plain loop, by turns."""
    own, plain, faults = [], [], []
    for run_number in range(bench.runs):
        bench.progress(f"wsexec: late joiner, {name}: {run_number + 1} of "
                       f"{bench.runs}")
        result = drain(bench, server.address, path, websocket)
        if result["bytes"] < size:
            faults.append(f"{size - result['bytes']} bytes not delivered")
        if result["error"]:
            faults.append(result["error"])
        own.append(result)
        with Plain(bench.tools, result["bytes"]) as loop:
            plain.append(drain(bench, loop.address, "/"))
    bench.note_faults(f"wsexec, late joiner, {name}", faults)
    ours, theirs = ([result["bytes"] / result["seconds"] / 1e9
                     for result in found] for found in (own, plain))
    ratio = Ratio(ours, theirs)
    return [name, number(own[0]["bytes"] / 1e6, 4),
            number(statistics.median(r["seconds"] for r in own)),
            number(statistics.median(r["first_byte_seconds"] * 1e3
                                     for r in own)),
            number(statistics.median(ours)),
            number(statistics.median(theirs)),
            judge(ratio, ratio.median() >= SPEED_TARGET, SPEED_TARGET),
            ], faults


def one_joiner(bench):
    lines = history_lines(bench)
    table = Table(
        "One late joiner", ["format", "MB", "s", "first byte ms", "GB/s",
                            "send() loop GB/s", "wsexec / loop"],
        f"A history of {lines} lines of {LINE_BYTES} bytes; MB are those "
        "sent. What nobody reads is not kept encoded, so the encoding is in "
        "it.")
    with bench.scratch() as directory:
        done = pathlib.Path(directory, "done")
        source = ingest.source(lines, LINE_BYTES, str(done), "--hold")
        with servers.Server(wsexec(bench), source) as server:
            load(server, done)
            for one in FORMATS:
                row, faults = one_format(bench, server, *one,
                                         lines * LINE_BYTES)
                table.add(*row, faults=faults)
    return table


def history_then_live(bench, lines, done, gate):
    """Makes the words of a source that writes the history at once, and the
    live lines once the second gate is there."""
    def make(first_gate):
        history = ingest.source(lines, LINE_BYTES, done)(first_gate)
        live = scenario.emit(bench.tools, LIVE)(gate)
        return ["sh", "-c", '"$@"; exec ' + " ".join(live), "sh", *history]
    return make


def live_with_late(bench, late):
    """One run of live clients, beside so many that come late."""
    bench.progress(f"wsexec: {LIVE.clients} live clients, {late} late ones")
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(bench.scratch())
        done, gate = pathlib.Path(directory, "done"), directory + "/live"
        server = stack.enter_context(servers.Server(
            wsexec(bench), history_then_live(
                bench, history_lines(bench), str(done), gate)))
        load(server, done)
        swarm = stack.enter_context(clients.Swarm(
            bench.tools, server, LIVE.clients,
            *scenario.swarm_options(LIVE), path="/?tail=0"))
        swarm.wait_connected()
        pathlib.Path(gate).touch()
        pour = None
        if late:
            pour = stack.enter_context(clients.Pour(
                bench.tools, server.address, "--websocket", "-n", late,
                "/?follow=0"))
        result = swarm.result()
        poured = pour.stop()["bytes"] if pour else 0
    faults = clients.faults(result, LIVE.clients, LIVE.lines)
    bench.note_faults(f"wsexec, live beside {late} late", faults)
    return result["latency_us"], poured, faults


def many_joiners(bench):
    table = Table(
        f"{LIVE.clients} live clients at {LIVE.rate} lines/s, beside {LATE} "
        "late joiners",
        ["late joiners", "GB to them", "p50 ms", "p99 ms", "p99.9 ms",
         "p99, with / without"],
        "The late joiners come as the live lines begin, all at once, and "
        "read as fast as they can as long as the live lines last.")
    without, beside, poured, faults = [], [], 0, []
    for _ in range(bench.runs):
        latency, _, wrong = live_with_late(bench, 0)
        without.append(latency)
        faults += wrong
        latency, poured, wrong = live_with_late(bench, LATE)
        beside.append(latency)
        faults += wrong
    ratio = Ratio([latency["p99"] for latency in beside],
                  [latency["p99"] for latency in without])
    for late, found, size, cell in (
            (0, without, 0, "1"),
            (LATE, beside, poured / 1e9,
             judge(ratio, ratio.median() <= LATENCY_TARGET,
                   LATENCY_TARGET))):
        table.add(late, number(size), *(
            number(statistics.median(latency[name] for latency in found)
                   / 1e3) for name in ("p50", "p99", "p999")),
            cell, faults=faults)
    return table


def run(bench):
    tables = [one_joiner(bench)]
    if not bench.quick:
        tables.append(many_joiners(bench))
    return tables
