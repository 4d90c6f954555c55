#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Many short runs: exit statuses and signals come back as they are, every
client gets the last line and the exit, and nothing stays behind."""

import argparse
import concurrent.futures
import os
import signal
import subprocess

import soak
from soak import harness
from rawsocket import Peer

# Nothing happens to who gets them, unless he asks for it.
IGNORED = {
    signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH,
}
STOPPING = {
    signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU,
}


class Short:
    """A run that begins when its one client is there."""

    def __init__(self, *command):
        with subprocess.Popen(
            [harness.wsexec_path(), "--port", "0", "--wait-clients", "1",
             "--", *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            announced = process.stderr.readline().decode()
            port = int(announced.rstrip("/\n").rpartition(":")[2])
            peer = Peer(port).upgrade("/?format=json")
            records, self.code, self.reason = peer.read_records()
            peer.close()
            self.stdout = process.stdout.read()
            self.stderr = process.stderr.read()
        self.status = process.returncode
        self.lines = [r["text"] for r in records
                      if r["type"] == "line" and "partial" not in r]
        self.exits = [r for r in records if r["type"] == "exit"]
        self.last = records[-1]["type"]

    def is_right(self, status, ended, lines):
        """status of wsexec; ended as (code, signal) of the command."""
        code, number = ended
        reason = f"exit {code}" if number is None else f"signal {number}"
        return (
            self.status == status
            and (self.code, self.reason) == (1000, reason)
            and len(self.exits) == 1
            and self.last == "exit"
            and (self.exits[0]["code"], self.exits[0]["signal"]) == ended
            and self.exits[0]["last"] == len(lines)
            and self.lines == lines
            and self.stdout == "".join(f"{x}\n" for x in lines).encode()
            and self.stderr.removeprefix(harness.ROOT_WARNING) == b""
        )


def check_runs(verdict, name, runs):
    """runs: (command, status, ended, lines) of each."""
    def attempt(command, status, ended, lines):
        try:
            run = Short(*command)
        except Exception as error:  # pylint: disable=broad-except
            return command, repr(error)
        return command, run.is_right(status, ended, lines) or vars(run)

    good = 0
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for command, outcome in pool.map(lambda run: attempt(*run), runs):
            good += verdict.check(
                outcome is True, f"{name}: {command}: {outcome}"
            )
    print(f"{name}: {good} of {len(runs)} right", flush=True)


def status_runs():
    return [
        (["sh", "-c", f"exit {code}"], code, (code, None), [])
        for code in range(256)
    ]


def signal_runs():
    """Every signal there is, but for those that stop a process."""
    runs = []
    for number in sorted(signal.valid_signals() - STOPPING):
        command = ["sh", "-c", f"echo before; kill -{int(number)} $$"]
        if number in IGNORED:
            runs.append((command, 0, (0, None), ["before"]))
        else:
            runs.append((command, 128 + number, (None, int(number)),
                         ["before"]))
    return runs


def passed_signal_runs(verdict):
    """Signals to wsexec reach the command, which ends as it likes."""
    # Those end wsexec like the command; the others just pass.
    names = ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2"]
    good = 0
    for name in names:
        script = f"trap 'exit 41' {name}; echo ready; while :; do read _ <go;"
        with soak.wsexec("--wait-clients", "1",
                         command=["sh", "-c", f"{script} done"]) as run:
            peer = Peer(run.port).upgrade("/?format=json")
            while '"text":"ready"' not in peer.read_message():
                pass
            run.send_signal(getattr(signal, f"SIG{name}"))
            records, _, reason = peer.read_records()
            record = records[-1]
            good += verdict.check(
                run.wait() == 41 and record["code"] == 41
                and reason == "exit 41",
                f"{name} to wsexec: status {run.process.returncode},"
                f" {record}, {reason!r}",
            )
    print(f"signals passed on: {good} of {len(names)} right", flush=True)


def descriptors_of_command(verdict):
    """The command has the three descriptors, and ls one for the folder."""
    run = Short("ls", "/proc/self/fd")
    verdict.check(run.lines == ["0", "1", "2", "3"],
                  f"descriptors of the command: {run.lines}")
    print(f"descriptors of ls: {run.lines}", flush=True)


def count_zombies():
    stats = (harness.read_stat(entry) for entry in os.listdir("/proc")
             if entry.isdigit())
    return sum(stat is not None and stat[1] == "Z" and stat[2] == os.getpid()
               for stat in stats)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--runs", type=int, default=1000)
    options = parser.parse_args()
    soak.prepare()
    verdict = soak.Verdict()
    before = len(os.listdir("/proc/self/fd"))
    check_runs(verdict, "exit statuses", status_runs())
    check_runs(verdict, "signals", signal_runs())
    passed_signal_runs(verdict)
    check_runs(verdict, "runs of true",
               [(["true"], 0, (0, None), [])] * options.runs)
    check_runs(verdict, "runs of echo", [
        (["sh", "-c", "echo x"], 0, (0, None), ["x"])] * options.runs)
    descriptors_of_command(verdict)
    # We are the reaper of orphans, so that what was left is now ours.
    verdict.check(count_zombies() == 0, f"{count_zombies()} zombies")
    after = len(os.listdir("/proc/self/fd"))
    verdict.check(before == after, f"our descriptors: {before}, then {after}")
    verdict.finish()


if __name__ == "__main__":
    main()
