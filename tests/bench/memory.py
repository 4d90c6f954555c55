# SPDX-License-Identifier: ISC
"""Memory of clients that do nothing, and of clients that do not read."""

import os
import statistics
import time

import clients
import measure
import scenario
import servers
from report import Table, at_most, count, number
from scenario import Scenario

HEADING = "Memory"
IDLE_TARGET = 450  # bytes of each of 10,000 clients
STALLED_TARGET = 40_000
STALL_RATE = 100_000  # lines/s, which the one that reads can keep up with
CONNECT = {10000: 2.0, 19000: None}  # seconds; None: no target
NOTHING = Scenario(0, 1, 100, 0)  # a source that never begins
FOREVER_S = 600
PING_S = 2.5  # more than two rounds
RUNS = 3
MANY_PROCESSES = "websocketd, tail -f"  # too many for 10,000 clients


def idle_swarm(bench, server, number_of_clients, *options):
    return clients.Swarm(bench.tools, server, number_of_clients, "--idle",
                         "--duration", FOREVER_S, *options)


class Growth:
    """Of a server's own memory, for each client, from when it had none."""

    def __init__(self, server, number_of_clients):
        self.server = server
        self.clients = number_of_clients
        self.before = measure.settled_resident_bytes(server.session)

    def per_client(self):
        now = measure.settled_resident_bytes(self.server.session)
        return (now - self.before) / self.clients


def idle(bench, design, number_of_clients):
    """Bytes of each of so many clients."""
    bench.progress(f"{design.name}: {number_of_clients} idle clients")
    with servers.Server(design, scenario.emit(bench.tools, NOTHING)) \
            as server:
        growth = Growth(server, number_of_clients)
        with idle_swarm(bench, server, number_of_clients) as swarm:
            swarm.wait_connected()
            own_bytes = growth.per_client()
            result = swarm.stop()
    result["own_bytes"] = own_bytes
    result["faults"] = clients.faults(result, number_of_clients, None)
    bench.note_faults(f"{design.name}, {number_of_clients} idle clients",
                      result["faults"])
    return result


def after_ping(bench, number_of_clients):
    design = servers.wsexec(bench.wsexec, "-P", "1")
    bench.progress(f"wsexec: {number_of_clients} clients, pinged")
    with servers.Server(design, scenario.emit(bench.tools, NOTHING)) \
            as server:
        growth = Growth(server, number_of_clients)
        with idle_swarm(bench, server, number_of_clients) as swarm:
            swarm.wait_connected()
            time.sleep(PING_S)
            measure.wait_until_idle(server.session)
            own_bytes = growth.per_client()
            result = swarm.stop()
    faults = clients.faults(result, number_of_clients, None)
    if result["pings"] < number_of_clients:
        faults.append(f"only {result['pings']} pings")
    bench.note_faults("wsexec, clients that are pinged", faults)
    return {"own_bytes": own_bytes, "faults": faults}


def after_talk(bench, number_of_clients):
    design = servers.wsexec(bench.wsexec)
    bench.progress(f"wsexec: {number_of_clients} clients that have talked")
    with servers.Server(design, scenario.emit(bench.tools, NOTHING)) \
            as server:
        growth = Growth(server, number_of_clients)
        talk = server.directory + "/talk"
        with idle_swarm(bench, server, number_of_clients,
                        "--talk-file", talk) as swarm:
            swarm.wait_connected()
            with open(talk, "xb"):
                pass
            measure.wait_until(lambda: not os.path.exists(talk), 10,
                               "all clients have talked")
            measure.wait_until_idle(server.session)
            own_bytes = growth.per_client()
            result = swarm.stop()
    faults = clients.faults(result, number_of_clients, None)
    bench.note_faults("wsexec, clients that talk", faults)
    return {"own_bytes": own_bytes, "faults": faults}


def own_cell(results, number_of_clients):
    value = statistics.median(one["own_bytes"] for one in results)
    if number_of_clients != 10000:
        return number(value)
    return at_most(value, IDLE_TARGET)


def idle_table(bench):
    table = Table(
        "Own memory of a client that is idle, in bytes",
        ["server", "clients", "connected", "after a ping", "after a message"],
        "Growth of the resident memory of all processes of the server, for "
        f"each client; medians of {min(RUNS, bench.runs)} runs, others once. "
        "What the processes of websocketd share is counted for each.")
    for size in (1000,) if bench.quick else (1000, 10000):
        add_idle_rows(bench, table, size)
    return table


