# SPDX-License-Identifier: ISC
"""Who may connect: every way in, by every name, from every page, with and
without what is to be shown."""

import base64
import hashlib
import itertools
import json
import os
import re

import pytest

from harness import memory_shown, wait_until, wsexec
from rawsocket import TEXT, frame, head, upgrade_head
from viewers import fetch

TOKEN = "0123456789-secret_~.AZ"
CREDENTIAL = "user:pass"
READ, WRITE = "token-to-read", "token-to-write"

HOSTS = {
    "127.0.0.1:{port}": True,
    "[::1]": True,
    "localhost:1234": True,
    "a.localhost": True,
    "named.example:80": True,
    "evil.example": False,
    "127.0.0.1.evil.example": False,
    "evil.example:{port}": False,
    "named.example.evil.example": False,
    "user@127.0.0.1": False,
}
ORIGINS = {
    None: True,
    "http://{host}": True,
    "https://app.example": True,
    "http://app.example": False,
    "https://app.example:444": False,
    "https://app.example.evil.example": False,
    "https://evil.example": False,
    "null": False,
    "": False,
    "http://{host}.evil.example": False,
    "http://{host}, https://evil.example": False,
}
ROUTES = ["/", "/raw", "/events", "/status", "/metrics", "/healthz",
          "/viewer.js", "/none"]
SOCKETS = ["/", "/raw", "/status"]


def protocol(token):
    encoded = base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
    return f"wsexec.v1, wsexec.token.{encoded}"


def basic(credential):
    encoded = base64.b64encode(credential.encode()).decode()
    return {"Authorization": f"Basic {encoded}"}


def cookie_of(run, token=TOKEN):
    """The cookie that a browser is given for a token."""
    answer = fetch(run.at(f"/?token={token}"), "-H", "Accept: text/html")
    assert answer.status == 303
    return answer.fields["set-cookie"].partition(";")[0]


def proofs(run):
    """Ways to show something: target suffix, fields, whether it will do;
    None: with an Origin field only, where it is for a WebSocket."""
    cookie = cookie_of(run)
    name, _, value = cookie.partition("=")
    return {
        "nothing": ("", {}, False),
        "query": (f"?token={TOKEN}", {}, True),
        "wrong query": (f"?token={TOKEN}x", {}, False),
        "short query": (f"?token={TOKEN[:-1]}", {}, False),
        "empty query": ("?token=", {}, False),
        "bearer": ("", {"Authorization": f"Bearer {TOKEN}"}, True),
        "wrong bearer": ("", {"Authorization": f"Bearer {TOKEN}x"}, False),
        "no bearer": ("", {"Authorization": TOKEN}, False),
        "basic": ("", basic(CREDENTIAL), True),
        "wrong basic": ("", basic(CREDENTIAL + "x"), False),
        "the token as a password": ("", basic(f"user:{TOKEN}"), False),
        "the token as basic": (
            "", {"Authorization": f"Basic {TOKEN}"}, False
        ),
        "the password as a token": (
            "", {"Authorization": f"Bearer {CREDENTIAL}"}, False
        ),
        "cookie": ("", {"Cookie": f"a=b; {cookie}; c=d"}, None),
        "wrong cookie": ("", {"Cookie": f"{name}={'0' * len(value)}"}, False),
        "the token as a cookie": ("", {"Cookie": f"{name}={TOKEN}"}, False),
        "other port's cookie": ("", {"Cookie": f"{name}1={value}"}, False),
        "protocol": ("", {"Sec_WebSocket_Protocol": protocol(TOKEN)}, True),
        "wrong protocol": (
            "", {"Sec_WebSocket_Protocol": protocol(TOKEN + "x")}, False
        ),
        "the cookie's value as a token": (f"?token={value}", {}, False),
    }


@pytest.fixture
def guarded(start, directory):
    (directory / "token").write_text(TOKEN + "\n")
    return start(
        "--quiet", "--linger", "forever", "--allowed-host", "named.example",
        "--origin", "https://app.example",
        "--credential", CREDENTIAL,
        "--token-file", str(directory / "token"), script="echo x",
    )


def granted(route, socket):
    """The status of who is let in."""
    if socket:
        return 101
    return {"/none": 404}.get(route, 200)


def expected(route, socket, host_ok, origin_ok, proof_ok):
    if not host_ok:
        return 421
    if not origin_ok:
        return 403
    if not proof_ok and route != "/healthz":
        return 401
    return granted(route, socket)


