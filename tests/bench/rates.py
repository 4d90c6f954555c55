# SPDX-License-Identifier: ISC
"""Sources with so many lines a second, and how late the lines come."""

import scenario
import servers
from report import Table, at_most, count, judge, number
from scenario import Scenario

HEADING = "Fixed rates"
# Targets: CPU us a message, or None where it is the floor's; p99 ms.
LOADS = (
    (Scenario(100, 3000, 100, 1000), 1.3, 10),
    (Scenario(1000, 300, 100, 100), None, None),
    (Scenario(1000, 3000, 100, 1000), 0.7, None),
)
PEER_LINES = 1000  # at most: they are behind for long after so many
LONE = Scenario(100, 24, 100, 4)
LONE_TARGET = 1.2  # of p99, times the floor's


def shorter(what, lines):
    return what._replace(lines=min(what.lines, lines))


def cost_cell(series, floor, target):
    cost = series.median("us_per_message")
    if series.name != "wsexec":
        return number(cost)
    return at_most(cost, target or floor.median("us_per_message"))


def ratio_cell(series, floor):
    """Peers do not take turns with the floor."""
    if series.name == "wsexec":
        return scenario.cost_ratio(series, floor)
    return number(series.median("us_per_message")
                  / floor.median("us_per_message"))


def p99_cell(series, target):
    value = series.median("p99_ms")
    if series.name != "wsexec" or target is None:
        return number(value)
    return at_most(value, target)


def one_rate(bench, what, cost_target, p99_target):
    designs = [bench.floor(), servers.wsexec(bench.wsexec)]
    found = scenario.alternate(bench, designs, what)
    floor = found[0]
    if not bench.quick:
        found += scenario.alternate(
            bench, bench.peers(), shorter(what, PEER_LINES),
            runs=bench.peer_runs)
    table = Table(
        f"{count(what.clients)} clients, {count(what.rate)} lines/s",
        ["server", "us/msg", "times floor", "thousand msg/s", "p50 ms",
         "p99 ms", "p99.9 ms"])
    for series in found:
        bench.figures.append({"table": "rates", "load": table.title,
                              "server": series.name,
                              "us": series.median("us_per_message")})
        table.add(series.name, cost_cell(series, floor, cost_target),
                  ratio_cell(series, floor),
                  number(series.median("msgs_per_s") / 1e3),
                  number(series.median("p50_ms")),
                  p99_cell(series, p99_target),
                  number(series.median("p999_ms")), faults=series.faults())
    return table


def lone_line(bench):
    what = LONE._replace(lines=8) if bench.quick else LONE
    designs = [bench.floor(), servers.wsexec(bench.wsexec)]
    below, own = scenario.alternate(bench, designs, what)
    ratio = scenario.Ratio(own.values("p99_ms"), below.values("p99_ms"))
    table = Table(
        f"A lone line to {what.clients} clients, {what.rate} a second",
        ["server", "p50 ms", "p99 ms", "p99.9 ms", "p99, times floor"],
        "The line after a quiet spell does not wait to be collected with "
        "others.")
    for series in (below, own):
        cell = "1"
        if series is own:
            cell = judge(ratio, ratio.median() <= LONE_TARGET, LONE_TARGET)
        table.add(series.name, number(series.median("p50_ms")),
                  number(series.median("p99_ms")),
                  number(series.median("p999_ms")), cell,
                  faults=series.faults())
    return table


def run(bench):
    loads = LOADS[:1] if bench.quick else LOADS
    if bench.quick:
        loads = [(shorter(what, 1500), *rest) for what, *rest in loads]
    return [one_rate(bench, *load) for load in loads] + [lone_line(bench)]
