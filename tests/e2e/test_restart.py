# SPDX-License-Identifier: ISC
"""Runs that follow each other: --restart and its boundary for every kind of
client, --timeout, --once, and signals at any time."""

import os
import signal
import subprocess

import pytest

from eventstream import EventStream
from harness import TIMEOUT_S, children, read_stat, wsexec, wsexec_command
from rawsocket import close_frame, head
from viewers import fetch, lines_of, parse_records, resume_url

# The number of the run, as $n.
COUNT = "n=$(($(cat n 2>/dev/null || echo 0) + 1)); echo $n >n; "
# Two runs that fail, each in another way, and one that does not.
THREE = COUNT + (
    "echo run $n; printf end >&2; read _ <go;"
    " case $n in 1) exit 3;; 2) kill -9 $$;; esac"
)
AT_ONCE = ("--restart-delay", "0")
NOTICES = [
    "[wsexec: the command ended with status 3; restart 1 follows in 0 s]",
    "[wsexec: the command ended with signal 9; restart 2 follows in 0 s]",
]
MESSAGES = [
    "run 1", "end", NOTICES[0], "run 2", "end", NOTICES[1], "run 3", "end",
]
TEXT = (
    f"run 1\nend\n{NOTICES[0]}\nrun 2\nend\n{NOTICES[1]}\nrun 3\nend"
).encode()
RAW = b"run 1\nendrun 2\nendrun 3\nend"
DEAF = "trap '' TERM; echo ready; while :; do read _ <go; done"


def start_three(start, *options):
    return start("--restart", "on-failure", *AT_ONCE, *options, script=THREE)


def go_through(run, viewer):
    """Lets the runs end, one when viewer has all of the one before it."""
    for last in (2, 5, 8):
        viewer.wait_record(type="line", seq=last)
        run.go()


def kept(records, *kinds):
    return [record for record in records if record["type"] in kinds]


def numbers(records):
    """The sequence numbers of all that has one of its own."""
    return [
        record["seq"]
        for record in kept(records, "line", "restart")
        if "partial" not in record
    ]


def assert_three(records):
    """What a client gets that was there from the beginning."""
    records = [
        record for record in records
        if record["type"] != "clients" and "partial" not in record
    ]
    assert [record["type"] for record in records] == [
        "start", "line", "line", "restart",
        "start", "line", "line", "restart",
        "start", "line", "line", "exit",
    ]
    assert numbers(records) == list(range(1, 9))
    starts, restarts = kept(records, "start"), kept(records, "restart")
    runs = [record["run"] for record in starts]
    assert len(set(runs)) == 3
    assert [record["run"] for record in restarts] == runs[1:]
    assert [record["first"] for record in starts] == [1, 4, 7]
    assert [record["resumed"] for record in starts[1:]] == [True, True]
    assert len({record["pid"] for record in starts} - {None}) == 3
    assert [(r["code"], r["signal"], r["count"]) for r in restarts] == [
        (3, None, 1), (None, 9, 2),
    ]
    assert all(r["delay"] == 0 and r["seconds"] > 0 for r in restarts)
    assert (records[-1]["code"], records[-1]["last"]) == (0, 8)


def test_every_kind_of_client_sees_the_boundary(start, view, curl):
    run = start_three(start)
    json = view(run, "format=json")
    viewers = [view(run), view(run, "format=raw"), view(run, "stream=stdout")]
    plain = [
        curl(run.at("/?format=text")),
        curl("--http1.0", run.at("/?format=text")),
        curl(run.at("/raw")),
        curl("--http1.0", run.at("/raw")),
    ]
    ndjson = curl(run.at("/?format=json"))
    for client in (*plain, ndjson):
        client.output.wait_for(b"run 1")
    go_through(run, json)
    assert run.wait() == 0
    assert_three(json.wait_end().records())
    assert (json.code, json.reason) == (1000, "exit 0")
    assert viewers[0].wait_end().messages == MESSAGES
    assert b"".join(viewers[1].wait_end().messages) == RAW
    assert viewers[2].wait_end().messages == [
        message for message in MESSAGES if message != "end"
    ]
    assert [client.wait_end() for client in plain] == [TEXT, TEXT, RAW, RAW]
    assert_three(parse_records(ndjson.wait_end().decode().split("\n")))
    assert run.stdout.wait_end() == b"run 1\nrun 2\nrun 3\n"


