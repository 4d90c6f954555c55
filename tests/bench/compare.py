# SPDX-License-Identifier: ISC
"""Two builds of wsexec, by turns: what has become dearer."""

from statistics import median

import build
import ingest
import memory
import scenario
import servers
from report import Table, number
from scenario import Ratio, Scenario

IDLE_CLIENTS = 1000
FLOODS = (Scenario(1, 2_000_000, 100, 0), Scenario(100, 200_000, 100, 0),
          Scenario(1000, 20_000, 100, 0))
RATE = Scenario(100, 2000, 100, 1000)
INGEST = ((10_000_000, 10), (500_000, 1000))  # lines, bytes
NOISE = 0.1  # what is less may be chance
SURE_PAIRS = 3  # as may what only fewer say


def by_turns(bench, designs, measure, what):
    """Values of so many runs of each design."""
    found = ([], [])
    for number_of_run in range(bench.runs):
        bench.progress(f"old and new: {what}: {number_of_run + 1} of "
                       f"{bench.runs}")
        for values, design in zip(found, designs):
            values.append(measure(design))
    return found


def floods(bench, binaries):
    designs = [servers.lossless_wsexec(binary, name=name)
               for name, binary in binaries]
    for what in FLOODS:
        series = scenario.alternate(bench, designs, what)
        yield (f"{what.clients} clients, flood, us/msg",
               *(one.values("us_per_message") for one in series))


def rates(bench, binaries):
    designs = [servers.wsexec(binary, name=name) for name, binary in binaries]
    series = scenario.alternate(bench, designs, RATE)
    title = f"{RATE.clients} clients, {RATE.rate} lines/s"
    yield (f"{title}, us/msg", *(one.values("us_per_message")
                                 for one in series))
    yield f"{title}, p99 ms", *(one.values("p99_ms") for one in series)


def others(bench, binaries):
    designs = [servers.wsexec(binary, name=name) for name, binary in binaries]
    what = f"{IDLE_CLIENTS} idle clients, bytes each"
    yield what, *by_turns(
        bench, designs,
        lambda design: memory.idle(bench, design, IDLE_CLIENTS)["own_bytes"],
        what)
    for lines, line_bytes in INGEST:
        what = f"ingest, lines of {line_bytes} bytes, CPU ns/line"
        yield what, *by_turns(
            bench, designs,
            lambda design, size=(lines, line_bytes): ingest.Ingest(
                bench, design, *size).ns_per_line, what)


def run(bench, old, new):
    """Builds and measures both; returns the table."""
    table = Table(f"{new} against {old}",
                  ["what", "old", "new", "new / old (lowest to highest)", ""],
                  f"Medians of {bench.runs} runs, which take turns; more is "
                  "dearer.")
    with build.revision(old) as old_binary, \
            build.revision(new) as new_binary:
        binaries = (("old", old_binary), ("new", new_binary))
        for part in (floods, rates, others):
            for what, before, after in part(bench, binaries):
                ratio = Ratio(after, before)
                table.add(what, number(median(before)),
                          number(median(after)),
                          ratio, verdict(ratio))
    return table


def verdict(ratio):
    """Said only of what is more than chance."""
    if len(ratio.pairs) < SURE_PAIRS:
        return ""
    if ratio.median() > 1 + NOISE and ratio.pairs[0] > 1:
        return "dearer"
    if ratio.median() < 1 - NOISE and ratio.pairs[-1] < 1:
        return "cheaper"
    return ""
