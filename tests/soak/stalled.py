#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Many clients that read, beside some that do not.

The readers must get every line and the exit, in bounded memory, and without
waiting for the others.  Then those read, too: what they get must be lines and
gap records without a hole, to the last line and the exit.

The command writes no faster than the readers read (--ahead), so that they
never fall off the history, while those that do not read do."""

import argparse
import os
import signal
import threading
import time

import soak
from soak import MIB, harness

SAMPLE_S = 0.05
LAST_STATUS = 7
NEVER_S = 100_000  # longer than anything here
JSON_EXTRA = 100  # bytes a json record has more than its line, at most


class Source(threading.Thread):
    """Writes a file to a FIFO, so many bytes ahead of the slowest reader."""

    def __init__(self, fifo, data, ahead):
        super().__init__(daemon=True)
        self.fifo = fifo
        self.data = data
        self.ahead = ahead
        self.allowed = ahead
        self.changed = threading.Condition()
        self.seconds = None

    def note_progress(self, done):
        with self.changed:
            self.allowed = done + self.ahead
            self.changed.notify()

    def run(self):
        at = 0
        began = time.monotonic()
        with open(self.fifo, "wb", buffering=0) as fifo:
            while at < len(self.data):
                with self.changed:
                    self.changed.wait_for(lambda: self.allowed > at)
                    end = min(self.allowed, len(self.data), at + MIB)
                at += fifo.write(self.data[at:end])
        self.seconds = time.monotonic() - began


class MemorySampler(threading.Thread):
    """The most VmRSS seen while it runs."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid = pid
        self.most_kib = 0
        self.stopped = threading.Event()

    def run(self):
        stopped = False
        while not stopped:
            stopped = self.stopped.wait(SAMPLE_S)
            try:
                now = soak.memory_kib(self.pid, "VmRSS")
            except (OSError, AssertionError):  # it has ended
                return
            self.most_kib = max(self.most_kib, now)

    def stop(self):
        self.stopped.set()
        self.join()
        return self.most_kib


def make_lines(path, size, line_size):
    count = size // line_size
    filler = b"." * (line_size - 13)
    with open(path, "wb") as file:
        for number in range(1, count + 1):
            file.write(b"%011d %b\n" % (number, filler))
    return count


def check_readers(verdict, results, options, lines):
    wanted_end = f"close 1000 exit {LAST_STATUS}"
    good = 0
    for result in results:
        right = (
            result["ended"] == wanted_end and result["different_at"] is None
        )
        if options.format == "text":
            right = right and result["messages"] == lines
            right = right and result["bytes"] == lines * options.line_size - 1
        else:
            right = right and is_dense(result, lines) and not result["gaps"]
        good += verdict.check(right, f"a reader got {result}")
    return good


def is_dense(result, lines):
    """Lines and gaps without a hole, and the exit."""
    return (
        result["disorder"] == 0
        and result["first"] == 1
        and result["next"] == lines + 1
        and result["lines"] + result["missing"] == lines
        and result["exit"] is not None
        and result["exit"]["code"] == LAST_STATUS
        and result["exit"]["last"] == lines
    )


def check_held(verdict, results, lines):
    good = 0
    for result in results:
        good += verdict.check(
            result["ended"] == f"close 1000 exit {LAST_STATUS}"
            and result["different_at"] is None
            and is_dense(result, lines),
            f"one that had not read got {result}",
        )
    return good


def report_memory(verdict, run, sampled_kib, options):
    """The bound is the history for each feed in use, and 64 MiB."""
    feeds = {"json"} if options.held else set()
    feeds.add(options.format)
    history = soak.parse_size(options.history) // 1024
    peak = soak.memory_kib(run.pid, "VmHWM")
    now = soak.memory_kib(run.pid, "VmRSS")
    bound = history * len(feeds) + 64 * 1024
    with_journal = history * (len(feeds) + 1) + 64 * 1024
    print(
        f"memory: VmRSS {now // 1024} MiB, at most {sampled_kib // 1024},"
        f" VmHWM {peak // 1024}; {len(feeds)} feeds:"
        f" bound {bound // 1024} MiB, with the journal"
        f" {with_journal // 1024}", flush=True,
    )
    verdict.check(
        peak < bound or harness.is_sanitized(),
        f"{peak} KiB is more than {bound}",
    )


