# SPDX-License-Identifier: ISC
"""Who has a user name and a password: who is let in by them, in which ways,
and where they can be read."""

import asyncio
import base64
import contextlib
import ctypes
import os
import select
import signal
import socket
import struct

import aiohttp
import pytest
import websockets

from harness import memory_shown, wsexec
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
    run = start("--quiet", "--writable", "--drain", "0", "--credential",
                CREDENTIAL, command=["cat"])
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


LIBCRYPT = ctypes.CDLL("libcrypt.so.1")
LIBCRYPT.crypt.restype = LIBCRYPT.crypt_gensalt.restype = ctypes.c_char_p
LIBCRYPT.crypt_gensalt.argtypes = [
    ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_int
]
KINDS = {"$2y$": 4, "$2b$": 4, "$5$": 1000, "$6$": 1000, "$y$": 1}


def hashed(password, kind="$6$", cost=1000):
    setting = LIBCRYPT.crypt_gensalt(kind.encode(), cost, None, 0)
    return LIBCRYPT.crypt(password.encode(), setting).decode()


@pytest.fixture
def users(directory):
    """users({name: hash}) writes a file; returns its path."""

    def write(entries, mode=0o600):
        path = directory / "users"
        path.write_text("".join(f"{n}:{h}\n" for n, h in entries.items()))
        path.chmod(mode)
        return str(path)

    return write


@pytest.mark.valgrind
def test_each_kind_of_hash(start, users):
    entries = {f"user{kind}": hashed(f"pass{kind}", kind, cost)
               for kind, cost in KINDS.items()}
    run = serve(start, "--credential-file", users(entries))
    for kind in KINDS:
        for _ in range(2):  # and once it is remembered
            answer = fetch(run.at("/raw?follow=0"),
                           "-u", f"user{kind}:pass{kind}")
            assert (answer.status, answer.body) == (200, b"x\n")
    answer = fetch(run.at("/raw"), "-u", "user$5$:pass$6$")
    assert answer.status == 401
    assert answer.fields["www-authenticate"] == REALM


def test_it_is_the_same_for_every_way_in(start, connect, users):
    run = serve(start, "--credential-file", users({"anna": hashed("secret")}),
                "--credential", CREDENTIAL)
    right = basic("anna:secret")
    peer = connect(run).upgrade("/", **right)
    assert peer.read_message() == "x"
    # Kept alive, and two at once: the second is looked at after the first.
    peer = connect(run)
    peer.send(2 * head("/status", **right) + head("/none", **right))
    for _ in range(2):
        assert peer.read_head() == 200
        assert b"connections" in peer.read_body()
    assert peer.read_head() == 404
    for wrong in ("anna:secre", "anna:", "anna:secret\xa3", "bert:secret",
                  f"bert:{PASSWORD}", f"{NAME}x:{PASSWORD}"):
        assert connect(run).ask(head("/", **basic(wrong))) == 401
        assert connect(run).ask(upgrade_head("/", **basic(wrong))) == 401
    assert connect(run).ask(head("/healthz", **basic("anna:x"))) == 200
    assert connect(run).ask(head("/raw?follow=0", **basic(CREDENTIAL))) == 200
    one = {"Host": "evil.example"}
    assert connect(run).ask(head("/", **right, **one)) == 421
    one = {"Origin": "https://evil.example"}
    assert connect(run).ask(head("/", **right, **one)) == 403


def test_unknown_and_known_users_are_answered_alike(start, users):
    run = serve(start, "--credential-file", users({"anna": hashed("secret")}))
    answers = []
    for who in ("anna:wrong", "bert:wrong", "anna:"):
        answer = fetch(run.at("/"), "-u", who)
        del answer.fields["date"]
        answers.append((answer.status, answer.fields, answer.body))
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] == 401


SLOW = 10  # cost of bcrypt: some 50 ms each


def test_nobody_waits_for_slow_hashes(start, connect, view, users):
    """Lines go on coming while wrong passwords are checked."""
    secret = hashed("secret", "$2b$", SLOW)
    run = start("--quiet", "--latency", "0", "--credential", CREDENTIAL,
                "--credential-file", users({"anna": secret}),
                script="while :; do echo line; read _ <go; done")
    viewer = connect(run).upgrade("/", **basic(CREDENTIAL))
    assert viewer.read_message() == "line"
    peers = [connect(run) for _ in range(20)]
    for number, peer in enumerate(peers):
        peer.send(head("/", **basic(f"anna:wrong{number}")))
    # Each line is asked for by the one before it: nothing else moves them.
    lines, answered = 0, 0
    while answered < len(peers):
        run.go()
        assert viewer.read_message() == "line"
        lines += 1
        answered = sum(is_answered(peer) for peer in peers)
    assert lines > 2 * len(peers)
    for peer in peers:
        assert peer.read_head() == 401


@pytest.mark.parametrize("at_once", [False, True])
def test_guesses_from_an_address_are_bounded(start, connect, users, at_once):
    run = serve(start, "--trust-proxy", "127.0.0.1", "--credential-file",
                users({"anna": hashed("secret")}))
    one, other = ({"X-Forwarded-For": f"192.0.2.{n}"} for n in (1, 2))
    peers = [connect(run) for _ in range(30)]
    for number, peer in enumerate(peers):
        peer.send(head("/", **one, **basic(f"anna:wrong{number}")))
        if not at_once:
            peer.read_head()
    if at_once:
        for peer in peers:
            peer.read_head()
    statuses = [peer.status for peer in peers]
    assert (statuses.count(401), statuses.count(429)) == (10, 20)
    right = basic("anna:secret")
    assert connect(run).ask(head("/", **one, **right)) == 429
    assert connect(run).ask(head("/", **other, **right)) == 200