def test_events_have_the_boundary_and_ids_of_their_run(start, view):
    run = start_three(start)
    streams = [
        EventStream(run.port), EventStream(run.port, "/events?format=json")
    ]
    json = view(run, "format=json")
    go_through(run, json)
    runs = [record["run"] for record in kept(
        json.wait_end().records(), "start"
    )]
    for stream in streams:
        events = [e for e in stream.read_all() if e.type != "partial"]
        assert [event.id for event in events if event.id is not None] == [
            f"{runs[(seq - 1) // 3]}/{seq}" for seq in range(1, 9)
        ] + [f"{runs[2]}/exit"]
        assert [event.type for event in events] == [
            "start", "message", "message", "restart",
            "start", "message", "message", "restart",
            "start", "message", "message", "exit",
        ]
        assert [e.record()["run"] for e in events if e.type == "restart"] == (
            runs[1:]
        )
        stream.close()
    assert run.wait() == 0


def test_who_comes_late_gets_all_runs_in_order(start, view, curl):
    run = start_three(start, "--linger", "forever")
    viewer = view(run, "format=json")
    go_through(run, viewer)
    viewer.wait_end()
    late = view(run, "format=json").wait_end()
    assert [r["type"] for r in late.records() if r["type"] != "clients"] == [
        "start", "line", "line", "restart", "line", "line", "restart",
        "line", "line", "exit",
    ]
    first, *_ = kept(late.records(), "start")
    assert first["run"] == kept(late.records(), "restart")[-1]["run"]
    assert view(run).wait_end().messages == MESSAGES
    assert view(run, "tail=3").wait_end().messages == MESSAGES[-3:]
    assert view(run, "after=2&limit=1").wait_end().messages == NOTICES[:1]
    assert curl(run.at("/?format=text&after=1")).wait_end() == (
        TEXT.removeprefix(b"run 1\n")
    )
    assert curl(run.at("/raw")).wait_end() == RAW
    run.send_signal(signal.SIGTERM)
    assert run.wait() == 0


def test_compressed_messages_have_it_as_well(start, view, inflate):
    run = start_three(start, "--compression", "6")
    json, text = inflate(run, "format=json"), inflate(run)
    go_through(run, view(run, "format=json"))
    for peer in (json, text):
        peer.read_end()
        peer.close()
    assert run.wait() == 0
    assert_three(parse_records(json.texts()))
    assert text.texts() == MESSAGES
    assert all(text.kinds())


def test_the_id_of_any_run_resumes_exactly(start, view):
    run = start_three(start)
    json = view(run, "format=json")
    for last in (2, 5):
        json.wait_record(type="line", seq=last)
        run.go()
    json.wait_record(type="line", text="run 3")
    runs = [record["run"] for record in kept(json.records(), "start")]
    for old in runs:
        for after in range(8):
            url = resume_url(run.at("/?format=json&follow=0"), old, after)
            answer = fetch(url)
            records = parse_records(answer.body.decode().split("\n"))
            assert answer.fields["wsexec-run"] == runs[-1]
            assert records[0]["run"] == runs[-1]
            assert records[0]["resumed"] is True
            assert numbers(records) == list(range(after + 1, 8))
            assert len(kept(records, "start")) == 1
            stream = EventStream(
                run.port, "/events?follow=0", Last_Event_ID=f"{old}/{after}"
            )
            assert stream.next("start").record()["resumed"] is True
            assert len([
                e for e in stream.read_all() if e.type != "partial"
            ]) == 7 - after
            stream.close()
    other = fetch(resume_url(run.at("/?format=json&follow=0"), "f" * 16, 5))
    records = parse_records(other.body.decode().split("\n"))
    assert records[0]["resumed"] is False
    assert numbers(records) == list(range(1, 8))
    run.go()
    assert run.wait() == 0


def test_who_comes_between_two_runs_waits_for_the_next(start, view, curl):
    run = start("--restart", "always", "--restart-delay", "0.5",
                script=COUNT + "echo run $n; [ $n = 1 ] || read _ <go")
    run.stdout.wait_for(b"run 1\n")
    text = curl(run.at("/?format=text"))
    text.output.wait_for(b"restart 1 follows in 0.5 s")
    between = view(run, "format=json")
    between.wait_record(type="line", text="run 2")
    records = [r for r in between.records() if r["type"] != "clients"]
    assert [record["type"] for record in records] == [
        "start", "line", "restart", "start", "line",
    ]
    assert records[0]["run"] == records[2]["run"] == records[3]["run"]
    assert records[0]["pid"] is None
    assert records[3]["pid"] in children(run.pid)
    assert (records[3]["first"], records[3]["resumed"]) == (3, True)
    run.send_signal(signal.SIGTERM)
    assert run.wait() == 128 + signal.SIGTERM


