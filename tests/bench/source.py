#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""source.py LINES LINE_BYTES GATE DONE

Writes equal lines as fast as the pipe takes them, once GATE is there, and to
DONE how many seconds that took.  Then it ends, or waits for a signal if there
is --hold.  It takes nothing to make the lines, so that not the source but its
reader is measured."""

import os
import signal
import sys
import time

BLOCK_BYTES = 65536
POLL_S = 0.002


def write_all(data):
    while data:
        data = data[os.write(1, data):]


def write_lines(lines, line_bytes):
    line = b"x" * line_bytes + b"\n"
    in_block = max(1, BLOCK_BYTES // len(line))
    block = memoryview(line * in_block)
    while lines >= in_block:
        write_all(block)
        lines -= in_block
    write_all(block[:lines * len(line)])


def main():
    arguments = [word for word in sys.argv[1:] if word != "--hold"]
    lines, line_bytes, gate, done = arguments
    # By this name those who measure the server know what is not the server.
    with open("/proc/self/comm", "w", encoding="ascii") as file:
        file.write("emit")
    while not os.path.exists(gate):
        time.sleep(POLL_S)
    began = time.monotonic()
    write_lines(int(lines), int(line_bytes))
    seconds = time.monotonic() - began
    with open(done + ".new", "w", encoding="ascii") as file:
        file.write(f"{seconds}\n")
    os.rename(done + ".new", done)
    if "--hold" in sys.argv:
        signal.pause()


if __name__ == "__main__":
    main()