def add_idle_rows(bench, table, size):
    runs = range(min(RUNS, bench.runs))
    own = servers.wsexec(bench.wsexec)
    kinds = [[idle(bench, own, size) for _ in runs],
             [after_ping(bench, size) for _ in runs],
             [after_talk(bench, size) for _ in runs]]
    table.add("wsexec", count(size),
              *(own_cell(results, size) for results in kinds),
              faults=faults_of(sum(kinds, [])))
    others = [bench.floor()] + ([] if bench.quick else bench.peers())
    for design in others:
        if size > 1000 and design.name == MANY_PROCESSES:
            continue
        result = idle(bench, design, size)
        table.add(design.name, count(size), number(result["own_bytes"]),
                  "-", "-", faults=result["faults"])


def faults_of(results):
    return [fault for result in results for fault in result["faults"]]


def connect_table(bench):
    table = Table("Time to connect all clients, in seconds",
                  ["clients", "wsexec", "floor"],
                  f"{clients.HANDSHAKES} handshakes are under way at once.")
    runs = min(RUNS, bench.runs)
    for size, target in CONNECT.items():
        below, own = ([idle(bench, design, size) for _ in range(runs)]
                      for design in (bench.floor(),
                                     servers.wsexec(bench.wsexec)))
        seconds, floor_s = (
            statistics.median(one["connect_s"] for one in results)
            for results in (own, below))
        table.add(count(size),
                  at_most(seconds, target) if target else number(seconds),
                  number(floor_s), faults=faults_of(own + below))
    return table


def stalled(bench, number_stalled, lines):
    """One client reads, others do not; bytes of the server's memory before
    and after, and the kernel's for each that does not read."""
    what = Scenario(1, lines, 1000, STALL_RATE)
    bench.progress(f"wsexec: {number_stalled} stalled clients, {lines} lines")
    with servers.Server(servers.wsexec(bench.wsexec),
                        scenario.emit(bench.tools, what)) as server, \
            clients.Swarm(bench.tools, server, 1, "-s", number_stalled,
                          "--line-bytes", 1000, "--duration", FOREVER_S,
                          "--sample", scenario.SAMPLE_FLOOD) as swarm:
        swarm.wait_connected()
        before = measure.session_resident_bytes(server.session)
        usage = measure.Usage(server.session)
        server.go()
        measure.wait_until(lambda: usage.seconds() > 0.01, 10, "output")
        measure.wait_until_idle(server.session)
        after = measure.session_resident_bytes(server.session)
        sizes = sorted(measure.send_memory_bytes(server.port), reverse=True)
        result = swarm.stop()
    result["complete"] = int(result["messages"] == lines)
    result["connected"] -= number_stalled
    faults = clients.faults(result, 1, lines)
    if result["stalled_open"] != number_stalled:
        faults.append(f"{result['stalled_open']} of {number_stalled} "
                      "stalled are connected")
    bench.note_faults(f"wsexec, {number_stalled} stalled clients", faults)
    kernel = statistics.mean(sizes[:number_stalled]) if number_stalled else 0
    return before, after, kernel, faults


def stalled_table(bench):
    table = Table(
        "Clients that do not read, beside one that does",
        ["stalled clients", "output MB", "own MiB before", "own MiB after",
         "kernel bytes of a stalled client"],
        "Own is the resident memory of the server: history and feed reach "
        "their bounds, whoever reads. The kernel's part is what it holds to "
        "be sent (wmem_queued of ss), without what waits at the receiver.")
    cells = [(0, 100_000), (100, 100_000), (0, 500_000), (100, 500_000),
             (1000, 500_000)]
    if bench.quick:
        cells = [(100, 100_000)]
    for number_stalled, lines in cells:
        before, after, kernel, faults = stalled(bench, number_stalled, lines)
        table.add(number_stalled, lines // 1000, number(before / 2**20),
                  number(after / 2**20),
                  at_most(kernel, STALLED_TARGET) if number_stalled else "-",
                  faults=faults)
    return table


def run(bench):
    tables = [idle_table(bench), stalled_table(bench)]
    if not bench.quick:
        tables.insert(1, connect_table(bench))
    return tables
