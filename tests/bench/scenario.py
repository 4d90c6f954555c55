# SPDX-License-Identifier: ISC
"""Clients that are all connected, then a source that begins to write: one run
of it, and series of runs that alternate between servers."""

import collections
import statistics

import clients
import measure
import servers

HOLD_S = 900  # the source stays, so that the end is not measured
LATE_S = 40  # of the last line after its time, or a run has failed
FLOOD_S = 90
SAMPLE_FLOOD = 61  # looking at the time of each line would slow the clients


class Scenario(collections.namedtuple(
        "Scenario", "clients lines line_bytes rate")):
    """A flood, if the rate (lines/s) is 0."""

    def limit_s(self):
        if not self.rate:
            return FLOOD_S
        return self.lines / self.rate + LATE_S

    def __str__(self):
        speed = f"{self.rate:g} lines/s" if self.rate else "flood"
        return (f"{self.clients} clients, {speed}, {self.lines} lines of "
                f"{self.line_bytes} bytes")


def emit(tools, scenario, hold_s=HOLD_S):
    """Makes the words of the source from its gate."""
    return lambda gate: [
        str(tools / "emit"), "-l", str(scenario.lines),
        "-b", str(scenario.line_bytes), "-r", str(scenario.rate),
        "--start-file", gate, "--wait-max", "120", "--hold", str(hold_s)]


def swarm_options(scenario):
    return ["--expect", scenario.lines, "--line-bytes", scenario.line_bytes,
            "--duration", scenario.limit_s(),
            "--sample", 1 if scenario.rate else SAMPLE_FLOOD]


def run(bench, design, scenario, *options):
    """One run: what swarm says, and the cost of the server.  options are
    more of swarm's."""
    with servers.Server(design, emit(bench.tools, scenario)) as server, \
            clients.Swarm(bench.tools, server, scenario.clients,
                          *swarm_options(scenario), *options) as swarm:
        swarm.wait_connected()
        usage = measure.Usage(server.session)
        before_s = measure.system_s(swarm.process.pid)
        server.go()
        result = swarm.result()
        result["cpu_s"] = usage.seconds()
        clients_s = max(0, result["cpu_sys_s"] - before_s)
    result["faults"] = clients.faults(result, scenario.clients,
                                      scenario.lines)
    bench.note_faults(f"{design.name}, {scenario}", result["faults"])
    result["us_per_message"] = (
        result["cpu_s"] / max(1, result["messages"]) * 1e6)
    result["caused_us"] = (
        (result["cpu_s"] + clients_s) / max(1, result["messages"]) * 1e6)
    result["s_per_gb"] = result["cpu_s"] / max(1, result["bytes"]) * 1e9
    for name in ("p50", "p99", "p999"):
        result[name + "_ms"] = result["latency_us"][name] / 1e3
    return result


def alternate(bench, designs, scenario, *options, runs=None):
    """Series of runs that take turns: one for each design, in order."""
    found = [Series(design.name) for design in designs]
    runs = runs or bench.runs
    for number in range(runs):
        for design, series in zip(designs, found):
            bench.progress(f"{design.name}: {scenario}: "
                           f"{number + 1} of {runs}")
            series.results.append(run(bench, design, scenario, *options))
    return found


class Series:
    """Results of the same run, repeated."""

    def __init__(self, name):
        self.name = name
        self.results = []

    def values(self, key):
        return [result[key] for result in self.results]

    def median(self, key):
        return statistics.median(self.values(key))

    def faults(self):
        return [fault for result in self.results
                for fault in result["faults"]]


class Ratio:
    """Of two series of as many runs, pair by pair."""

    def __init__(self, above, below):
        self.pairs = sorted(
            a / b for a, b in zip(above, below) if b)

    def median(self):
        return statistics.median(self.pairs) if self.pairs else float("nan")

    def __str__(self):
        if not self.pairs:
            return "-"
        if len(self.pairs) == 1:
            return f"{self.pairs[0]:.2f}"
        return (f"{self.median():.2f} ({self.pairs[0]:.2f} to "
                f"{self.pairs[-1]:.2f})")


def cost_ratio(above, below, key="us_per_message"):
    return Ratio(above.values(key), below.values(key))
