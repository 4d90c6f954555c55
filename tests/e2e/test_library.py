# SPDX-License-Identifier: ISC
"""libwsexec as it is installed: its manual has all of it, and the example
there is a program that can be built and does what it says."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from harness import ROOT, TIMEOUT_S, Collector, is_sanitized, wsexec_path
from viewers import Viewer, fetch

HEADER = ROOT / "src" / "wsexec.h"
MANUAL = ROOT / "man" / "libwsexec.3"
WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def example():
    """The C program of the manual."""
    text = MANUAL.read_text(encoding="utf-8")
    (found,) = re.findall(
        r"^\.Bd -literal\n(#include.*?)^\.Ed$", text, re.DOTALL | re.MULTILINE
    )
    assert "\\" not in found.replace("\\e", "")
    return found.replace("\\e", "\\")


def declarations():
    """The header without comments."""
    text = HEADER.read_text(encoding="utf-8")
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def prototypes_of_header():
    found = re.findall(
        r"^(\w[\w ]*[ *])(wsexec_\w+)\(([^;]*)\);", declarations(),
        re.MULTILINE,
    )
    return {
        name: (kind.strip(), [" ".join(a.split()) for a in words.split(",")])
        for kind, name, words in found
    }


def prototypes_of_manual():
    text = MANUAL.read_text(encoding="utf-8")
    synopsis = text.partition(".Sh SYNOPSIS\n")[2].partition(".Sh ")[0]
    found = {}
    for part in synopsis.split(".Ft ")[1:]:
        kind, head, *arguments = part.splitlines()
        if head.startswith(".Fn "):
            name, *arguments = re.findall(r'"[^"]*"|\S+', head[4:])
        else:
            name = head.removeprefix(".Fo ")
            assert arguments.pop() == ".Fc"
            arguments = [line.removeprefix(".Fa ") for line in arguments]
        arguments = [argument.strip('"') for argument in arguments]
        found[name] = (kind.strip('"'), arguments)
    return found


def members_of_header():
    """The members of structures, and the constants."""
    text = declarations()
    for body in re.findall(r"^struct \w+ \{(.*?)^\};", text,
                           re.DOTALL | re.MULTILINE):
        for member in body.split(";")[:-1]:
            pointer = re.search(r"\(\*(\w+)\)", member)
            yield pointer[1] if pointer else re.search(r"(\w+)$", member)[1]
    for body in re.findall(r"^enum \w+ \{(.*?)^\};", text,
                           re.DOTALL | re.MULTILINE):
        yield from re.findall(r"WSEXEC_\w+", body)


def test_the_manual_has_all_of_the_header():
    assert prototypes_of_manual() == prototypes_of_header()
    text = MANUAL.read_text(encoding="utf-8")
    items = set(re.findall(r"^\.It Fa \"(.*)\"$", text, re.MULTILINE))
    told = {re.search(r"\(\*(\w+)\)|(\w+)$", item) for item in items}
    told = {match[1] or match[2] for match in told}
    told |= set(re.findall(r"^\.(?:It )?Dv (WSEXEC_\w+)", text, re.MULTILINE))
    assert told == set(members_of_header())


@pytest.fixture
def pkg_config(directory):
    """Installs all, and returns what pkg-config says of the library there."""
    build = pathlib.Path(wsexec_path()).resolve().parent
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    # As it is: what it was built with is not known here.
    subprocess.run(
        ["make", "-s", "-C", str(ROOT), "-o", "all", f"B={build}", "install",
         f"DESTDIR={directory}/", "PREFIX=/opt"],
        env=env, capture_output=True, check=True,
    )
    return subprocess.run(
        ["pkg-config", "--define-prefix", "--cflags", "--libs", "libwsexec"],
        env={**env, "PKG_CONFIG_PATH": f"{directory}/opt/lib/pkgconfig"},
        capture_output=True, check=True, text=True,
    ).stdout.split()


@pytest.fixture
def program(directory, pkg_config):
    """program(change ...) builds the example, with (old, new) text, and
    starts it."""
    started = []

    def begin(*changes):
        text = example()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (directory / "example.c").write_text(text)
        sanitize = "-fsanitize=address,undefined" if is_sanitized() else "-O1"
        subprocess.run(
            [os.environ.get("CC", "gcc"), *WARNINGS, sanitize, "-o",
             "example", "example.c", *pkg_config],
            cwd=directory, check=True,
        )
        process = subprocess.Popen(
            [directory / "example"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        process.output = Collector(process.stdout)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()
        process.stdin.close()
        process.output.thread.join(TIMEOUT_S)
        process.stdout.close()


def address_of(process):
    return process.output.wait_for(b"\n").decode().strip()


def test_the_example_serves_what_it_reads(program, clients):
    process = program()
    url = address_of(process)
    clients.append(Viewer(url.replace("http", "ws", 1)))
    viewer = clients[-1]
    process.stdin.write(b"one\ntw")
    process.stdin.flush()
    viewer.wait_message("one")
    assert fetch(f"{url}?follow=0").body == b"one\n"
    title = fetch(f"{url}?format=json&follow=0").body
    assert b'"title":"an example"' in title
    process.stdin.write(b"o")
    process.stdin.close()
    assert viewer.wait_end().messages == ["one", "two"]
    assert (viewer.code, viewer.reason) == (1000, "exit 0")
    assert process.wait(TIMEOUT_S) == 0


def test_a_configuration_may_be_from_an_earlier_version(program):
    """Where there was nothing yet behind its size."""
    process = program(
        ("#include <err.h>", "#include <err.h>\n#include <stddef.h>"),
        (".size = sizeof(config)",
         ".size = offsetof(struct wsexec_config, proxies),\n"
         ".proxies = (const char *const *)8"),
    )
    process.stdin.close()
    assert address_of(process).startswith("http://127.0.0.1:")
    assert process.wait(TIMEOUT_S) == 0


def test_the_header_is_one_of_cxx_too(directory, pkg_config):
    compiler = shutil.which("clang++")
    assert compiler is not None
    (directory / "user.cc").write_text("#include <wsexec.h>\n")
    flags = [flag for flag in pkg_config if flag.startswith("-I")]
    subprocess.run(
        [compiler, "-std=c++11", "-Wall", "-Wextra", "-Werror",
         "-fsyntax-only", *flags, "user.cc"],
        cwd=directory, check=True,
    )