def test_every_cell_of_the_table(guarded, connect):
    """Host x Origin x what is shown x address x carrier."""
    port = guarded.port
    ways = [(route, False) for route in ROUTES]
    ways += [(route, True) for route in SOCKETS]
    shown = proofs(guarded)
    wrong = []
    # All of what is shown with few names, and all names with little shown.
    few = ["nothing", "query", "wrong bearer"]
    cells = [
        cell for cell in itertools.product(HOSTS, ORIGINS, shown, ways)
        if cell[2] in few or (
            cell[0] in ("127.0.0.1:{port}", "evil.example")
            and cell[1] in (None, "http://{host}", "null")
        )
    ]
    for host, origin, proof, (route, socket) in cells:
        suffix, fields, proof_ok = shown[proof]
        if proof_ok is None:
            proof_ok = not socket or origin is not None
        name = host.format(port=port)
        fields = {**fields, "Host": name}
        if origin is not None:
            fields["Origin"] = origin.format(host=name)
        make = upgrade_head if socket else head
        method = {} if socket else {"method": "HEAD"}
        peer = connect(guarded)
        status = peer.ask(make(route + suffix, **method, **fields))
        wanted = expected(
            route, socket, HOSTS[host], ORIGINS[origin], proof_ok
        )
        if status != wanted:
            wrong.append((host, origin, proof, route, socket, status, wanted))
        peer.close()
    assert len(cells) > 3000
    assert not wrong, wrong[:10]


def test_wrong_and_missing_are_answered_alike(guarded):
    answers = {
        fetch(guarded.at(target), "-H", field).body
        for target, field in [
            ("/", "Accept: */*"), ("/?token=x", "Accept: text/html"),
            ("/none", "Authorization: Bearer x"), ("/", "Cookie: wsexec=x"),
        ]
    }
    assert len(answers) == 1
    assert answers.pop() == (
        b"a user name and a password, or a token, are needed\n"
    )


def test_a_browser_is_given_a_cookie_and_a_clean_address(start):
    run = start("--base-path", "/a", "--linger", "forever",
                script="echo x", env={**os.environ, "WSEXEC_TOKEN": TOKEN})
    page = run.at(f"/a/?tail=5&token={TOKEN}&stream=stderr")
    answer = fetch(page, "-H", "Accept: text/html,*/*;q=0.5")
    assert answer.status == 303
    assert answer.fields["location"] == "/a/?tail=5&stream=stderr"
    assert answer.fields["cache-control"] == "no-store"
    assert answer.fields["referrer-policy"] == "no-referrer"
    cookie, *attributes = answer.fields["set-cookie"].split("; ")
    assert attributes == ["Path=/a/", "HttpOnly", "SameSite=Lax"]
    assert cookie.startswith(f"wsexec-{run.port}=")
    assert TOKEN not in str(answer.fields)
    assert hashlib.sha256(TOKEN.encode()).hexdigest() not in cookie
    page = fetch(run.at("/a/"), "-H", f"Cookie: {cookie}",
                 "-H", "Accept: text/html")
    assert page.status == 200 and b"<html" in page.body
    # What is no page is given at once, and no cookie with it.
    answer = fetch(run.at(f"/a/?token={TOKEN}"))
    assert answer.body == b"x\n" and "set-cookie" not in answer.fields


@pytest.mark.parametrize("offered, answered", [
    (protocol(TOKEN), "wsexec.v1"),
    (f"chat, {protocol(TOKEN)}", "wsexec.v1"),
    (protocol(TOKEN).split(", ")[1], None),
])
def test_a_protocol_can_show_the_token(guarded, connect, offered, answered):
    peer = connect(guarded)
    status = peer.ask(upgrade_head(Sec_WebSocket_Protocol=offered))
    assert status == 101
    assert peer.fields.get("sec-websocket-protocol") == answered
    assert peer.read_message() == "x"


def serve_apart(start):
    env = {**os.environ, "WSEXEC_READ_TOKEN": READ,
           "WSEXEC_WRITE_TOKEN": WRITE}
    return start("--quiet", "--writable", command=["cat"], env=env)


def test_who_watches_and_who_writes_are_told_apart(start, connect):
    run = serve_apart(start)
    reader = connect(run).upgrade(f"/?format=json&token={READ}")
    writer = connect(run).upgrade(f"/?format=json&token={WRITE}")
    assert "writable" not in json.loads(reader.read_message())
    assert json.loads(writer.read_message())["writable"] is True
    reader.send(frame(TEXT, b"from the reader"))
    reader.send(frame(9, b"ping"))  # is answered when that has been taken
    while reader.read_frame()[0] != 10:
        pass
    writer.send(frame(TEXT, b"from the writer"))
    seen = ""
    while "from the" not in seen:
        seen = writer.read_message()
    assert '"from the writer"' in seen
    assert connect(run).ask(upgrade_head("/?token=other-token")) == 401