def measure(verdict, run, source, lines, options):
    """Readers and others; the command begins when all are there."""
    def note_progress(done):
        if options.format == "json":
            done = done * options.line_size // (
                options.line_size + JSON_EXTRA)
        source.note_progress(done)

    compare = ["--compare", str(source.path), "--line-size",
               str(options.line_size), "--no-digest",
               "--timeout", str(options.timeout)]
    held = soak.Crowd(run, ["json 0 0 stay"] * options.held, "--hold",
                      *compare)
    readers = soak.Crowd(
        run, [f"{options.format} 0 0 stay"] * options.readers, "--progress",
        *compare, on_progress=note_progress,
    )
    sampler = MemorySampler(run.pid)
    sampler.start()
    began = time.monotonic()
    source.start()
    results = readers.wait()
    seconds = time.monotonic() - began
    sampled_kib = sampler.stop()
    good = check_readers(verdict, results, options, lines)
    delivered = len(source.data) * options.readers / MIB / seconds
    print(f"readers: {good} of {options.readers} have all {lines} lines and"
          f" the exit, after {seconds:.1f} s ({delivered:.0f} MiB/s)",
          flush=True)
    report_memory(verdict, run, sampled_kib, options)
    readers.close()
    release(verdict, run, held, lines)


def release(verdict, run, held, lines):
    """Lets those read that have not."""
    sampler = MemorySampler(run.pid)
    sampler.start()
    began = time.monotonic()
    held.send_signal(signal.SIGUSR1)
    results = held.wait()
    seconds = time.monotonic() - began
    good = check_held(verdict, results, lines)
    gaps = sorted({result["gaps"] for result in results})
    missing = sorted({result["missing"] for result in results})
    print(f"others: {good} of {len(results)} exact to the exit, after"
          f" {seconds:.1f} s; gap records each: {gaps}, lines missing:"
          f" {missing[:1]} to {missing[-1:]}; for example"
          f" {results[0]['gap'] if results else None}", flush=True)
    print(f"memory: at most {sampler.stop() // 1024} MiB", flush=True)
    verdict.check(
        all(result["gaps"] for result in results),
        "somebody had no gap: choose a smaller --history",
    )
    held.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--readers", type=int, default=1000)
    parser.add_argument("--held", type=int, default=100,
                        help="clients that do not read")
    parser.add_argument("--format", default="text", choices=["text", "json"],
                        help="of the readers; the others have json")
    parser.add_argument("--bytes", default="500000000")
    parser.add_argument("--line-size", type=int, default=1000)
    parser.add_argument("--history", default="400M")
    parser.add_argument("--ahead", default="64M",
                        help="of the command before the slowest reader")
    parser.add_argument("--timeout", type=int, default=3600)
    options = parser.parse_args()
    soak.prepare()
    verdict = soak.Verdict()
    with soak.directory() as path:
        lines = make_lines(path / "lines", soak.parse_size(options.bytes),
                           options.line_size)
        os.mkfifo(path / "fifo")
        source = Source(path / "fifo", (path / "lines").read_bytes(),
                        soak.parse_size(options.ahead))
        source.path = path / "lines"
        with soak.wsexec(
            "--quiet", "--history", options.history,
            "--wait-clients", str(options.readers + options.held),
            "--stall-timeout", str(NEVER_S), "--drain", str(NEVER_S),
            command=["sh", "-c", f'cat "$1"; exit {LAST_STATUS}', "sh",
                     str(path / "fifo")],
        ) as run:
            measure(verdict, run, source, lines, options)
            # Longer than the harness waits, if memory is to be freed.
            harness.TIMEOUT_S = options.timeout
            status = run.wait()
            verdict.check(status == LAST_STATUS, f"status {status}")
    verdict.finish()


if __name__ == "__main__":
    main()
