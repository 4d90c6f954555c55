# SPDX-License-Identifier: ISC
"""What it takes to read and keep output, whoever looks at it."""

import contextlib
import pathlib
import statistics

import clients
import measure
import servers
from report import Table, at_least, count, number

HEADING = "Ingest"
SOURCE = pathlib.Path(__file__).resolve().parent / "source.py"
GB_TARGET = 1.0  # GB/s with long lines
LINES_TARGET = 10.0  # million lines/s with short ones
LIMIT_S = 120
SHORT = 10  # bytes
FORMATS = ("/", "/raw", "/?format=json")
LARGEST_HISTORY = 8 << 30


def source(lines, line_bytes, done, *options):
    """Makes the words of the source from its gate."""
    return lambda gate: ["/usr/bin/python3", str(SOURCE), *options,
                         str(lines), str(line_bytes), gate, done]


class Ingest:
    """One run: seconds, CPU seconds, and how much that was."""

    def __init__(self, bench, design, lines, line_bytes, paths=()):
        self.lines = lines
        self.bytes = lines * (line_bytes + 1)
        with contextlib.ExitStack() as stack:
            directory = stack.enter_context(bench.scratch())
            done = pathlib.Path(directory, "done")
            server = stack.enter_context(servers.Server(
                design, source(lines, line_bytes, str(done), "--hold")))
            for path in paths:
                stack.enter_context(
                    clients.Pour(bench.tools, server.address, path))
            measure.wait_until_idle(server.session)
            usage = measure.Usage(server.session)
            server.go()
            measure.wait_until(done.exists, LIMIT_S, "end of the source")
            measure.wait_until_idle(server.session, LIMIT_S)
            self.cpu_s = usage.seconds()
            self.seconds = float(done.read_text("ascii"))

    @property
    def gb_per_s(self):
        return self.bytes / self.seconds / 1e9

    @property
    def million_lines_per_s(self):
        return self.lines / self.seconds / 1e6

    @property
    def ns_per_line(self):
        return self.cpu_s / self.lines * 1e9

    @property
    def s_per_gb(self):
        return self.cpu_s / self.bytes * 1e9


def measure_all(bench, design, lines, line_bytes, paths=()):
    found = []
    for run_number in range(bench.peer_runs):
        bench.progress(f"{design.name}: {lines} lines of {line_bytes} bytes, "
                       f"{len(paths)} formats: {run_number + 1} of "
                       f"{bench.peer_runs}")
        found.append(Ingest(bench, design, lines, line_bytes, paths))
    return found


def median(found, name):
    return statistics.median(getattr(one, name) for one in found)


COLUMNS = ["GB/s", "M lines/s", "CPU s/GB", "CPU ns/line"]


def cells(found):
    return [number(median(found, name)) for name in
            ("gb_per_s", "million_lines_per_s", "s_per_gb", "ns_per_line")]


def speed_table(bench):
    table = Table(
        "Without clients", ["server", "lines", "bytes", *COLUMNS],
        "The floor reads and frames, and keeps nothing. The source writes "
        f"blocks of 64 KiB. Medians of {bench.peer_runs} runs, here and "
        "below.")
    quick = 4 if bench.quick else 1
    own = servers.wsexec(bench.wsexec)
    for design in (own, bench.floor()):
        for lines, line_bytes in ((3_000_000, 1000), (60_000_000, SHORT)):
            found = measure_all(bench, design, lines // quick, line_bytes)
            row = cells(found)
            if design is own and line_bytes == SHORT:
                row[1] = at_least(median(found, "million_lines_per_s"),
                                  LINES_TARGET)
            elif design is own:
                row[0] = at_least(median(found, "gb_per_s"), GB_TARGET)
            table.add(design.name, count(lines // quick), count(line_bytes),
                      *row)
    return table


def series(bench, title, column, rows):
    """A table of runs that differ in one thing; rows are its value, the
    design, lines, bytes and paths."""
    table = Table(title, [column, *COLUMNS])
    for value, design, lines, line_bytes, paths in rows:
        table.add(value, *cells(measure_all(bench, design, lines, line_bytes,
                                            paths)))
    return table


def histories(own_memory_bytes):
    """What memory has room for: the largest needs as much again."""
    return [size for size in (64 << 20, 512 << 20, LARGEST_HISTORY)
            if size * 3 // 2 < own_memory_bytes]


def available_bytes():
    text = pathlib.Path("/proc/meminfo").read_text("ascii")
    for line in text.splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def run(bench):
    tables = [speed_table(bench)]
    if bench.quick:
        return tables
    own = servers.wsexec(bench.wsexec)
    tables.append(series(
        bench, "By the number of lines (of 10 bytes)", "lines",
        [(count(lines), own, lines, SHORT, ())
         for lines in (10**6, 10**7, 10**8)]))
    tables.append(series(
        bench, "By the length of lines (1 GB of them)", "bytes",
        [(count(size), own, 10**9 // (size + 1), size, ())
         for size in (10, 30, 100, 300, 1000, 3000, 10000)]))
    tables.append(series(
        bench, "By --history (9 GB in lines of 1000 bytes)", "MiB",
        [(count(size >> 20),
          servers.wsexec(bench.wsexec, "--history", str(size)),
          9_000_000, 1000, ()) for size in histories(available_bytes())]))
    tables.append(series(
        bench, "By formats in use, with a client each (300 MB, 100 bytes a "
        "line)", "formats",
        [(used, servers.lossless_wsexec(bench.wsexec), 3_000_000, 100,
          FORMATS[:used])
         for used in range(len(FORMATS) + 1)]))
    return tables
