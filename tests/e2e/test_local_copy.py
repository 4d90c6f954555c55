# SPDX-License-Identifier: ISC
"""The local copy of the output, and reading standard input instead of the
output of a command."""

import os
import subprocess
import tty

import pytest

from harness import ROOT_WARNING, Collector, digest, wsexec, wsexec_command


def test_output_appears_on_the_stream_it_was_written_to():
    done = wsexec("--", "sh", "-c", "printf 'a\\nb'; printf 'c\\nd' >&2")
    assert done.stdout == b"a\nb"
    assert done.stderr.startswith(b"wsexec: http://127.0.0.1:")
    rest = done.stderr.split(b"\n", 1)[1]
    assert rest.removeprefix(ROOT_WARNING) == b"c\nd"


def test_output_is_copied_byte_for_byte(directory):
    data = bytes(range(256)) * 20_000
    (directory / "data").write_bytes(data)
    done = wsexec("--", "cat", str(directory / "data"))
    assert digest(done.stdout) == digest(data)


def test_quiet_leaves_only_the_address():
    done = wsexec("--quiet", "--", "sh", "-c", "echo a; echo b >&2; exit 3")
    assert (done.returncode, done.stdout) == (3, b"")
    assert done.stderr.startswith(b"wsexec: http://127.0.0.1:")
    rest = done.stderr.split(b"\n", 1)[1]
    assert rest.removeprefix(ROOT_WARNING) == b""


@pytest.mark.parametrize("options", [[], ["--quiet"]])
def test_the_output_file_has_every_byte(directory, options):
    data = bytes(range(256)) * 5000 + b"no newline"
    (directory / "data").write_bytes(data)
    copy = directory / "copy"
    copy.write_bytes(b"from before")
    done = wsexec(
        *options, "--output", str(copy), "--", "cat", str(directory / "data")
    )
    assert done.returncode == 0
    assert digest(copy.read_bytes()) == digest(data)


def test_the_output_file_has_both_streams(directory):
    copy = directory / "copy"
    wsexec("-q", "-o", str(copy), "--", "sh", "-c", "echo a; echo b >&2")
    assert sorted(copy.read_bytes().splitlines()) == [b"a", b"b"]


def test_lines_are_shown_before_the_command_ends(start):
    run = start(script="printf 'a\\nprompt: '; read _ <go; echo b")
    run.stdout.wait_for(b"a\nprompt: ")
    run.go()
    assert run.stdout.wait_end() == b"a\nprompt: b\n"


def test_a_stopped_terminal_pauses_the_command_but_no_client(
    start, view, curl, directory
):
    lines = b"".join(b"%d %s\n" % (i, b"x" * 200) for i in range(40_000))
    (directory / "lines").write_bytes(lines)
    master, slave = os.openpty()
    tty.setraw(slave)
    run = start(
        "--wait-clients", "1", command=["cat", str(directory / "lines")],
        stdout=slave,
    )
    os.close(slave)
    text = view(run)
    so_far = curl(run.at("/raw?follow=0")).wait_end()
    while True:
        more = curl(run.at("/raw?follow=0")).wait_end()
        if len(more) == len(so_far) > 0:
            break
        so_far = more
    assert len(so_far) < len(lines)
    assert lines.startswith(so_far)
    text.wait_message(so_far.splitlines()[-2].decode())
    with os.fdopen(master, "rb", 0) as terminal:
        shown = Collector(terminal)
        assert run.wait() == 0
        assert digest(shown.wait_end()) == digest(lines)
    assert text.wait_end().messages == lines.decode().splitlines()


def test_input_from_a_pipe_is_served_live(start, view):
    run = start("--wait-clients", "1", stdin=subprocess.PIPE)
    records = view(run, "format=json")
    with run.process.stdin as pipe:
        pipe.write(b"one\n")
        pipe.flush()
        records.wait_record(type="line", text="one")
        pipe.write(b"two\nthree")
    assert run.wait() == 0
    assert run.stdout.wait_end() == b"one\ntwo\nthree"
    first, *_, end = [
        r for r in records.wait_end().records() if r["type"] != "clients"
    ]
    assert (first["type"], first["pid"], first["command"]) == (
        "start", None, []
    )
    assert (end["type"], end["code"], end["last"]) == ("exit", 0, 3)


def test_input_from_a_file_is_served(start, curl, directory):
    data = bytes(range(256)) * 2000
    (directory / "data").write_bytes(data)
    with open(directory / "data", "rb") as file:
        run = start("--wait-clients", "1", stdin=file)
    fetched = curl(run.url)
    assert run.wait() == 0
    assert digest(fetched.wait_end()) == digest(data)
    assert digest(run.stdout.wait_end()) == digest(data)


def test_input_from_dev_null_is_empty(start, curl):
    run = start("--wait-clients", "1", stdin=subprocess.DEVNULL)
    fetched = curl(run.url)
    assert run.wait() == 0
    assert fetched.wait_end() == b""


def test_a_shell_pipeline_goes_through():
    done = subprocess.run(
        ["sh", "-c", 'seq 100000 | "$@" | tail -n 1', "sh",
         *wsexec_command("--port", "0")],
        capture_output=True, check=True,
    )
    assert done.stdout == b"100000\n"


def test_input_from_a_terminal_is_refused():
    master, slave = os.openpty()
    done = wsexec(stdin=slave)
    os.close(master)
    os.close(slave)
    assert done.returncode == 125
    assert done.stderr.count(b"\n") == 1
    assert b"no command" in done.stderr


@pytest.mark.parametrize("options", [[], ["--pty"]])
def test_the_command_reads_the_standard_input_of_wsexec(options):
    data = b"".join(b"%d\n" % i for i in range(50000)) + b"last"
    done = wsexec(
        "--stdin", *options, "--", "cat", stdin=None, input=data
    )
    assert done.returncode == 0
    assert digest(done.stdout) == digest(data)


def test_the_command_reads_nothing_by_default():
    done = wsexec("--", "cat", stdin=None, input=b"typed\n")
    assert done.stdout == b""


@pytest.mark.parametrize("options", [[], ["--pty"]])
def test_the_command_reads_the_terminal_of_wsexec(start, options):
    master, slave = os.openpty()
    run = start("--stdin", *options, command=["cat"], stdin=slave)
    os.close(slave)
    os.write(master, b"typed\n")
    run.stdout.wait_for(b"typed\n")
    os.write(master, b"again\n\x04")
    assert run.wait() == 0
    assert run.stdout.wait_end() == b"typed\nagain\n"
    os.close(master)