LINES = 100000
BOUNDARY = LINES + 2  # behind the lines of the first run, and its end
ALL = 2 * BOUNDARY - 1


def read_slowly(start, view, attach, *options):
    """The records that a client gets which reads only when two runs have
    written far more than sockets take."""
    run = start(
        "--quiet", "--restart", "on-failure", *AT_ONCE, "--wait-clients", "2",
        "--compression", "6", *options,
        script=COUNT + f"yes $n | head -n {LINES}; echo end >&2; read _ <go;"
        " [ $n = 2 ]",
    )
    take = attach(run)
    good = view(run, "stream=stderr")
    good.wait_message("end")
    run.go()
    good.wait(lambda: good.messages.count("end") == 2, "the second end")
    run.go()
    records = parse_records(take())
    assert run.wait() == 0
    assert records[-1]["type"] == "exit"
    return records


@pytest.fixture(params=["http", "websocket", "deflate"])
def attach(request, connect, inflate):
    """attach(run) is a client of records that reads when it is called."""

    def by_http(run):
        peer = connect(run)
        peer.send(head("/?format=json", version="HTTP/1.0"))
        assert peer.read_head() == 200
        return lambda: peer.read_rest().decode().split("\n")

    def by_websocket(run):
        peer = connect(run).upgrade("/?format=json")
        return lambda: [text.decode() for text in peer.read_messages()[0]]

    def by_deflate(run):
        peer = inflate(run, "format=json")
        return lambda: peer.read_end().texts()

    return {
        "http": by_http, "websocket": by_websocket, "deflate": by_deflate
    }[request.param]


def test_who_is_behind_is_told_of_the_start_at_its_place(start, view, attach):
    records = read_slowly(start, view, attach)
    assert numbers(records) == list(range(1, ALL + 1))
    at = records.index(kept(records, "restart")[0])
    assert records[at]["seq"] == BOUNDARY
    following = [r for r in records[at + 1:] if r["type"] != "clients"]
    assert following[0]["type"] == "start"
    assert following[0]["run"] == records[at]["run"]
    assert following[0]["first"] == BOUNDARY + 1
    assert following[1]["text"] == "2"
    assert len(kept(records, "start")) == 2


