# SPDX-License-Identifier: ISC
"""The command's life is what it would be without wsexec: status, signals,
environment, and nothing left behind."""

import os
import resource
import signal
import socket
import subprocess
import sys

import pytest

from harness import children, wait_nothing_is_left, wait_until, wsexec
from harness import wsexec_command

# Takes orders until a signal comes.
TRAP = (
    "trap 'echo got {0}; exit 7' {0}; echo ready;"
    " while :; do read _ <go; done"
)
DEAF = "trap '' TERM; echo ready; while :; do read _ <go; done"


def without_core_files():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def test_the_status_of_the_command_is_ours():
    for status in (*range(0, 10), 42, 77, *range(120, 130), 200, 254, 255):
        done = wsexec("--", "sh", "-c", f"exit {status}")
        assert done.returncode == status


def test_a_signal_that_ends_the_command_gives_128_and_its_number():
    for number in (1, 2, 3, 6, 9, 10, 11, 13, 14, 15):
        done = wsexec(
            "--", "sh", "-c", f"kill -{number} $$",
            preexec_fn=without_core_files,
        )
        assert done.returncode == 128 + number


@pytest.mark.parametrize(
    "arguments, told",
    [
        (["--no-such-option"], b"unknown option --no-such-option"),
        (["-j", "true"], b"unknown option -j"),
        (["--port", "70000", "true"], b"--port: 70000 is not in 0..65535"),
        (["--port", "x", "true"], b"--port: 'x' is not a whole number"),
        (["--history", "1X", "true"], b"--history: '1X' is not a size"),
        (["--slow", "fast", "true"], b"--slow: 'fast' is not skip"),
        (["--linger", "-1", "true"], b"--linger: -1 is not in 0..31536000"),
        (["--signal", "NONE", "true"], b"--signal: 'NONE' is not a signal"),
        (["--title"], b"--title: needs a value"),
        (["--env", "=x", "true"], b"--env: '=x' is not NAME=VALUE"),
        (["--output", "/nowhere/x", "true"], b"--output: /nowhere/x: No such"),
        (["--cwd", "/nowhere", "true"], b"cannot enter /nowhere: No such"),
        (["--address", "x.invalid", "true"], b"cannot listen on x.invalid"),
        (["--address", "192.0.2.1", "true"], b"cannot listen on 192.0.2.1"),
        (["--token-file", "/nowhere", "true"], b"--token-file: /nowhere: No"),
    ],
)
def test_a_failure_of_our_own_is_125_and_one_line(arguments, told):
    done = wsexec(*arguments)
    assert done.returncode == 125
    assert done.stdout == b""
    assert done.stderr.startswith(b"wsexec: " + told), done.stderr
    assert done.stderr.count(b"\n") == 1


def test_a_port_in_use_is_125_and_one_line():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = wsexec("--port", port, "true")
    assert done.returncode == 125
    assert port.encode() in done.stderr and b"in use" in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("options", [[], ["--wait-clients", "1"]])
def test_a_missing_command_is_127_and_nothing_is_announced(options):
    done = wsexec(*options, "no-such-command", "x")
    assert done.returncode == 127
    assert b"no-such-command" in done.stderr
    assert b"http://" not in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("options", [[], ["--wait-clients", "1"]])
def test_a_command_that_cannot_run_is_126_and_nothing_is_announced(
    options, directory
):
    path = directory / "not-executable"
    path.write_text("echo x\n")
    for command in (path, directory):
        done = wsexec(*options, str(command))
        assert done.returncode == 126
        assert str(command).encode() in done.stderr
        assert b"http://" not in done.stderr
        assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "QUIT"])
def test_signals_that_end_are_passed_on(start, name):
    run = start(script=TRAP.format(name))
    run.stdout.wait_for(b"ready\n")
    run.send_signal(signal.Signals[f"SIG{name}"])
    assert run.wait() == 7
    assert run.stdout.wait_end() == f"ready\ngot {name}\n".encode()


def test_other_signals_are_passed_on_and_end_nothing(start):
    run = start(
        script="trap 'echo one' USR1; trap 'echo two' USR2;"
        " trap 'exit 5' TERM; echo ready; while :; do read _ <go; done"
    )
    run.stdout.wait_for(b"ready\n")
    run.send_signal(signal.SIGUSR1)
    run.stdout.wait_for(b"one\n")
    run.send_signal(signal.SIGUSR2)
    run.stdout.wait_for(b"two\n")
    run.send_signal(signal.SIGTERM)
    assert run.wait() == 5


