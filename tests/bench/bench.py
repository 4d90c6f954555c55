#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Measures what wsexec costs, beside the least possible and beside other
servers: the same source, the same clients, in turns.

All tables are written to tests/bench/RESULTS.md, with plots, unless --quick,
--only or --compare is given; they are printed in any case."""

import argparse
import json
import resource
import signal
import sys
import tempfile
import time

import build
import catchup
import compare
import deflate
import fanout
import ingest
import memory
import rates
import report
import servers

RUNS = 5
PEER_RUNS = 3
QUICK_S = 60
COMPARE_S = 15  # for each pair of runs
# Heading, what makes the tables, and about how many seconds that takes with
# the usual number of runs.
TABLES = {
    "fanout": (fanout.HEADING, fanout.run, 580),
    "rates": (rates.HEADING, rates.run, 420),
    "memory": (memory.HEADING, memory.run, 140),
    "late": (catchup.HEADING, catchup.run, 100),
    "deflate": (deflate.HEADING, deflate.run, 110),
    "ingest": (ingest.HEADING, ingest.run, 180),
    "threads": ("Threads", fanout.run_threads, 65),
}


class Bench:
    """What all measurements need to know, and what they find."""

    def __init__(self, options):
        self.quick = options.quick
        self.runs = options.runs or (1 if options.quick else RUNS)
        self.peer_runs = min(self.runs, PEER_RUNS)
        self.root = build.ROOT
        self.machine = report.machine()
        self.figures = []
        self.faults = []
        self.tools = build.tools()
        self.wsexec = None
        self.gorilla = None
        self.began = time.monotonic()

    def peers(self):
        if not self.gorilla:
            self.gorilla = build.gorilla()
        return servers.peers(self.gorilla)

    def floor(self, *options, name="floor"):
        return servers.floor(str(self.tools / "floor"), *options, name=name)

    def scratch(self):
        return tempfile.TemporaryDirectory(prefix="wsexec-bench-")

    def progress(self, text):
        seconds = time.monotonic() - self.began
        print(f"bench: {seconds:4.0f} s: {text}", file=sys.stderr, flush=True)

    def note_faults(self, what, faults):
        self.faults += [f"{what}: {fault}" for fault in faults]


def parse_options():
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true",
                        help="a minute's check: some of each table")
    parser.add_argument("--only", metavar="TABLE[,TABLE]",
                        help="some of " + ", ".join(TABLES))
    parser.add_argument("--runs", type=int, metavar="N",
                        help=f"of each measurement (default: {RUNS}, peers "
                             f"at most {PEER_RUNS})")
    parser.add_argument("--compare", nargs=2, metavar=("OLD", "NEW"),
                        help="two builds of wsexec, which are programs or "
                             "revisions, instead")
    parser.add_argument("--json", metavar="FILE",
                        help="write the plots' figures there, too")
    options = parser.parse_args()
    options.tables = (options.only or ",".join(TABLES)).split(",")
    for name in options.tables:
        if name not in TABLES:
            parser.error(f"no such table: {name}")
    if options.runs is not None and options.runs < 1:
        parser.error("--runs: at least 1")
    return options


def expected_s(options, bench):
    if options.compare:
        return COMPARE_S * bench.runs
    if options.quick:
        return QUICK_S * bench.runs * len(options.tables) / len(TABLES)
    return sum(TABLES[name][2] for name in options.tables) * bench.runs / RUNS


def raise_limits():
    """As many descriptors as there may be, also for what is started."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def measure_tables(options, bench):
    """Makes and prints all of them; returns headings and their tables."""
    made = []
    for name in options.tables:
        heading, run, _ = TABLES[name]
        try:
            tables = run(bench)
        except (OSError, RuntimeError) as error:
            tables = []
            bench.note_faults(heading, [str(error)])
        made.append((heading, tables))
        print(f"\n{heading}\n{'=' * len(heading)}")
        for table in tables:
            print(table.text(), flush=True)
    return made


def write_results(bench, made):
    # Only here, as it takes a second.
    import plots  # pylint: disable=import-outside-toplevel

    directory = bench.root / "tests" / "bench"
    headings = {"fanout": fanout.HEADING, "peers": fanout.HEADING,
                "rates": rates.HEADING}
    drawn = plots.draw(bench.figures, directory, headings)
    text = report.results(bench, made, drawn,
                          time.monotonic() - bench.began)
    (directory / "RESULTS.md").write_text(text, "utf-8")


def measure(options):
    raise_limits()
    bench = Bench(options)
    bench.progress(f"this takes about {expected_s(options, bench) / 60:.1f} "
                   "minutes")
    if options.compare:
        print(compare.run(bench, *options.compare).text())
    else:
        bench.wsexec = build.wsexec()
        made = measure_tables(options, bench)
        if not options.quick and not options.only:
            write_results(bench, made)
    if options.json:
        with open(options.json, "w", encoding="ascii") as file:
            json.dump(bench.figures, file, indent=1)
    for fault in bench.faults:
        print(f"bench: WRONG: {fault}", file=sys.stderr)
    return 1 if bench.faults else 0


def main():
    options = parse_options()
    # Nothing that was started is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        status = measure(options)
    except KeyboardInterrupt:
        status = 130
    except (OSError, RuntimeError) as error:
        print(f"bench: {error}", file=sys.stderr)
        status = 2
    sys.exit(status)


if __name__ == "__main__":
    main()
