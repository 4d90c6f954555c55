# SPDX-License-Identifier: ISC
"""What terminals obey is made visible to clients that may be on one."""

import random
import re

import pytest

from harness import digest, wait_until
from viewers import Curl, Viewer, fetch, parse_records

ATTACKS = (
    b"\x1b[31mred\x1b[0m\n"
    b"\x1b]0;title\x07 \x1b[2J\x1bc \x9b31m\n"
    b"10%\r20%\r\n"
    b"\xc2\x9b31m \xe2\x80\xaegpj.exe \xe2\x81\xa6x\xe2\x81\xa9\n"
    b"cut \x1b[3\n1m\n"
    b"no newline \x1b"
)
COLOR = (
    "\x1b[31mred\x1b[0m\n"
    "^[]0;title^G ^[[2J^[c \ufffd31m\n"
    "10%^M20%\r\n"
    "<U+009B>31m <U+202E>gpj.exe <U+2066>x<U+2069>\n"
    "cut ^[[3\n1m\n"
    "no newline ^["
)
ALL = COLOR.replace("\x1b", "^[")


@pytest.fixture
def ended(start, tmp_path):
    """ended(level) has written ATTACKS and ended, and is still served."""

    def run(level):
        (tmp_path / "data").write_bytes(ATTACKS)
        started = start(
            "--linger", "forever", "--sanitize", level,
            command=["cat", str(tmp_path / "data")],
        )
        wait_until(
            lambda: b'"exit"' in fetch(
                started.at("/?format=json&follow=0&tail=0")).body,
            "the end of the run",
        )
        return started

    return run


@pytest.mark.parametrize("level, wanted", [("color", COLOR), ("all", ALL)])
def test_all_text_and_raw_is_safe(ended, level, wanted):
    run = ended(level)
    for target in ("/raw", "/?format=text", "/?format=raw&follow=0"):
        assert fetch(run.at(target)).body.decode() == wanted, target
    viewer = Viewer(run.at("", "ws"))
    viewer.wait_end()
    assert viewer.messages == wanted.split("\n")
    viewer = Viewer(run.at("/raw", "ws"))
    viewer.wait_end()
    assert b"".join(viewer.messages).decode() == wanted
    events = fetch(run.at("/events")).body.decode()
    assert not re.search(r"\x1b(?!\[[0-9;:]*m)|[\x80-\x9f\x07]", events)
    assert events.count("<U+202E>") == 1


def test_json_and_the_local_copy_are_as_they_were(ended):
    run = ended("all")
    records = parse_records([fetch(run.at("/?format=json")).body.decode()])
    texts = [r["text"] for r in records if r["type"] == "line"]
    assert texts == ATTACKS.decode(errors="replace").split("\n")
    run.send_signal(15)
    assert run.wait() == 0
    assert run.stdout.wait_end() == ATTACKS


def test_by_default_nothing_is_changed(ended):
    run = ended("none")
    assert fetch(run.at("/raw")).body == ATTACKS
    viewer = Viewer(run.at("", "ws"))
    viewer.wait_end()
    assert viewer.messages == ATTACKS.decode(errors="replace").split("\n")


def test_no_sequence_slips_between_two_pieces(start, clients):
    """An unfinished line goes to raw clients as it grows."""
    run = start(
        "--quiet", "--sanitize", "color",
        script=r"printf 'a\033['; read _ <go; printf '2Jb\303'; read _ <go; "
               r"printf '\251\033['; read _ <go; printf '1mc\r'; read _ <go; "
               r"printf '\033[mx\n'",
    )
    curl = Curl(run.at("/raw"))
    clients.append(curl)
    for shown in ("a", "a^[[2Jb", "a^[[2Jbé", "a^[[2Jbé\x1b[1mc"):
        assert curl.output.wait_for(shown.encode()) == shown.encode()
        run.go()
    assert curl.output.wait_end().decode() == "a^[[2Jbé\x1b[1mc^M\x1b[mx\n"


def test_random_bytes_arrive_safe_by_all_ways(start, tmp_path):
    noise = random.Random(1)
    parts = [b"\x1b[", b"31m", b"\x1b]", b"\xc2\x9b", b"\xe2\x80\xae", b"\n",
             b"\r", b"abc", "é€😀".encode()]
    data = b"".join(
        noise.choice(parts) + noise.randbytes(noise.randrange(3))
        for _ in range(50_000)
    )
    (tmp_path / "data").write_bytes(data)
    run = start(
        "--quiet", "--linger", "forever", "--sanitize", "color",
        command=["cat", str(tmp_path / "data")],
    )
    body = fetch(run.at("/raw")).body
    text = body.decode()
    # Not \n only: a chunk, a frame, or a piece may end anywhere.
    unsafe = r"\x1b(?!\[[0-9;:]*m)|[\0-\x08\x0b-\x0c\x0e-\x1a\x1c-\x1f\x7f]"
    unsafe += "|\r(?!\n)|[\x80-\x9f\u202a-\u202e\u2066-\u2069]"
    assert not re.search(unsafe, text[:-1])
    viewer = Viewer(run.at("", "ws"))
    viewer.wait_end()
    joined = "\n".join(viewer.messages) + "\n" * text.endswith("\n")
    assert digest(joined.encode()) == digest(body)