def test_the_signal_that_ends_can_be_chosen(start):
    run = start("--signal", "USR1", script=TRAP.format("USR1"))
    run.stdout.wait_for(b"ready\n")
    run.send_signal(signal.SIGTERM)
    assert run.wait() == 7


def test_a_signal_reaches_the_whole_group(start):
    run = start(
        script="trap 'wait; exit 3' TERM;"
        " sh -c 'trap \"echo inner; exit\" TERM; echo ready;"
        " while :; do read _ <go; done' & wait",
    )
    run.stdout.wait_for(b"ready\n")
    run.send_signal(signal.SIGTERM)
    assert run.wait() == 3
    assert run.stdout.wait_end() == b"ready\ninner\n"


def test_a_command_that_ignores_term_is_killed(start, view):
    run = start("--kill-after", "0.3", script=DEAF)
    records = view(run, "format=json")
    run.stdout.wait_for(b"ready\n")
    run.send_signal(signal.SIGTERM)
    assert run.wait() == 128 + signal.SIGKILL
    end = records.wait_end().records()[-1]
    assert (end["type"], end["code"], end["signal"]) == ("exit", None, 9)
    assert (records.code, records.reason) == (1001, "signal 9")


def test_late_output_of_others_is_taken(start):
    run = start(
        "--drain", "50",
        script="{ read _ <go; echo late; } & echo early; exit 3",
    )
    run.stdout.wait_for(b"early\n")
    run.go()
    assert run.wait() == 3
    assert run.stdout.wait_end() == b"early\nlate\n"


def test_who_holds_the_output_for_longer_than_drain_is_ended(start):
    run = start(
        "--drain", "0.2", "--linger", "0",
        script="sleep 1000 & echo early; exit 3",
    )
    assert run.wait() == 3
    assert run.stdout.wait_end() == b"early\n"
    assert b"--drain" in run.log.wait_end()
    wait_nothing_is_left()


def test_what_the_command_leaves_behind_is_ended(start):
    run = start(script="sleep 1000 >/dev/null 2>&1 & echo x")
    assert run.wait() == 0
    assert children(os.getpid()) == {}


