# SPDX-License-Identifier: ISC
"""Whom wsexec becomes when its sockets are open, and what it keeps hidden."""

import grp
import os
import pwd
import resource
import socket
import subprocess

import pytest

from harness import ROOT_WARNING, wait_until, wsexec
from viewers import fetch

NOBODY = pwd.getpwnam("nobody")
OTHER_GROUP = grp.getgrnam("daemon")

needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can become somebody else"
)


def status_of(pid):
    """/proc/PID/status, as {name: words}."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return {
            name: rest.split()
            for name, _, rest in (line.partition(":") for line in file)
        }


@needs_root
@pytest.mark.parametrize("user", ["nobody", str(NOBODY.pw_uid)])
def test_it_becomes_that_user_for_good(start, user):
    run = start("--user", user, script="id -u; id -g; id -G; read _ <go")
    ids = {"Uid": str(NOBODY.pw_uid), "Gid": str(NOBODY.pw_gid)}
    for name, number in ids.items():
        assert status_of(run.pid)[name] == [number] * 4
    assert status_of(run.pid)["Groups"] == [str(NOBODY.pw_gid)]
    for held in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        assert int(status_of(run.pid)[held][0], 16) == 0
    assert fetch(run.at("/healthz")).status == 200
    run.go()
    assert run.wait() == 0
    seen = run.stdout.wait_end().decode().split()
    assert seen == [ids["Uid"], ids["Gid"], ids["Gid"]]
    assert b"root" not in run.log.wait_end()


@needs_root
def test_the_command_finds_the_home_of_its_user(start):
    run = start(
        "--user", "nobody", "--group", "daemon", "--env", "SHELL=/bin/x",
        script='echo "$HOME:$USER:$LOGNAME:$SHELL"; id -g',
    )
    seen = run.stdout.wait_end().decode().split()
    assert seen == [
        f"{NOBODY.pw_dir}:nobody:nobody:/bin/x", str(OTHER_GROUP.gr_gid)
    ]


@needs_root
def test_a_number_that_nobody_has_will_do(start):
    run = start("--user", "54321", script="id -u; id -g; id -G")
    assert run.stdout.wait_end() == b"54321\n54321\n54321\n"


@needs_root
def test_what_only_root_can_open_is_open_before(start, tmp_path):
    secret = tmp_path / "token"
    secret.write_text("top-secret-token\n")
    secret.chmod(0o600)
    tmp_path.chmod(0o700)
    run = start(
        "--user", "nobody", "--token-file", str(secret),
        "--output", str(tmp_path / "output"),
        "--access-log", str(tmp_path / "access"),
        "--unix-socket", str(tmp_path / "socket"), "--linger", "forever",
        script=f"echo seen; cat {secret}; exit 3",
    )
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "socket"))
        client.sendall(
            b"GET /healthz HTTP/1.0\r\nAuthorization: Bearer "
            b"top-secret-token\r\n\r\n"
        )
        assert client.makefile("rb").read().endswith(b"\r\n\r\nok\n")
    wait_until(
        lambda: b"denied" in (tmp_path / "output").read_bytes()
        and b"/healthz" in (tmp_path / "access").read_bytes(),
        "the files"
    )
    assert b"Permission denied" in run.log.wait_for(b"denied")
    assert b"top-secret" not in (tmp_path / "output").read_bytes()


@needs_root
def test_root_is_warned_without_a_user(start):
    run = start(script="true")
    assert run.log.wait_end().split(b"\n", 1)[1] == ROOT_WARNING


MISTAKES = [
    (["--user", "no-such-user"], "--user: there is no user 'no-such-user'"),
    (["--user", "-1"], "--user: there is no user '-1'"),
    (["--user", "4294967295"], "--user: there is no user '4294967295'"),
    (["--user", "root"], "--user: 'root' has all the rights that are to go"),
    (["--user", "0"], "--user: '0' has all the rights that are to go"),
    (["--user", "nobody", "--group", "none-such"],
     "--group: there is no group 'none-such'"),
]


@needs_root
@pytest.mark.parametrize("options, line", MISTAKES)
def test_a_mistake_is_one_line(options, line):
    done = wsexec(*options, "--", "true")
    assert done.returncode == 125
    assert done.stderr.decode() == f"wsexec: {line}\n"


def test_a_group_needs_a_user():
    done = wsexec("--group", "daemon", "--", "true")
    assert (done.returncode, done.stderr) == (
        125, b"wsexec: --group: needs --user\n"
    )


def become_nobody():
    os.setgroups([])
    os.setresgid(*[NOBODY.pw_gid] * 3)
    os.setresuid(*[NOBODY.pw_uid] * 3)


def test_only_root_can_become_somebody_else():
    keywords = {"preexec_fn": become_nobody} if os.geteuid() == 0 else {}
    done = wsexec("--user", "nobody", "--", "true", cwd="/", **keywords)
    assert (done.returncode, done.stderr) == (
        125, b"wsexec: --user: only root can become somebody else\n"
    )


def core_limit(pid):
    with open(f"/proc/{pid}/limits", encoding="ascii") as file:
        for line in file:
            if line.startswith("Max core file size"):
                return line.split()[4]
    raise AssertionError("no core limit")


@needs_root
@pytest.mark.parametrize(
    "options, core, owner", [([], "4096", NOBODY.pw_uid), (["--token"], "0", 0)]
)
def test_a_secret_forbids_core_dumps(
    start, monkeypatch, options, core, owner
):
    """And what is in memory is nobody's: who may not be dumped has a /proc
    that is root's.  The command has the limit that there was."""
    # The address sanitizer would have set the limit to 0 before.
    monkeypatch.setenv(
        "ASAN_OPTIONS",
        os.environ.get("ASAN_OPTIONS", "") + ":disable_coredump=0",
    )

    def begin():
        resource.setrlimit(resource.RLIMIT_CORE, (4096, 8192))
        become_nobody()

    run = start(
        "--stdin", *options,
        command=["sh", "-c", "ulimit -Sc; ulimit -Hc; read _"],
        stdin=subprocess.PIPE, preexec_fn=begin, cwd="/",
    )
    assert run.stdout.wait_for(b"\n16\n") == b"8\n16\n"
    assert core_limit(run.pid) == core
    assert os.stat(f"/proc/{run.pid}/mem").st_uid == owner
    run.process.stdin.close()
    assert run.wait() == 1
