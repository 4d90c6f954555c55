# SPDX-License-Identifier: ISC
"""Logs to be compressed: of compilers, and one made up."""

import os
import random
import shutil
import subprocess

MIXED_LINES = 10_000
TARGET = 0.16
WORDS = ("accepted request connection from closed timeout retry cache hit "
         "miss user session started finished worker queue job failed "
         "database query slow index table build test passed").split()


def compile_log(bench, directory, compiler):
    """Of one whole build, in order."""
    path = directory / f"{compiler} log"
    build = directory / f"build-{compiler}"
    bench.progress(f"a build with {compiler}, for its log")
    with path.open("wb") as log:
        subprocess.run(
            ["make", "-C", str(bench.root), "--no-print-directory", "V=1",
             f"CC={compiler}", f"B={build}", "all"], check=True, stdout=log,
            stderr=log, env={**os.environ, "MAKEFLAGS": ""})
    shutil.rmtree(build)
    return path


def mixed_line(chance, number):
    words = " ".join(chance.choices(WORDS, k=chance.randint(3, 10)))
    level = chance.choice(("debug", "info", "info", "info", "warning"))
    address = ".".join(str(chance.randint(1, 254)) for _ in range(4))
    return (f"2026-01-01T00:{number // 6000 % 60:02}:{number // 100 % 60:02}."
            f"{chance.randint(0, 999):03} {level} [{chance.randint(1, 64)}] "
            f"{words} {address} id={chance.getrandbits(64):016x} "
            f"took={chance.randint(1, 99999)}us\n")


def mixed_log(directory):
    chance = random.Random(1)
    path = directory / "mixed log"
    path.write_text("".join(mixed_line(chance, number)
                            for number in range(MIXED_LINES)), "ascii")
    return path


def make_all(bench, directory):
    """Pairs of a file and the target for it, or None."""
    made = [(mixed_log(directory), None)]
    if not bench.quick:
        made = [(compile_log(bench, directory, compiler), TARGET)
                for compiler in ("gcc", "clang")] + made
    return made