@pytest.mark.parametrize("script", [
    "echo ready; exec sleep 1000",
    "sleep 1000 & echo ready; wait",
    DEAF,
])
def test_nothing_is_left_when_wsexec_is_killed(start, script):
    run = start("--kill-after", "0.2", script=script)
    run.stdout.wait_for(b"ready\n")
    run.send_signal(signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    wait_nothing_is_left()


def test_a_reader_that_leaves_ends_the_command_by_sigpipe():
    done = subprocess.run(
        ["bash", "-c", '"$@" | head -n 1; exit "${PIPESTATUS[0]}"', "bash",
         *wsexec_command("--port", "0", "yes")],
        capture_output=True,
        check=False,
    )
    assert done.stdout == b"y\n"
    assert done.returncode == 128 + signal.SIGPIPE


def test_variables_are_added_to_the_environment(start):
    run = start(
        "--env", "ONE=1", "--env", "TWO=a b=c", "--env", "HOME=/x",
        script='echo "$ONE,$TWO,$HOME,$THREE"',
        env={**os.environ, "THREE": "kept"},
    )
    assert run.stdout.wait_end() == b"1,a b=c,/x,kept\n"


def test_secrets_are_not_in_the_environment_of_the_command(start):
    given = {"WSEXEC_TOKEN": "0123456789abcdef0123456789abcdef"}
    others = {k: v for k, v in os.environ.items() if k != "WSEXEC_OPTIONS"}
    run = start(
        script="env | grep WSEXEC_ || echo none", env={**others, **given}
    )
    assert run.stdout.wait_end() == b"none\n"


def test_the_command_runs_in_the_directory_asked_for(start, directory):
    run = start("--cwd", str(directory), command=["pwd"])
    assert run.stdout.wait_end().decode() == f"{directory}\n"


def test_the_command_gets_clean_descriptors_and_signals():
    script = (
        "import os, signal\n"
        "print(sorted(int(n) for n in os.listdir('/proc/self/fd'))[:4])\n"
        "print(signal.pthread_sigmask(signal.SIG_BLOCK, []))\n"
        "ignored = [n for n in (1, 2, 3, 13, 15, 17, 22)"
        " if signal.getsignal(n) == signal.SIG_IGN and n != 13]\n"
        "print(ignored, os.getpgid(0) == os.getpid())\n"
    )
    done = wsexec("--", sys.executable, "-S", "-E", "-c", script)
    # 3 is what listdir() itself has open.
    assert done.stdout == b"[0, 1, 2, 3]\nset()\n[] True\n"


@pytest.mark.parametrize("options, shown", [
    ([], b"no no no\n"), (["--pty"], b"yes yes yes\n")
])
def test_the_command_has_a_terminal_if_asked_for(options, shown):
    script = (
        "a=no b=no c=no; [ -t 0 ] && a=yes; [ -t 1 ] && b=yes;"
        " [ -t 2 ] && c=yes; echo $a $b $c"
    )
    done = wsexec(*options, "--", "sh", "-c", script)
    assert done.stdout == shown


def test_a_terminal_adds_no_carriage_returns(start, view):
    run = start(
        "--pty", "--wait-clients", "1", script="printf 'a\\nb\\r\\nc\\td\\n'"
    )
    raw = view(run, "format=raw")
    assert run.wait() == 0
    assert run.stdout.wait_end() == b"a\nb\r\nc\td\n"
    assert b"".join(raw.wait_end().messages) == b"a\nb\r\nc\td\n"


def test_a_command_on_a_terminal_gets_signals_and_its_status_is_ours(start):
    run = start("--pty", script=TRAP.format("INT"))
    run.stdout.wait_for(b"ready\n")
    run.send_signal(signal.SIGINT)
    assert run.wait() == 7


def test_the_port_is_free_while_an_orphan_of_the_command_lives(start, curl):
    run = start(
        script="mkfifo up; setsid sh -c 'echo >up; exec sleep 1000'"
        " >/dev/null 2>&1 & read _ <up",
    )
    port = run.port
    assert run.wait() == 0
    orphan = wait_until(lambda: children(os.getpid()), "the orphan")
    try:
        again = start(
            "--port", str(port), "--wait-clients", "1", command=["echo", "x"]
        )
        assert again.port == port
        assert curl(again.url).wait_end() == b"x\n"
        assert again.wait() == 0
    finally:
        for pid in orphan:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def test_the_command_waits_for_clients(start, view):
    run = start(
        "--wait-clients", "2", script="touch started; echo x"
    )
    first = view(run, "format=json")
    first.wait_record(type="clients", count=1)
    assert not (run.directory / "started").exists()
    second = view(run, "format=json")
    assert run.wait() == 0
    for viewer in (first, second):
        viewer.wait_end()
        types = [r["type"] for r in viewer.records() if r["type"] != "clients"]
        assert types == ["start", "line", "exit"]


def test_a_signal_while_the_command_waits_for_clients_ends_it(start, view):
    run = start("--wait-clients", "2", script="echo never")
    text = view(run)
    run.send_signal(signal.SIGTERM)
    assert run.wait() == 128 + signal.SIGTERM
    assert text.wait_end().messages == []
    assert text.code == 1001


def test_linger_keeps_serving_until_it_is_stopped(start, curl):
    run = start("--linger", "forever", script="echo x; exit 4")
    assert curl(run.url).wait_end() == b"x\n"
    assert curl(run.url).wait_end() == b"x\n"
    assert run.process.poll() is None
    run.send_signal(signal.SIGTERM)
    assert run.wait() == 4


def test_linger_for_a_while_ends_by_itself(start, curl):
    run = start("--linger", "0.2", script="echo x; exit 4")
    assert run.wait() == 4


def test_version_and_help_are_for_stdout():
    done = wsexec("--version")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"wsexec ")
    done = wsexec("--help")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"usage: wsexec ")
    assert all(len(line) <= 80 for line in done.stdout.split(b"\n"))


@pytest.mark.valgrind
def test_a_thousand_lines_with_a_client_attached(start, view):
    run = start("--wait-clients", "1", command=["seq", "1000"])
    text = view(run)
    assert run.wait() == 0
    assert text.wait_end().messages == [str(i) for i in range(1, 1001)]
    assert run.stdout.wait_end() == "".join(
        f"{i}\n" for i in range(1, 1001)
    ).encode()
