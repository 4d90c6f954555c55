# SPDX-License-Identifier: ISC
"""Who has a user name and a password: who is let in by them, in which ways,
and where they can be read."""

import asyncio
import base64
import os

import aiohttp
import pytest
import websockets

from harness import wsexec
from rawsocket import head, upgrade_head
from viewers import fetch

NAME, PASSWORD = "anna", "pass word:\xa3-0815"
CREDENTIAL = f"{NAME}:{PASSWORD}"
REALM = 'Basic realm="wsexec", charset="UTF-8"'
TOKEN = "0123456789abcdef"


def basic(credential):
    encoded = base64.b64encode(credential.encode()).decode()
    return {"Authorization": f"Basic {encoded}"}


def serve(start, *options, **variables):
    return start("--quiet", "--linger", "forever", *options,
                 script="echo x", env={**os.environ, **variables})


@pytest.fixture(params=["option", "letter", "variable"])
def guarded(request, start):
    if request.param == "option":
        return serve(start, "--credential", CREDENTIAL)
    if request.param == "letter":
        return serve(start, f"-c{CREDENTIAL}")
    return serve(start, WSEXEC_CREDENTIAL=CREDENTIAL)


@pytest.mark.valgrind
def test_curl_is_let_in(guarded):
    answer = fetch(guarded.at("/raw?follow=0"), "-u", CREDENTIAL)
    assert (answer.status, answer.body) == (200, b"x\n")
    assert guarded.url == f"http://127.0.0.1:{guarded.port}/"


WRONG = ["", NAME, f"{NAME}:", f":{PASSWORD}", CREDENTIAL + "x",
         CREDENTIAL[:-1], f"x{CREDENTIAL}", CREDENTIAL.upper(),
         f"{PASSWORD}:{NAME}", f"{NAME}:" + "x" * 511]


def test_who_shows_another_is_not(guarded, connect):
    answers = set()
    for fields in [{}, {"Authorization": "Basic"},
                   {"Authorization": f"Bearer {CREDENTIAL[:4]}"},
                   *(basic(wrong) for wrong in WRONG[:5])]:
        peer = connect(guarded)
        assert peer.ask(head(**fields)) == 401
        assert peer.fields["www-authenticate"] == REALM
        answers.add(peer.read_body())
    assert answers == {b"a user name and a password are needed\n"}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_wrong_for_a_websocket(start, connect, wrong):
    run = serve(start, "--credential", CREDENTIAL)
    assert connect(run).ask(upgrade_head(**basic(wrong))) == 401
    assert connect(run).ask(upgrade_head(**basic(CREDENTIAL))) == 101


def test_libraries_send_it(start):
    run = serve(start, "--credential", "anna:secret")

    async def by_websockets():
        url = f"ws://anna:secret@127.0.0.1:{run.port}/"
        async with websockets.connect(url) as socket:
            return await socket.recv()

    async def by_aiohttp():
        auth = aiohttp.BasicAuth("anna", "secret")
        async with aiohttp.ClientSession(auth=auth) as session:
            async with session.ws_connect(run.at("/")) as socket:
                return (await socket.receive()).data

    assert asyncio.run(by_websockets()) == "x"
    assert asyncio.run(by_aiohttp()) == "x"


def test_a_token_is_as_good(start, connect):
    run = serve(start, "--credential", CREDENTIAL, WSEXEC_TOKEN=TOKEN)
    assert run.url.endswith(f"/?token={TOKEN}")
    for target, fields in (
        (f"/raw?token={TOKEN}&follow=0", {}),
        ("/raw?follow=0", basic(CREDENTIAL)),
        ("/raw?follow=0", {"Authorization": f"Bearer {TOKEN}"}),
        (f"/raw?token={TOKEN}x&follow=0", basic(CREDENTIAL)),
        (f"/raw?token={TOKEN}&follow=0", basic(CREDENTIAL + "x")),
    ):
        assert connect(run).ask(head(target, **fields)) == 200
    answer = fetch(run.at("/"))
    assert answer.status == 401
    assert answer.body == (
        b"a user name and a password, or a token, are needed\n"
    )
    peer = connect(run)
    peer.send(head())
    shown = peer.read_rest().decode()
    assert f"WWW-Authenticate: {REALM}\r\n" in shown
    assert "WWW-Authenticate: Bearer\r\n" in shown


