# SPDX-License-Identifier: ISC
"""--browser: the page is opened by a program of the user's."""

import os

import pytest

from harness import wait_until


def environment(browser):
    return {**os.environ, "BROWSER": str(browser)}


@pytest.fixture
def browser(directory):
    """A program that notes its arguments and descriptors."""
    program = directory / "the browser"
    program.write_text(
        "#!/bin/sh\n"
        f"ls /proc/$$/fd >'{directory}/descriptors'\n"
        f"printf '%s\\n' \"$#\" \"$1\" >'{directory}/part'\n"
        f"mv '{directory}/part' '{directory}/opened'\n"
    )
    program.chmod(0o755)
    return program


def opened(directory):
    """The number of arguments, and the first one."""
    wait_until((directory / "opened").exists, "the browser")
    return (directory / "opened").read_text().splitlines()


def test_the_page_is_opened(start, browser, directory):
    run = start("-B", script="read _ <go; exit 3", env=environment(browser))
    assert opened(directory) == ["1", run.url]
    # What is above 9 the shell has opened.
    descriptors = (directory / "descriptors").read_text().split()
    assert {*descriptors} & {*"0123456789"} == {*"012"}
    run.go()
    assert run.wait() == 3
    assert b"--browser" not in run.log.wait_end()


def test_the_address_has_its_token(start, browser, directory):
    run = start(
        "--browser", "--token", script="read _ <go", env=environment(browser)
    )
    assert "?token=" in run.url
    assert opened(directory) == ["1", run.url]


def test_a_page_of_standard_input_is_opened(start, browser, directory):
    read, write = os.pipe()
    run = start("-B", stdin=read, env=environment(browser))
    os.close(read)
    assert opened(directory) == ["1", run.url]
    os.close(write)
    assert run.wait() == 0


def test_the_first_browser_that_there_is(start, browser, directory):
    names = f":no-such-browser-x:{browser}:false"
    run = start("-B", script="read _ <go", env=environment(names))
    assert opened(directory) == ["1", run.url]


@pytest.mark.parametrize("name, message", [
    ("no-such-browser-x", b"cannot run no-such-browser-x"),
    ("false", b"false has failed with status 1"),
])
def test_a_failure_is_one_warning(start, name, message):
    run = start(
        "-B", script="echo a; read _ <go; echo b", env=environment(name)
    )
    run.log.wait_for(message)
    run.go()
    assert run.wait() == 0
    assert run.stdout.wait_end() == b"a\nb\n"
    assert run.log.wait_end().count(b"--browser") == 1


def test_nobody_waits_for_a_browser(start, directory):
    os.mkfifo(directory / "closed")
    program = directory / "slow"
    program.write_text(f"#!/bin/sh\nread _ <'{directory}/closed'\n")
    program.chmod(0o755)
    run = start("-B", script="exit 4", env=environment(program))
    assert run.wait() == 4
    # It has outlived us, and ends now.
    (directory / "closed").write_text("\n")


def test_no_browser_opens_a_unix_socket(start, browser, directory):
    run = start(
        "-B", "--unix-socket", str(directory / "socket"),
        script="exit 0", env=environment(browser),
    )
    assert run.wait() == 0
    assert b"--browser: there is no address" in run.log.wait_end()
    assert not (directory / "opened").exists()
