# SPDX-License-Identifier: ISC
"""Compression: what it saves on the wire, and what it costs."""

import pathlib

import logs
import reader
import scenario
import servers
from report import Table, at_most, judge, number
from scenario import Scenario

HEADING = "Compression"
# 1, 10 and 100 lines a send.  With less between two sends the server would use
# what compression saves to send more often.
LATENCY_MS = 40
LOADS = (
    Scenario(1000, 75, 100, 25),
    Scenario(1000, 750, 100, 250),
    Scenario(1000, 7500, 100, 2500),
)
REPLAY = pathlib.Path(__file__).resolve().parent / "replay.py"
COST_TARGET = 1  # times plain, from so many lines a send on
LINES_TARGET = 10
SOURCES = (
    ("once", ("cat",)),
    ("1000 lines/s", ("/usr/bin/python3", str(REPLAY), "1000")),
)


def cost_table(bench):
    table = Table(
        "1000 clients, compressed and plain, lines of 100 bytes",
        ["lines/s", "messages a read", "compressed us/msg", "plain us/msg",
         "compressed / plain", "wire bytes, of plain"],
        f"With --latency {LATENCY_MS}. What a client gets by one read tells how "
        "many lines go by one send.")
    own = servers.wsexec(bench.wsexec, "--latency", str(LATENCY_MS))
    loads = LOADS[1:2] if bench.quick else LOADS
    for what in loads:
        small = scenario.Series("compressed")
        plain = scenario.Series("plain")
        for run_number in range(bench.runs):
            bench.progress(f"wsexec: compressed and plain: {what}: "
                           f"{run_number + 1} of {bench.runs}")
            small.results.append(compressed(bench, own, what))
            plain.results.append(scenario.run(bench, own, what))
        ratio = scenario.cost_ratio(small, plain)
        a_read = plain.median("frames") / max(1, plain.median("reads"))
        judged = ratio if a_read < LINES_TARGET else judge(
            ratio, ratio.median() < COST_TARGET, COST_TARGET)
        table.add(what.rate, number(a_read),
                  number(small.median("us_per_message")),
                  number(plain.median("us_per_message")),
                  judged,
                  number(small.median("wire_bytes")
                         / plain.median("wire_bytes")),
                  faults=small.faults() + plain.faults())
    return table


def compressed(bench, design, what):
    """One run, in which all clients must have got what they asked for."""
    result = scenario.run(bench, design, what, "--deflate")
    if not result.get("compressed_messages"):
        wrong = ["nothing was compressed"]
        result["faults"] += wrong
        bench.note_faults(f"{design.name}, compressed, {what}", wrong)
    return result


def wire_bytes(bench, path, *source):
    """What a log takes on the wire, compressed and plain, in one run of
    which both clients see all."""
    design = servers.wsexec(bench.wsexec, "--wait-clients", "2")
    with servers.Server(design, lambda gate: [*source, str(path)]) as server:
        small = reader.Reader(server.port, deflate=True)
        plain = reader.Reader(server.port, deflate=False)
        faults = [f"{name}: {fault}" for name, one in
                  (("compressed", small), ("plain", plain))
                  for fault in one.faults(path.read_bytes())]
    if small.wire_bytes >= plain.wire_bytes:
        faults.append("nothing was compressed")
    bench.note_faults(f"wsexec, {path.name}", faults)
    return small.wire_bytes, plain.wire_bytes, faults


def log_table(bench):
    table = Table(
        "Bytes on the wire for whole logs",
        ["log", "lines", "bytes", "at", "plain", "compressed",
         "compressed / plain"],
        "Each message is compared with its line. Compile logs are those of "
        "make V=1 of wsexec; the mixed one is made up of words, times, "
        "addresses and numbers, by chance.")
    with bench.scratch() as directory:
        for path, target in logs.make_all(bench, pathlib.Path(directory)):
            lines = path.read_bytes().count(b"\n")
            for pace, source in SOURCES[:1] if bench.quick else SOURCES:
                bench.progress(f"wsexec: {path.name}, at {pace}")
                small, plain, faults = wire_bytes(bench, path, *source)
                share = small / plain
                table.add(path.name, lines, path.stat().st_size, pace, plain,
                          small, at_most(share, target) if target
                          else number(share), faults=faults)
    return table


def run(bench):
    return [cost_table(bench), log_table(bench)]
