#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Whether every client gets every byte of big, long, odd and short outputs,
however many join and leave at random meanwhile.

Each repeat starts wsexec with one output and a crowd of clients (client.c),
half raw and half text.  Some are there before the command starts, the others
join at random; some leave at random, and what they got until then must be
the exact beginning.  Clients of other people (curl; Node's ws; for small
outputs Python's, too) and the local copy are held against the same.

Every other repeat goes on serving at the end (--linger), so that latecomers
get it all from the history; in the others those who come too late are
refused."""

import argparse
import asyncio
import concurrent.futures
import hashlib
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import soak
from soak import harness
from rawsocket import Peer
from viewers import take_aiohttp, take_websocket_client, take_websockets

MAX_LINE = 65536
SMALL = 1_000_000
TIMEOUT_S = 600  # for one client
LATE_BYTES_A_SECOND = 20_000_000  # joins are spread as if that were served

# Joined as client.c does: pieces of a long line without newline.
NODE_CLIENT = """
const WebSocket = require('ws');
const hash = require('crypto').createHash('sha256');
const socket = new WebSocket(process.argv[1], { maxPayload: 0 });
const most = Number(process.argv[2]);
let bytes = 0, before = null;
const add = (data) => { hash.update(data); bytes += data.length; };
socket.on('message', (data) => {
    if (before !== null && !(before >= most - 3 && before <= most))
        add('\\n');
    add(data);
    before = data.length;
});
socket.on('close', (code, reason) => {
    console.log(bytes, hash.digest('hex'), code, reason.toString());
});
"""


def compile_log(size, randomness):
    """What a build prints: long commands, diagnostics, colours."""
    while size > 0:
        name = randomness.randbytes(5).hex()
        flags = " ".join(
            f"-D{randomness.randbytes(6).hex().upper()}={i}"
            for i in range(randomness.randrange(10, 40))
        )
        part = f"gcc -O2 {flags} -c -o {name}.o ../src/{name}.c\n"
        if randomness.random() < 0.2:
            part += (
                f"../src/{name}.c:17:3: \x1b[1;35mwarning:\x1b[0m unused"
                f" variable ‘{name}’\r\n\t   int {name};\n\n"
            )
        data = part.encode()
        size -= len(data)
        yield data


def single_line(size, randomness):
    characters = "abc def/é€😀"
    unit = "".join(randomness.choices(characters, k=10007)).encode()
    for _ in range(size // len(unit)):
        yield unit
    yield b"\n"


class Output:
    """A command's output: what it is to be, and hashes of it."""

    def __init__(self, name, path, command=None, text=True, short=False):
        self.name = name
        self.command = command or ["cat", str(path)]
        self.text = text
        self.short = short  # over before latecomers could come
        self.data = pathlib.Path(path).read_bytes()
        self.raw = hashlib.sha256(self.data).hexdigest()
        stripped = self.data.removesuffix(b"\n")
        self.text_size = len(stripped)
        self.joined = hashlib.sha256(stripped).hexdigest()
        self.lines = self.data.count(b"\n") + (
            self.data[-1:] not in (b"", b"\n")
        )
        self.has_pieces = any(
            len(line) > MAX_LINE for line in self.data.split(b"\n")
        )

    def prefixes(self, sizes):
        """{size: sha256 of so many bytes}"""
        found = {}
        digest = hashlib.sha256()
        at = 0
        view = memoryview(self.data)
        for size in sorted(set(sizes)):
            digest.update(view[at:size])
            at = size
            found[size] = digest.copy().hexdigest()
        return found


def make_outputs(path, scale):
    def write(name, parts):
        with open(path / name, "wb") as file:
            for part in parts:
                file.write(part)
        return path / name

    def scaled(size):
        return max(int(size * scale), 1000)

    rng = random.Random(1)
    last = scaled(1_000_000)
    return [
        Output("compile-log", write(
            "compile-log", compile_log(scaled(100_000_000), rng))),
        Output("million-lines", write(
            "million-lines", (b"%d\n" % i for i in range(1, last + 1))),
            command=["seq", str(last)]),
        Output("single-line", write(
            "single-line", single_line(scaled(50_000_000), rng))),
        Output("random-binary", write(
            "random-binary", [rng.randbytes(scaled(20_000_000))]),
            text=False),
        Output("no-newline", write(
            "no-newline", [*compile_log(scaled(5_000_000), rng), b"the end"])),
        Output("brief", write("brief", [b"one\n\n", "zwölf\n".encode()]),
            short=True),
    ]


class Client:
    """One line of a plan."""

    def __init__(self, randomness, output, index, late):
        self.format = "text" if output.text and index % 2 else "raw"
        self.delay_ms = 0
        if late:
            spread = 0.3 + len(output.data) / LATE_BYTES_A_SECOND
            self.delay_ms = 100 + int(randomness.uniform(0, spread * 1000))
        size = len(output.data) if self.format == "raw" else output.text_size
        self.leave = 0
        self.how = "stay"
        if randomness.random() < 0.3:
            self.leave = randomness.randrange(1, size)
            self.how = randomness.choice(["drop", "close"])

    def __str__(self):
        return f"{self.format} {self.delay_ms} {self.leave} {self.how}"


def run_curl(url):
    """curl's status, and the hash of what it wrote."""
    digest = hashlib.sha256()
    with subprocess.Popen(
        ["curl", "-sSN", "--max-time", str(TIMEOUT_S), url],
        stdout=subprocess.PIPE,
    ) as process:
        while data := process.stdout.read1(1 << 20):
            digest.update(data)
    return process.returncode, digest.hexdigest()


def run_node(url):
    """The code and reason of the close frame, and the hash."""
    shown = subprocess.run(
        ["node", "-e", NODE_CLIENT, url, str(MAX_LINE)],
        env={**os.environ, "NODE_PATH": "/usr/share/nodejs"},
        stdout=subprocess.PIPE, check=True, timeout=TIMEOUT_S,
    ).stdout.decode().split(None, 2)
    return shown[2].strip(), shown[1]


def run_python(take, url):
    taken = take(url, None)
    if asyncio.iscoroutine(taken):
        taken = asyncio.run(taken)
    digest = hashlib.sha256()
    before = None
    for message in taken:
        data = message.encode()
        if before is not None and not MAX_LINE - 3 <= before <= MAX_LINE:
            digest.update(b"\n")
        digest.update(data)
        before = len(data)
    return "", digest.hexdigest()


def strangers_of(output, run):
    """Clients of other people: (name, function, how it is to end, hash)."""
    web = run.at("/", "ws")
    found = [("curl", lambda: run_curl(run.at("/raw")), 0, output.raw)]
    if output.text:
        found.append(
            ("node", lambda: run_node(web), "1000 exit 0", output.joined)
        )
    if output.text and len(output.data) < SMALL:
        for take in (take_websockets, take_aiohttp, take_websocket_client):
            found.append((
                take.__name__, lambda take=take: run_python(take, web), "",
                output.joined,
            ))
    return found


class Tally:
    """A row of the table."""

    def __init__(self, verdict):
        self.verdict = verdict
        self.stayed = self.left = self.others = self.copies = 0
        self.refused = self.different = 0
        self.seconds = 0.0  # the longest run of the command

    def check(self, right, what):
        self.different += not self.verdict.check(right, what)


def check_client(tally, output, client, result, prefixes, may_refuse):
    """Whether a client of the crowd got what it was to get."""
    label = f"{output.name}: client '{client}' got {result}"
    if result["ended"] == "refused" and may_refuse and client.delay_ms:
        tally.refused += 1
        return
    if client.leave:
        tally.left += 1
        tally.check(
            result["ended"].startswith("left")
            and result["bytes"] == client.leave
            and result["sha256"] == prefixes[client.leave],
            label,
        )
        return
    tally.stayed += 1
    if client.format == "raw":
        tally.check(
            result["ended"] == "last chunk"
            and result["sha256"] == output.raw,
            label,
        )
        return
    tally.check(
        result["ended"] == "close 1000 exit 0"
        and result["sha256"] == output.joined
        and (output.has_pieces or result["messages"] == output.lines),
        label,
    )


def check_crowd(tally, output, clients, results, may_refuse):
    prefixes = output.prefixes(client.leave for client in clients)
    tally.check(len(clients) == len(results), f"{len(results)} results")
    for client, result in zip(clients, results):
        check_client(tally, output, client, result, prefixes, may_refuse)


def make_clients(randomness, output, count, lingers):
    clients = []
    for index in range(count):
        late = randomness.random() < 0.5
        if output.short and not lingers:
            late = False
        clients.append(Client(randomness, output, index, late))
    return clients


def count_strangers(output):
    return 1 + output.text + 3 * (output.text and len(output.data) < SMALL)


def wait_clients(run, count):
    harness.wait_until(
        lambda: run.log.bytes.count(b": gets output\n") >= count,
        f"{count} clients",
    )


def watch_seconds(peer):
    """How long the command ran; peer is a client of json."""
    records = peer.read_records()[0]
    peer.close()
    return [r["seconds"] for r in records if r["type"] == "exit"][0]


def attend(output, run, clients):
    """Clients of all kinds at once: what the crowd's got, and the strangers
    with what they got; and how long the command ran."""
    watcher = Peer(run.port).upgrade("/?format=json&stream=stderr")
    strangers = strangers_of(output, run)
    with concurrent.futures.ThreadPoolExecutor(len(strangers)) as pool:
        futures = [pool.submit(stranger[1]) for stranger in strangers]
        # Lest a latecomer is counted for one that is slow to start.
        wait_clients(run, 1 + len(strangers))
        crowd = soak.Crowd(run, clients, "--pieces", str(MAX_LINE))
        seconds = watch_seconds(watcher)
        results = crowd.wait()
        crowd.close()
        got = [future.result() for future in futures]
    return results, list(zip(strangers, got)), seconds


def repeat(tally, output, randomness, options, lingers):
    clients = make_clients(randomness, output, options.clients, lingers)
    waited = sum(client.delay_ms == 0 for client in clients)
    arguments = ["--verbose", "--history", options.history, "--drain", "60",
                 "--wait-clients", str(waited + count_strangers(output) + 1)]
    if lingers:
        arguments += ["--linger", "forever"]
    with soak.wsexec(*arguments, command=output.command) as run:
        results, strangers, seconds = attend(output, run, clients)
        if lingers:
            run.stdout.wait_for(output.data[-100:])
            run.send_signal(signal.SIGTERM)
        status = run.wait()
        copy = hashlib.sha256(run.stdout.wait_end()).hexdigest()
    tally.seconds = max(tally.seconds, seconds)
    check_crowd(tally, output, clients, results, not lingers)
    for (name, _, *wanted), got in strangers:
        tally.others += 1
        tally.check(
            list(got) == wanted,
            f"{output.name}: {name} got {got}, not {wanted}",
        )
    tally.copies += 1
    tally.check(
        status == 0 and copy == output.raw,
        f"{output.name}: status {status}, local copy {copy}",
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--history", default="1G")
    parser.add_argument("--scale", type=float, default=1.0,
                        help="1: outputs of full size")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("output", nargs="*", help="only these")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.randrange(1 << 32)
    soak.prepare()
    verdict = soak.Verdict()
    print(f"seed {options.seed}, {options.repeats} repeats,"
          f" {options.clients} clients", flush=True)
    print(f"{'output':14} {'bytes':>11} {'stayed':>7} {'left':>6}"
          f" {'refused':>7} {'others':>6} {'copies':>6} {'different':>9}"
          f" {'longest run':>11} {'all':>7}", flush=True)
    with soak.directory() as path:
        for output in make_outputs(path, options.scale):
            if options.output and output.name not in options.output:
                continue
            began = time.monotonic()
            tally = Tally(verdict)
            for index in range(options.repeats):
                seed = f"{options.seed} {output.name} {index}"
                repeat(tally, output, random.Random(seed), options,
                       lingers=index % 2 == 1)
            print(f"{output.name:14} {len(output.data):11}"
                  f" {tally.stayed:7} {tally.left:6} {tally.refused:7}"
                  f" {tally.others:6} {tally.copies:6} {tally.different:9}"
                  f" {tally.seconds:10.3f}s"
                  f" {time.monotonic() - began:6.1f}s", flush=True)
    verdict.finish()


if __name__ == "__main__":
    sys.exit(main())
