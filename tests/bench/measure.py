# SPDX-License-Identifier: ISC
"""What the processes and sockets of a server cost, read from the kernel."""

import glob
import os
import pathlib
import re
import subprocess
import time

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
POLL_S = 0.005
SPAN_S = 0.2  # between readings that are to show rest
SOURCES = ("emit",)  # names of processes that are not the server's


def wait_until(condition, seconds, what):
    """Waits until condition() is true; returns its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not after {seconds:g} s: {what}")
        time.sleep(POLL_S)
    return value


def read_stat(pid):
    """Name and fields of /proc/PID/stat from the third on, or None."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    begin, end = text.index("(") + 1, text.rindex(")")
    return text[begin:end], text[end + 2:].split()


def run_time_s(pid):
    """Of all threads that are left, finer than ticks."""
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        try:
            total += int(pathlib.Path(path).read_text("ascii").split()[0])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total / 1e9


def cpu_s(pid):
    """User and system time of a process.  Ticks have the time of threads that
    are gone, too, so they are taken where they say clearly more."""
    stat = read_stat(pid)
    if stat is None:
        return 0
    ticks_s = (int(stat[1][11]) + int(stat[1][12])) / TICKS_PER_S
    fine_s = run_time_s(pid)
    return fine_s if fine_s >= ticks_s - 0.05 else ticks_s


def system_s(pid):
    """System time of a process, in ticks."""
    stat = read_stat(pid)
    return int(stat[1][12]) / TICKS_PER_S if stat else 0


def session_pids(session, without=()):
    """Processes of a session that have not ended, but for those with such
    names."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        name, fields = read_stat(pid) or (None, None)
        if fields and fields[0] != "Z" and int(fields[3]) == session \
                and name not in without:
            found.append(int(pid))
    return found


def resident_bytes(pid):
    """Exact, which VmRSS is not on every kernel; 0 of what is gone."""
    try:
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(re.search(r"^Rss: *(\d+) kB", text, re.M)[1]) * 1024


class Usage:
    """CPU time of a session from here on, without that of the source."""

    def __init__(self, session):
        self.session = session
        self.before = self.read()

    def read(self):
        pids = session_pids(self.session, SOURCES)
        return {pid: cpu_s(pid) for pid in pids}

    def seconds(self):
        return sum(
            now - self.before.get(pid, 0) for pid, now in self.read().items()
        )


def wait_until_idle(session, seconds=60):
    """Until the session takes less than a hundredth of a processor."""
    def is_idle():
        usage = Usage(session)
        time.sleep(SPAN_S)
        return usage.seconds() < SPAN_S / 100

    wait_until(is_idle, seconds, "the server is idle")


def session_resident_bytes(session):
    return sum(resident_bytes(pid) for pid in session_pids(session, SOURCES))


def settled_resident_bytes(session, seconds=60):
    """Once it no longer changes by more than a thousandth."""
    sizes = [session_resident_bytes(session)]

    def is_settled():
        time.sleep(SPAN_S)
        sizes.append(session_resident_bytes(session))
        return abs(sizes[-1] - sizes[-2]) <= sizes[-1] / 1000

    wait_until(is_settled, seconds, "the memory of the server settles")
    return sizes[-1]


def send_memory_bytes(port):
    """What the kernel holds to be sent from this port, of each socket."""
    output = subprocess.run(
        ["ss", "-Htmn", "state", "established", f"sport = :{port}"],
        check=True, capture_output=True, text=True,
    ).stdout
    return [int(found) for found in re.findall(r"skmem:\(.*?,w(\d+)", output)]
