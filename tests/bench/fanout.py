# SPDX-License-Identifier: ISC
"""Floods: a source as fast as the server lets it be."""

import scenario
import servers
from report import MISSED, Table, at_least, at_most, count, number
from scenario import Scenario

HEADING = "Fan-out: floods"
CLIENTS = (1, 10, 100, 1000, 5000, 10000)
LINE_BYTES = (32, 100, 1000)
DELIVERIES = 30_000_000  # at most, of one run
DELIVERED_BYTES = 5_000_000_000
LINES = 4_000_000
PEER_DELIVERIES = 500_000
RATIO_TARGET = 1.3
COST_TARGETS = {100: 0.02, 1000: 0.05}  # us a message, 100 bytes a line


def flood(clients, line_bytes):
    """One that takes about a second."""
    deliveries = min(DELIVERIES, DELIVERED_BYTES // line_bytes)
    return Scenario(clients, min(LINES, deliveries // clients), line_bytes, 0)


def cost_cell(value, clients, line_bytes):
    if line_bytes != 100 or clients not in COST_TARGETS:
        return number(value)
    return at_most(value, COST_TARGETS[clients])


def ratio_cell(ratio):
    return str(ratio) + (MISSED if ratio.median() > RATIO_TARGET else "")


def measure_pair(bench, designs, what):
    """A row's cells of a scenario, and its figures for the plot."""
    below, own = scenario.alternate(bench, designs, what)
    bench.figures.append({
        "table": "fanout", "clients": what.clients,
        "line_bytes": what.line_bytes,
        "wsexec": own.median("us_per_message"),
        "floor": below.median("us_per_message")})
    return [
        cost_cell(own.median("us_per_message"), what.clients,
                  what.line_bytes),
        number(own.median("s_per_gb")),
        number(own.median("msgs_per_s") / 1e6),
        number(below.median("us_per_message")),
        number(below.median("s_per_gb")),
        number(below.median("msgs_per_s") / 1e6),
        ratio_cell(scenario.cost_ratio(own, below)),
        ratio_cell(scenario.cost_ratio(own, below, "caused_us")),
    ], own.faults() + below.faults()


def against_floor(bench):
    table = Table(
        "wsexec and the floor",
        ["bytes", "clients", "lines", "wsexec us/msg", "s/GB", "M msg/s",
         "floor us/msg", "s/GB", "M msg/s",
         f"wsexec / floor (target {RATIO_TARGET})",
         "with the clients' kernel time"],
        "us/msg: microseconds of CPU for each message that one client gets; "
        "s/GB: seconds of CPU for 10^9 bytes of lines that clients get. On "
        "loopback one TCP does the work of both ends, and charges it now to "
        "the sender, now to the receiver: to the receiver, where sockets are "
        "full and its acknowledgements make the kernel send. The last column "
        "has all of it, for both servers.")
    designs = [bench.floor(), servers.lossless_wsexec(bench.wsexec)]
    cells = [(line_bytes, clients) for line_bytes in LINE_BYTES
             for clients in CLIENTS]
    if bench.quick:
        cells = [(100, 1), (100, 100), (100, 1000)]
    for line_bytes, clients in cells:
        what = flood(clients, line_bytes)
        row, faults = measure_pair(bench, designs, what)
        table.add(line_bytes, count(clients), count(what.lines), *row,
                  faults=faults)
    return table


def with_peers(bench, clients):
    what = Scenario(clients, PEER_DELIVERIES // clients, 100, 0)
    designs = [bench.floor(), servers.lossless_wsexec(bench.wsexec)]
    large = flood(clients, 100)
    found = scenario.alternate(bench, designs, large, runs=bench.peer_runs)
    found += scenario.alternate(bench, bench.peers(), what,
                                runs=bench.peer_runs)
    own = found[1].median("us_per_message")
    table = Table(
        f"All servers, {count(clients)} clients, lines of 100 bytes",
        ["server", "lines", "us/msg", "s/GB", "M msg/s", "times wsexec"],
        "What takes long gets fewer lines.")
    for series in found:
        cost = series.median("us_per_message")
        lines = (large if series in found[:2] else what).lines
        bench.figures.append({"table": "peers", "clients": clients,
                              "server": series.name, "us": cost})
        table.add(series.name, count(lines), number(cost),
                  number(series.median("s_per_gb")),
                  number(series.median("msgs_per_s") / 1e6),
                  number(cost / own), faults=series.faults())
    return table


def with_threads(bench):
    """What a second thread brings to the floor."""
    table = Table(
        "Threads: the floor with one sending thread, and with two",
        ["load", "1: us/msg", "M msg/s", "2: us/msg", "M msg/s",
         "msg/s, 2 / 1 (target 1.7)", "CPU, 2 / 1"],
        "With --threads the sends are in threads of their own, the reading "
        "and framing in another. At a fixed rate, deliveries are what the "
        "rate makes them; CPU is what counts.")
    designs = [bench.floor("--threads", "1", name="floor, 1 thread"),
               bench.floor("--threads", "2", name="floor, 2 threads")]
    loads = [flood(100, 100), flood(1000, 100), flood(1000, 1000),
             Scenario(1000, 3000, 100, 1000)]
    for what in loads[:1] if bench.quick else loads:
        one, two = scenario.alternate(bench, designs, what)
        faster = scenario.Ratio(two.values("msgs_per_s"),
                                one.values("msgs_per_s"))
        table.add(what, number(one.median("us_per_message")),
                  number(one.median("msgs_per_s") / 1e6),
                  number(two.median("us_per_message")),
                  number(two.median("msgs_per_s") / 1e6),
                  faster if what.rate else at_least(faster.median(), 1.7),
                  scenario.cost_ratio(two, one),
                  faults=one.faults() + two.faults())
    return table


def run(bench):
    tables = [against_floor(bench)]
    for clients in (100,) if bench.quick else (100, 1000):
        tables.append(with_peers(bench, clients))
    return tables


def run_threads(bench):
    return [with_threads(bench)]