def test_beyond_loopback_it_stands_for_the_token(start):
    run = serve(start, "--address", "0.0.0.0", "--credential", CREDENTIAL)
    assert "token" not in run.url
    assert fetch(run.at("/")).status == 401
    assert fetch(run.at("/raw?follow=0"), "-u", CREDENTIAL).body == b"x\n"


def test_who_has_it_may_write(start, connect):
    run = start("--quiet", "--writable", "--credential", CREDENTIAL,
                command=["cat"])
    peer = connect(run).upgrade("/?format=json", **basic(CREDENTIAL))
    assert '"writable":true' in peer.read_message()
    run.send_signal(15)
    run.wait()
    assert b"--writable without" not in run.log.wait_end()


MISTAKES = [
    (["--credential", "secret"], {}, "--credential: the value is not "
     "USER:PASS, of at most 512 bytes"),
    (["--credential", ":secret"], {}, "--credential: the value is not "
     "USER:PASS, of at most 512 bytes"),
    (["-c", "a:secret\n"], {}, "--credential: the value is not "
     "USER:PASS, of at most 512 bytes"),
    (["-ca:" + "s" * 511], {}, "--credential: the value is not "
     "USER:PASS, of at most 512 bytes"),
    ([], {"WSEXEC_CREDENTIAL": "secret"},
     "WSEXEC_CREDENTIAL: what it has is not USER:PASS"),
    ([], {"WSEXEC_CREDENTIAL": ""},
     "WSEXEC_CREDENTIAL: what it has is not USER:PASS"),
]


@pytest.mark.parametrize("options, variables, line", MISTAKES)
def test_a_mistake_is_one_line_without_it(options, variables, line):
    done = wsexec(*options, "--", "cat", env={**os.environ, **variables})
    assert done.returncode == 125
    assert done.stderr.decode() == f"wsexec: {line}\n"


def memory_shown(pid):
    """What others can read of how a process was started."""
    shown = b""
    for name in ("environ", "cmdline"):
        with open(f"/proc/{pid}/{name}", "rb") as file:
            shown += file.read()
    return shown


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look")
@pytest.mark.parametrize("options, variables", [
    (["--credential", "first:0ther-secret", "--credential", "a:b-secret"],
     {}),
    (["--credential=a:b-secret"], {"WSEXEC_CREDENTIAL": "c:d-secret"}),
    (["-ca:b-secret"], {}),
    ([], {"WSEXEC_CREDENTIAL": "a:b-secret"}),
])
def test_none_is_left_where_others_look(
    start, connect, directory, options, variables
):
    log = directory / "access.log"
    run = start(
        "-v", *options, "--access-log", str(log),
        command=["sh", "-c",
                 "env; tr '\\0' '\\n' </proc/$PPID/environ; read _ <go"],
        env={**os.environ, **variables},
    )
    encoded = base64.b64encode(b"a:b-secret")
    for target in ("/status", "/metrics", "/raw?follow=0", "/none"):
        answer = fetch(run.at(target), "-u", "a:b-secret")
        assert answer.status == (404 if target == "/none" else 200)
        assert b"secret" not in answer.body
        assert "secret" not in str(answer.fields)
    assert connect(run).ask(head(**basic("a:wrong-secret"))) == 401
    connect(run).upgrade("/?tail=0", **basic("a:b-secret")).close()
    shown = memory_shown(run.pid)
    with open(f"/proc/{run.pid}/task/{run.pid}/children",
              encoding="ascii") as file:
        for child in file.read().split():
            shown += memory_shown(child)
    run.go()
    run.wait()
    shown += run.log.wait_end() + log.read_bytes() + run.stdout.wait_end()
    assert b"secret" not in shown and encoded not in shown
    # Who was let in is told; who was not is nobody.
    lines = log.read_text().splitlines()
    users = {line.split()[2] for line in lines if '" 401 ' in line}
    assert users == {"-"}
    users = {line.split()[2] for line in lines if '" 401 ' not in line}
    assert users == {"a"}
