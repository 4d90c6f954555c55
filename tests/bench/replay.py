#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""replay.py RATE FILE

Writes the lines of a file, so many a second."""

import sys
import time


def main():
    rate = float(sys.argv[1])
    began = time.monotonic()
    with open(sys.argv[2], "rb") as file:
        for number, line in enumerate(file):
            wait_s = began + number / rate - time.monotonic()
            if wait_s > 0:
                time.sleep(wait_s)
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
