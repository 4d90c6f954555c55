# SPDX-License-Identifier: ISC
"""--completion in the shells it is for, on a terminal; and --help, which is
made from the same table."""

import os
import re
import subprocess

import pytest

from harness import Collector, wsexec

COMMAND = "run-by-nobody"
SHOWN = re.compile(rb"\[line: (.*?)\]")

# What is typed before the tabulator, and what it makes of the last word.
COMPLETED = {
    "wsexec --sl": "--slow",
    "wsexec --sta": "--stall-timeout",
    "wsexec -q --his": "--history",
    "wsexec --slow sk": "skip",
    "wsexec --slow=di": "--slow=disconnect",
    "wsexec --linger fo": "forever",
    "wsexec --completion z": "zsh",
    "wsexec -s TER": "TERM",
    "wsexec -qs TER": "TERM",
    "wsexec --signal=WIN": "--signal=WINCH",
    "wsexec --output only-f": "only-file",
    "wsexec --unix-socket only-f": "only-file",
    "wsexec --token-file=only-f": "--token-file=only-file",
    "wsexec -o only-file --cwd only-": "only-directory/",
    "wsexec -p 8080 --lin": "--linger",
    "wsexec -p8080 --lin": "--linger",
    "wsexec --port=8080 --lin": "--linger",
    "wsexec --slow skip --lin": "--linger",
    "wsexec -a ::1 --lin": "--linger",
    "wsexec --address=::1 --lin": "--linger",
    "wsexec --origin http://a:80 --lin": "--linger",
    "wsexec -e A=b -qe C=d:e --lin": "--linger",
    "wsexec run-by-n": COMMAND,
    "wsexec -q run-by-n": COMMAND,
    "wsexec -p 8080 -- run-by-n": COMMAND,
    "wsexec cat only-f": "only-file",
    "wsexec -q -- cat only-f": "only-file",
    # What is behind the command is not ours.
    "wsexec cat --sl": "--sl",
    "wsexec -- cat --slow sk": "sk",
    "wsexec -p --sl": "--sl",
}

SETUP = {
    "bash": r"""
shell_shows() { printf '[line: %s]\n' "$READLINE_LINE"; }
bind -x '"\C-xs": shell_shows'
bind 'set bell-style none'
. ./completion
""",
    "zsh": r"""
shell_shows() { print -r -- "[line: $BUFFER]"; }
zle -N shell_shows
bindkey '^Xs' shell_shows
mkdir functions && cp completion functions/_wsexec
fpath=($PWD/functions $fpath)
autoload -Uz compinit && compinit -D -u
""",
}


class Shell:
    """An interactive shell in a directory of its own, with completion."""

    def __init__(self, name, directory):
        script = wsexec("--completion", name)
        assert (script.returncode, script.stderr) == (0, b"")
        (directory / "completion").write_bytes(script.stdout)
        (directory / "setup").write_text(SETUP[name])
        (directory / "only-file").touch()
        (directory / "only-directory").mkdir()
        (directory / "bin").mkdir()
        (directory / "bin" / COMMAND).touch(mode=0o755)
        options = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"]}[name]
        self.master, slave = os.openpty()
        self.process = subprocess.Popen(
            [name, *options, "-i"],
            stdin=slave, stdout=slave, stderr=slave, cwd=directory,
            start_new_session=True,
            env={
                "PATH": f"{directory}/bin:{os.environ['PATH']}",
                "HOME": str(directory),
                "TERM": "xterm",
                "COLUMNS": "500",
                "LC_ALL": "C",
            },
        )
        os.close(slave)
        # The prompt says that the line editor is there and has the terminal.
        self.output = Collector(os.fdopen(self.master, "r+b", 0))
        self.type(b". ./setup; PS1='rea''dy>'\n")
        self.output.wait_for(b"ready>")

    def type(self, keys):
        os.write(self.master, keys)

    def complete(self, typed):
        """What a tabulator makes of a line."""
        before = len(SHOWN.findall(self.output.bytes))
        self.type(typed.encode() + b"\t\x18s")
        with self.output.changed:
            assert self.output.changed.wait_for(
                lambda: len(SHOWN.findall(self.output.bytes)) > before, 60
            ), bytes(self.output.bytes)
            line = SHOWN.findall(self.output.bytes)[-1].decode()
        self.type(b"\x15")
        return line

    def close(self):
        self.process.kill()
        self.process.wait()
        self.output.thread.join()
        self.output.file.close()


@pytest.mark.parametrize("name", ["bash", "zsh"])
def test_a_shell_completes(name, directory, clients):
    shell = Shell(name, directory)
    clients.append(shell)
    wrong = {}
    for typed, wanted in COMPLETED.items():
        line = shell.complete(typed)
        head = typed.rpartition(" ")[0]
        # A shell may put a blank or "=" behind what can only be this.
        if line.rstrip(" =") != f"{head} {wanted}".rstrip(" ="):
            wrong[typed] = line
    assert not wrong


def test_every_option_is_completed(directory):
    options = set(
        re.findall(r"^  (?:-\w, |    )(--[a-z-]+)", help_text(), re.MULTILINE)
    )
    assert len(options) > 30
    (directory / "script").write_bytes(wsexec("--completion", "bash").stdout)
    done = subprocess.run(
        ["bash", "-c", """
. ./script
COMP_LINE='wsexec --' COMP_WORDS=(wsexec --) COMP_CWORD=1
_wsexec
printf '%s\\n' "${COMPREPLY[@]}"
"""],
        cwd=directory, capture_output=True, check=True, text=True,
    )
    assert set(done.stdout.split()) == options
    assert done.stderr == ""


def help_text():
    return wsexec("--help").stdout.decode()


def test_help_is_in_groups_and_fits_a_terminal():
    text = help_text()
    lines = text.splitlines()
    assert max(len(line) for line in lines) < 80
    assert "\t" not in text
    paragraphs = text.split("\n\n")
    assert paragraphs[0].startswith("usage: wsexec ")
    for paragraph in paragraphs[1:-1]:
        heading, *rows = paragraph.splitlines()
        assert re.fullmatch(r"[A-Z][a-z ]+:", heading)
        assert rows
        for row in rows:
            assert re.match(r"  (-\w, |    )--[a-z]| {28}\S", row), row


def test_an_unknown_shell_is_an_error():
    done = wsexec("--completion", "fish")
    assert (done.returncode, done.stdout) == (125, b"")
    assert b"'fish' is not bash|zsh" in done.stderr