def test_both_addresses_are_announced(start):
    run = start("--quiet", "--writable", "--write-token", command=["cat"])
    shown = re.compile(rb"\?token=(\w{32})\n")
    wait_until(
        lambda: len(set(shown.findall(run.log.bytes))) == 2, "both addresses"
    )


MISTAKES = [
    (["--read-token"], {}, "a token for watching or for writing needs "
                           "--writable; one for all is --token"),
    ([], {"WSEXEC_WRITE_TOKEN": WRITE},
     "a token for watching or for writing needs --writable; one for all is "
     "--token"),
    (["--writable"], {"WSEXEC_WRITE_TOKEN": READ, "WSEXEC_READ_TOKEN": READ},
     "the token for watching is that for writing; take another one"),
    (["--writable", "--read-token-file", "/none/such"], {},
     "--read-token-file: /none/such: No such file or directory"),
    (["--writable"], {"WSEXEC_READ_TOKEN": "short"},
     "WSEXEC_READ_TOKEN: a token of 5 characters is not in 8..127"),
]


@pytest.mark.parametrize("options, variables, line", MISTAKES)
def test_a_mistake_is_one_line(options, variables, line):
    done = wsexec(*options, "--", "cat", env={**os.environ, **variables})
    assert done.returncode == 125
    assert done.stderr.decode() == f"wsexec: {line}\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look")
def test_no_token_is_left_where_others_look(start, connect, directory):
    log = directory / "access.log"
    env = {**os.environ, "WSEXEC_READ_TOKEN": READ,
           "WSEXEC_WRITE_TOKEN": WRITE, "WSEXEC_TOKEN": TOKEN}
    run = start(
        "-v", "--writable", "--access-log", str(log),
        "--access-log-format", "combined",
        command=["sh", "-c", "env; cat /proc/$PPID/environ; cat"], env=env,
    )
    announced = run.log.wait_for(WRITE.encode() + b"\n")
    tokens = (READ, WRITE, TOKEN)
    for token in tokens:
        assert announced.count(token.encode()) == 1
    for target in ("/status", "/metrics", "/raw?follow=0", "/?follow=0"):
        for token in tokens:
            sign = "&" if "?" in target else "?"
            answer = fetch(
                run.at(f"{target}{sign}token={token}"),
                "-H", f"Referer: http://a/?token={token}",
                "-H", f"Cookie: x={token}", "-A", token,
            )
            assert answer.status == 200
            for hidden in tokens:
                assert hidden.encode() not in answer.body
                assert hidden not in str(answer.fields)
    peer = connect(run).upgrade(
        "/?tail=0", Sec_WebSocket_Protocol=protocol(TOKEN)
    )
    peer.close()
    shown = memory_shown(run.pid)
    with open(f"/proc/{run.pid}/task/{run.pid}/children",
              encoding="ascii") as file:
        for child in file.read().split():
            shown += memory_shown(child)
    run.send_signal(15)
    run.wait()
    shown += run.log.wait_end()[len(announced):] + log.read_bytes()
    shown += run.stdout.wait_end()
    for token in tokens:
        assert token.encode() not in shown
        assert protocol(token).split(".")[-1].encode() not in shown


def test_garbage_is_answered_at_once(start, connect):
    run = start("--token", script="read _ <go")
    for bytes_sent, status in (
        (b"\0" * 16 + b"\r\n\r\n", 400), (b"hello\r\n\r\n", 400),
        (b"\xff" * 9000, 400), (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"SSH-2.0-OpenSSH_9.2\r\n", 501),
    ):
        peer = connect(run)
        assert peer.ask(bytes_sent) == status
        assert len(peer.read_body()) < 200


def test_over_tls_the_cookie_is_for_tls_alone(start, tls_options):
    run = start(*tls_options, "--token", "--linger", "forever",
                script="echo x")
    answer = fetch(run.url, "-k", "-H", "Accept: text/html")
    assert answer.status == 303
    cookie, *attributes = answer.fields["set-cookie"].split("; ")
    assert attributes[-1] == "Secure"
    address = run.url.partition("?")[0]
    answer = fetch(address, "-k", "-H", f"Cookie: {cookie}")
    assert answer.body == b"x\n"