def test_who_is_behind_by_several_runs(start, view, attach):
    run = start(
        "--quiet", "--restart", "on-failure", *AT_ONCE, "--wait-clients", "2",
        "--compression", "6",
        script=COUNT + f"yes $n | head -n {LINES // 2}; [ $n = 6 ] || exit 1;"
        " echo end >&2; read _ <go",
    )
    take = attach(run)
    view(run, "stream=stderr").wait_message("end")
    run.go()
    records = [r for r in parse_records(take()) if r["type"] != "clients"]
    assert run.wait() == 0
    assert numbers(records) == list(range(1, 6 * (LINES // 2 + 1) + 1))
    # Of runs that have ended before it came so far, it knows no start.
    starts = kept(records, "start")
    runs = [starts[0]["run"]] + [
        record["run"] for record in kept(records, "restart")
    ]
    assert starts[-1]["run"] == runs[-1]
    for record in starts[1:]:
        before = records[records.index(record) - 1]
        assert (before["type"], before["run"]) == ("restart", record["run"])
        assert record["first"] == before["seq"] + 1
    for record in lines_of(records, "stdout"):
        number = (record["seq"] - 1) // (LINES // 2 + 1) + 1
        assert record["text"] == str(number)


def test_who_skips_over_a_boundary_is_told_so(start, view, attach):
    records = read_slowly(
        start, view, attach, "--client-buffer", "256K", "--slow", "skip"
    )
    expected = 1
    for record in kept(records, "line", "restart", "gap"):
        first = record.get("seq", record.get("first"))
        assert first == expected
        expected = record.get("last", first) + 1
    assert expected == ALL + 1
    starts = kept(records, "start")
    assert len(starts) == 2 and starts[0]["run"] != starts[1]["run"]
    assert starts[1]["first"] == BOUNDARY + 1
    before = records[:records.index(starts[1])]
    assert max(r.get("seq", r.get("last", 0)) for r in before) == BOUNDARY


def test_policies(directory):
    for policy, status, runs in (
        ("never", 0, 1), ("never", 1, 1), ("on-failure", 0, 1),
        ("on-failure", 1, 3), ("always", 0, 3), ("always", 1, 3),
    ):
        # The third run says for itself that there is to be no other.
        done = wsexec(
            "--restart", policy, *AT_ONCE, "--", "sh", "-c",
            COUNT + f"echo run; [ $n = 3 ] && kill $PPID; exit {status}",
            cwd=directory,
        )
        (directory / "n").unlink()
        assert done.stdout == b"run\n" * runs, policy
        assert done.returncode in (status, 128 + signal.SIGTERM)


def test_the_delay_doubles_and_is_told(start, view):
    run = start("--restart", "always", "--restart-delay", "0.01",
                script=COUNT + "[ $n -lt 5 ] || { echo; read _ <go; }")
    viewer = view(run, "format=json")
    viewer.wait_record(type="line")
    restarts = kept(viewer.records(), "restart")
    assert [r["delay"] for r in restarts] == [0.01, 0.02, 0.04, 0.08]
    times = [r["time"] for r in restarts]
    for i in range(3):
        # The clock of timers is a coarse one.
        assert times[i + 1] - times[i] > restarts[i]["delay"] - 0.005
    run.send_signal(signal.SIGINT)
    assert run.wait() == 128 + signal.SIGINT


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "QUIT"])
def test_a_signal_ends_a_run_for_good(start, view, name):
    run = start(
        "--restart", "always", *AT_ONCE,
        script=f"trap 'exit 7' {name}; echo ready;"
        " while :; do read _ <go; done",
    )
    viewer = view(run, "format=json")
    run.stdout.wait_for(b"ready\n")
    run.send_signal(signal.Signals[f"SIG{name}"])
    assert run.wait() == 7
    assert run.stdout.wait_end() == b"ready\n"
    viewer.wait_end()
    assert (viewer.code, viewer.reason) == (1001, "exit 7")
    assert not kept(viewer.records(), "restart")


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "QUIT"])
def test_a_signal_between_two_runs_ends_with_the_last_status(
    start, view, name
):
    run = start("--restart", "always", "--restart-delay", "3600",
                command=["sh", "-c", "echo x; exit 5"])
    viewer = view(run, "format=json")
    assert viewer.wait_record(type="restart")["delay"] == 3600
    run.send_signal(signal.Signals[f"SIG{name}"])
    assert run.wait() == 5
    viewer.wait_end()
    assert (viewer.code, viewer.reason) == (1001, "exit 5")
    end = viewer.wait_record(type="exit")
    assert (end["code"], end["last"]) == (5, 2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_leftovers_are_ended(start, view, number):
    # They hold no output, so the run has ended; the next one waits for them.
    run = start(
        "--restart", "always", *AT_ONCE, "--kill-after", "1",
        script="(trap '' TERM INT; exec >&- 2>&-; while :; do read _ <go;"
        " done) & exit 6",
    )
    view(run, "format=json").wait_record(type="restart")
    run.send_signal(number)
    assert run.wait() == 6


def test_the_next_run_waits_until_nothing_of_the_last_is_left(start, view):
    run = start(
        "--restart", "always", *AT_ONCE, "--kill-after", "0.5",
        script=COUNT + "[ $n = 1 ] || { echo second; read _ <go; };"
        " (trap '' TERM; exec >&- 2>&-; while :; do read _ <go; done) &"
        " echo $! >left; echo first",
    )
    view(run).wait_message("second")
    left = int((run.directory / "left").read_text())
    assert read_stat(left) is None
    run.send_signal(signal.SIGTERM)
    run.wait()


def test_a_command_that_is_gone_is_tried_again(start, directory, view):
    program = directory / "program"
    program.write_text('#!/bin/sh\nrm "$0"; echo first; exit 1\n')
    program.chmod(0o755)
    run = start("--restart", "on-failure", "--restart-delay", "0.05",
                command=[str(program)])
    viewer = view(run, "format=json")
    failed = viewer.wait_record(type="restart", count=2)
    assert (failed["code"], failed["seconds"]) == (127, 0)
    run.log.wait_for(b"No such file")
    other = directory / "other"
    other.write_text("#!/bin/sh\necho again; exit 0\n")
    other.chmod(0o755)
    other.rename(program)
    assert run.wait() == 0
    viewer.wait_end()
    assert viewer.wait_record(type="line", text="again")
    records = kept(viewer.records(), "start", "restart", "line")
    assert numbers(records) == list(range(1, len(numbers(records)) + 1))


@pytest.mark.parametrize("program, status", [("/nowhere", 127), ("/", 126)])
def test_a_command_that_never_was_there_is_not_tried_again(program, status):
    done = wsexec("--restart", "always", program)
    assert done.returncode == status
    assert b"http://" not in done.stderr


def test_standard_input_cannot_be_restarted():
    done = wsexec("--restart", "always")
    assert done.returncode == 125
    assert done.stderr == (
        b"wsexec: --restart: there is no command to run again\n"
    )


def processes_below(pid):
    """How many there are, also dead ones that nobody has waited for."""
    stats = [read_stat(e) for e in os.listdir("/proc") if e.isdigit()]
    return sum(stat is not None and stat[2] == pid for stat in stats)


def test_two_hundred_restarts_leave_nothing_behind(start, view):
    run = start(
        "--restart", "always", *AT_ONCE, "--output", "copy",
        script=COUNT + "echo $n; [ $n != 1 ] && [ $n -le 200 ] || read _ <go",
    )
    viewer = view(run, "format=json")
    viewer.wait_record(type="line", text="1")
    before = run.descriptors(), processes_below(run.pid)
    first = kept(viewer.records(), "start")[0]["run"]
    run.go()
    viewer.wait_record(type="line", text="201")
    assert (run.descriptors(), processes_below(run.pid)) == before
    records = viewer.records()
    assert numbers(records) == list(range(1, 402))
    runs = [r["run"] for r in kept(records, "restart")]
    assert len({first, *runs}) == 201
    # The last 64 are known.
    for known, resumed in (
        (first, False), (runs[-65], False), (runs[-64], True),
        (runs[-1], True),
    ):
        again = view(run, f"format=json&run={known}&after=400")
        assert again.wait_record(type="start")["resumed"] is resumed
    run.send_signal(signal.SIGTERM)
    assert run.wait() == 128 + signal.SIGTERM
    expected = b"".join(b"%d\n" % n for n in range(1, 202))
    assert run.stdout.wait_end() == expected
    assert (run.directory / "copy").read_bytes() == expected


def test_runs_on_a_terminal_are_restarted(start, view):
    run = start("--pty", "--restart", "on-failure", *AT_ONCE,
                script=COUNT + "test -t 1 && echo run $n; [ $n = 3 ]")
    assert run.wait() == 0
    assert run.stdout.wait_end() == b"run 1\nrun 2\nrun 3\n"


def test_a_closed_output_is_closed_for_later_runs(directory):
    command = wsexec_command(
        "--port", "0", "--restart", "always", *AT_ONCE, "--", "sh", "-c",
        COUNT + "trap '' PIPE; while echo line; do :; done 2>/dev/null;"
        " [ $n = 1 ] || kill $PPID",
    )
    done = subprocess.run(
        ["bash", "-c", '"$@" | head -n 1', "bash", *command],
        capture_output=True, timeout=TIMEOUT_S, check=False, cwd=directory,
    )
    assert done.stdout == b"line\n"
    assert (directory / "n").read_text() == "2\n"


def test_a_timeout_gives_124_and_tells_what_happened(start, view):
    run = start("--timeout", "1",
                script="trap 'echo late; exit 0' TERM; echo ready;"
                " while :; do read _ <go; done")
    viewer = view(run, "format=json")
    assert run.wait() == 124
    end = viewer.wait_end().wait_record(type="exit")
    assert (end["code"], end["signal"], end["timeout"]) == (0, None, True)
    assert end["seconds"] > 0.9  # timers are good to some milliseconds
    assert (viewer.code, viewer.reason) == (1000, "exit 0")
    assert run.stdout.wait_end() == b"ready\nlate\n"


def test_a_command_that_is_deaf_to_the_timeout_is_killed(start, view):
    # And so is what it has started.
    run = start("--timeout", "1", "--kill-after", "0.3",
                script=f"({DEAF}) & {DEAF}")
    viewer = view(run, "format=json")
    assert run.wait() == 124
    end = viewer.wait_end().wait_record(type="exit")
    assert (end["code"], end["signal"], end["timeout"]) == (None, 9, True)
    assert not children(os.getpid())


def test_the_timeout_sends_the_signal_of_the_options(start):
    run = start("--timeout", "1", "--signal", "USR1",
                script="trap 'echo got USR1; exit' USR1; echo ready;"
                " while :; do read _ <go; done")
    assert run.wait() == 124
    assert run.stdout.wait_end() == b"ready\ngot USR1\n"


def test_who_ends_in_time_has_no_timeout(start, view):
    run = start("--timeout", "60", script="read _ <go; exit 5")
    viewer = view(run, "format=json")
    run.go()
    assert run.wait() == 5
    assert "timeout" not in viewer.wait_end().wait_record(type="exit")


def test_output_that_is_late_is_no_timeout(start, view):
    run = start("--timeout", "2", "--drain", "3", "--kill-after", "0.1",
                script="(trap '' TERM; while :; do read _ <go; done) &"
                " exit 5")
    viewer = view(run, "format=json")
    assert run.wait() == 5
    end = viewer.wait_end().wait_record(type="exit")
    assert end["code"] == 5 and "timeout" not in end


def test_a_timeout_is_a_failure_that_is_restarted(start, view):
    run = start(
        "--restart", "on-failure", *AT_ONCE, "--timeout", "1",
        script=COUNT + "echo run $n; [ $n = 1 ] || exit 0;"
        " trap 'exit 0' TERM; while :; do read _ <go; done",
    )
    viewer = view(run, "format=json")
    assert run.wait() == 0
    told = viewer.wait_end().wait_record(type="restart")
    assert (told["code"], told["timeout"]) == (0, True)
    assert "timeout" not in viewer.wait_record(type="exit")
    text = [r["text"] for r in kept(viewer.records(), "line")]
    assert text == ["run 1", "run 2"]


def test_standard_input_has_a_timeout_too(start, view):
    read_fd, write_fd = os.pipe()
    run = start("--timeout", "1", stdin=read_fd)
    os.close(read_fd)
    viewer = view(run, "format=json")
    assert run.wait() == 124
    os.close(write_fd)
    end = viewer.wait_end().wait_record(type="exit")
    assert (end["signal"], end["timeout"]) == (15, True)


def test_once_ends_when_the_last_client_has_left(start, view, curl):
    run = start("--once", script="trap 'echo bye; exit 4' TERM; echo ready;"
                " while :; do read _ <go; done")
    run.stdout.wait_for(b"ready\n")
    assert run.process.poll() is None
    viewer, other = view(run), curl(run.at("/"))
    other.output.wait_for(b"ready\n")
    viewer.close()
    run.send_signal(signal.SIGCONT)
    other.close()
    assert run.wait() == 4
    assert run.stdout.wait_end() == b"ready\nbye\n"


def test_once_is_143_where_the_command_does_not_care(start, connect):
    run = start("--once", script="echo ready; while :; do read _ <go; done")
    peer = connect(run).upgrade("/")
    peer.send(close_frame(1000))
    peer.read_rest()
    assert run.wait() == 128 + signal.SIGTERM


def test_once_waits_for_who_comes_again(start, view):
    run = start("--once", script="echo ready; read _ <go; exit 3")
    for _ in range(3):
        viewer = view(run)
        viewer.wait_message("ready")
        viewer.close()
    viewer = view(run)
    viewer.wait_message("ready")
    run.go()
    assert run.wait() == 3
    assert viewer.wait_end().reason == "exit 3"


def test_once_ends_the_lingering(start, view):
    run = start("--once", "--linger", "forever", command=["echo", "x"])
    run.stdout.wait_for(b"x\n")
    for name in ("healthz", "index.html", "nothing"):
        fetch(run.at(f"/{name}"))  # is no client
    assert run.process.poll() is None
    assert view(run).wait_end().messages == ["x"]
    assert run.wait() == 0


def test_once_ends_restarts(start, view):
    run = start("--once", "--restart", "always", "--restart-delay", "3600",
                command=["false"])
    viewer = view(run, "format=json")
    viewer.wait_record(type="restart")
    viewer.close()
    assert run.wait() == 1