def is_answered(peer):
    return bool(select.select([peer.socket], [], [], 0)[0])


def test_those_who_wait_for_the_same_are_told_together(
    start, connect, users
):
    """A browser asks for many things at once, and is checked once."""
    secret = hashed("secret", "$2b$", SLOW)
    run = serve(start, "--credential-file", users({"anna": secret}))
    peers = [connect(run) for _ in range(60)]
    before = cpu_ticks(run.pid)
    for peer in peers:
        peer.send(head("/raw?follow=0", **basic("anna:secret")))
    for peer in peers:
        assert peer.read_head() == 200
    one = connect(run)
    before = cpu_ticks(run.pid) - before
    for number in range(5):
        assert one.ask(head("/", **basic(f"anna:{number}"))) == 401
        one = connect(run)
    # 60 checks would take twelve times as long as 5.
    after = cpu_ticks(run.pid)
    assert before < 6 * max(after - before, 10)


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_too_many_at_once_are_refused(start, connect, users):
    secret = hashed("secret", "$2b$", SLOW)
    run = serve(start, "--credential-file", users({"anna": secret}))
    peers = [connect(run) for _ in range(100)]
    for number, peer in enumerate(peers):
        peer.send(head("/", **basic(f"anna:wrong{number}")))
    refused = 0
    for peer in peers:
        peer.read_head()
        assert peer.status in (401, 503)
        if peer.status == 503:
            refused += 1
            assert peer.fields["retry-after"] == "5"
            assert b"too many passwords" in peer.read_body()
    assert 0 < refused < 100
    assert connect(run).ask(head("/", **basic("anna:secret"))) == 200


@pytest.mark.parametrize("how", ["closed", "reset", "more"])
def test_who_leaves_meanwhile(start, connect, users, how):
    secret = hashed("secret", "$2b$", SLOW)
    run = serve(start, "--credential-file", users({"anna": secret}))
    for number in range(30):
        peer = connect(run)
        peer.send(head("/", **basic(f"anna:wrong{number % 7}")))
        if how == "reset":
            peer.socket.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
        if how == "more":  # than may wait behind a request
            with contextlib.suppress(OSError):
                peer.send(b"x" * 20000)
        else:
            peer.close()
    peer = connect(run).upgrade("/", **basic("anna:secret"))
    assert peer.read_message() == "x"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_end_while_some_wait(start, connect, users, number):
    secret = hashed("secret", "$2b$", SLOW)
    run = start("--drain", "0", "--credential-file", users({"anna": secret}),
                command=["sh", "-c", "read _ <go"])
    peers = [connect(run) for _ in range(30)]
    for at, peer in enumerate(peers):
        peer.send(head("/", **basic(f"anna:wrong{at}")))
    peers[0].read_head()
    run.send_signal(number)
    assert run.wait() == 128 + number
    for peer in peers:
        peer.read_rest()


BAD_FILES = [
    ("anna\n", "line 1: it is not USER:HASH"),
    ("# users\n\nanna:secret\n",
     "line 3: the hash is none of bcrypt, yescrypt, scrypt, SHA-256 or "
     "SHA-512 of crypt(5)"),
    ("", "there is no user in it"),
    (None, "No such file or directory"),
]


@pytest.mark.parametrize("text, why", BAD_FILES)
def test_a_bad_file_is_one_line(directory, text, why):
    path = directory / "users"
    if text is not None:
        path.write_text(text)
    done = wsexec("--credential-file", str(path), "--", "cat")
    assert done.returncode == 125
    assert done.stderr.decode() == f"wsexec: {path}: {why}\n"


@pytest.mark.parametrize("mode, is_told", [
    (0o600, False), (0o400, False), (0o640, True), (0o604, True),
])
def test_a_file_that_others_read_is_told(
    start, directory, users, mode, is_told
):
    path = users({"anna": hashed("secret")}, mode)
    token = directory / "token"
    token.write_text(TOKEN + "\n")
    token.chmod(mode)
    run = start("--token-file", str(token), "--credential-file", path,
                command=["true"])
    run.wait()
    shown = run.log.wait_end().decode()
    for option, name in (("token", token), ("credential", path)):
        line = f"wsexec: --{option}-file: {name}: others may read it; " \
            "chmod 600 it\n"
        assert (line in shown) == is_told


def test_who_of_the_file_it_was_is_in_the_access_log(
    start, connect, directory, users
):
    log = directory / "access.log"
    path = users({"anna b": hashed("secret"), "carl": hashed("hidden")})
    run = start("-v", "--access-log", str(log), "--credential-file", path,
                script="echo x; read _ <go")
    for who, status in (("anna b:secret", 200), ("carl:hidden", 200),
                        ("carl:secret", 401), ("anna b:secret", 200),
                        ("dora:hidden", 401)):
        target = f"/raw?follow=0&n={who[:4]}".replace(" ", "")
        assert connect(run).ask(head(target, **basic(who))) == status
    run.go()
    run.wait()
    shown = log.read_text()
    assert sorted(line.split()[2] for line in shown.splitlines()) == [
        "-", "-", "anna\\x20b", "anna\\x20b", "carl"
    ]
    shown += run.log.wait_end().decode()
    assert "secret" not in shown and "hidden" not in shown
    assert "dora" not in shown.replace("n=dora", "")
