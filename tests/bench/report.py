# SPDX-License-Identifier: ISC
"""Tables, on the terminal and in RESULTS.md, and what they were measured
with."""

import os
import pathlib
import re
import subprocess
import textwrap
import time

NOTE_COLUMNS = 79
MISSED = ", **missed**"
METHOD = """\
All servers run the same command, `emit`, which prints numbered lines with the
time in them; the same program, `swarm`, is all the clients, and checks that
each of them gets every line once, in order, in its length. All clients are
connected before the first line. Server, source and clients share the machine,
over loopback, where sending includes most of the receiver's TCP work.

- CPU is user and system time of the whole session of the server (with the
  helpers it needs, such as nchan's publisher) without `emit`, until the last
  client has its last line.
- `floor` is the least that a server with one thread can do: it frames each
  line once in a ring, and sends each client what is new, once a round.
- Figures are medians of {runs} runs ({peer_runs} of peers), which take turns:
  floor, wsexec, floor, wsexec. Ratios are medians of those of such pairs,
  with the lowest and the highest behind them.
- Latency is from when `emit` makes a line to when `swarm` has received it.
- In floods, wsexec runs with `--slow block`, so that the source waits for
  clients as it does with the floor.
"""


def number(value, digits=3):
    """With so many digits that count, and no exponent."""
    if value != value:
        return "-"
    text = f"{value:.{digits}g}"
    return f"{float(text):.0f}" if "e" in text else text


def count(value):
    return f"{value:,.0f}"


def judge(text, is_met, target):
    """A figure with its target, and whether it is missed."""
    return f"{text} (target {number(target)}{'' if is_met else MISSED})"


def at_most(value, target):
    return judge(number(value), value <= target, target)


def at_least(value, target):
    return judge(number(value), value >= target, target)


class Table:
    def __init__(self, title, columns, note=""):
        self.title = title
        self.columns = columns
        self.rows = []
        self.note = note

    def add(self, *cells, faults=()):
        """A row; what went wrong goes to its last cell."""
        cells = [str(cell) for cell in cells]
        if faults:
            cells[-1] += " **LOST**: " + "; ".join(sorted(set(faults)))
        assert len(cells) == len(self.columns), cells
        self.rows.append(cells)

    def text(self):
        rows = [[cell.replace("**", "") for cell in row]
                for row in self.rows]
        body = "\n".join(align([self.columns, *rows], "", "  ", ""))
        note = textwrap.fill(self.note, NOTE_COLUMNS)
        return f"\n{self.title}\n\n{body}\n\n{note}".rstrip() + "\n"

    def markdown(self):
        body = "\n".join(align([self.columns, *self.rows],
                               "| ", " | ", " |"))
        note = textwrap.fill(self.note, NOTE_COLUMNS)
        return f"### {self.title}\n\n{body}\n\n{note}".rstrip() + "\n"


def align(rows, left, between, right):
    """Lines of a table, whose first row is its head."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    rule = ["-" * width for width in widths]
    for row in [rows[0], rule, *rows[1:]]:
        cells = [cell.ljust(width) for cell, width in zip(row, widths)]
        yield (left + between.join(cells) + right).rstrip()


def first_line(*words):
    try:
        output = subprocess.run(words, capture_output=True, text=True,
                                check=False)
    except FileNotFoundError:
        return "-"
    lines = (output.stdout + output.stderr).strip().splitlines()
    return lines[0] if lines else "-"


def read_line(path, pattern="(.*)"):
    text = pathlib.Path(path).read_text("ascii", "replace")
    found = re.search(pattern, text, re.M)
    return found[1].strip() if found else "-"


def package(name):
    return first_line("dpkg-query", "-W", "-f", "${Package} ${Version}", name)


def machine():
    memory = int(read_line("/proc/meminfo", r"MemTotal: *(\d+)")) / 2**20
    return {
        "Processor": f"{os.cpu_count()} of "
                     + read_line("/proc/cpuinfo", "model name.*: (.*)"),
        "Memory": f"{memory:.0f} GiB",
        "System": read_line("/etc/os-release", 'PRETTY_NAME="(.*)"')
                  + ", Linux " + os.uname().release,
        "TCP": read_line("/proc/sys/net/ipv4/tcp_congestion_control")
               + ", buffers "
               + read_line("/proc/sys/net/ipv4/tcp_wmem").replace("\t", "/"),
        "Load before": f"{os.getloadavg()[0]:.2f}",
    }


def versions(root):
    packages = ["golang-go", "golang-github-gorilla-websocket-dev", "nodejs",
                "node-ws", "python3", "python3-websockets", "websocketd",
                "nginx", "libnginx-mod-nchan", "libevent-core-2.1-7",
                "zlib1g"]
    return {
        "wsexec": first_line("git", "-C", str(root), "describe", "--always",
                             "--dirty"),
        "Compiler": first_line("cc", "--version"),
        "Packages": ", ".join(map(package, packages)),
    }


def results(bench, tables, plots, seconds):
    """The text of RESULTS.md."""
    facts = {"Date": time.strftime("%Y-%m-%d"), **bench.machine,
             **versions(bench.root),
             "Took": f"{seconds / 60:.0f} minutes"}
    parts = ["# Results of scripts/bench\n",
             "Made by `scripts/bench`; do not edit.\n",
             "\n".join(f"- {name}: {value}" for name, value in facts.items())
             + "\n",
             "## Method\n",
             METHOD.format(runs=bench.runs, peer_runs=bench.peer_runs)]
    for heading, some in tables:
        parts.append(f"## {heading}\n")
        parts += [f"![{text}]({name})\n" for where, name, text in plots
                  if where == heading]
        parts += [table.markdown() for table in some]
    if bench.faults:
        parts += ["## What went wrong\n", "\n".join(
            f"- {fault}" for fault in bench.faults) + "\n"]
    return "\n".join(parts)
