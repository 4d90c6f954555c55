# SPDX-License-Identifier: ISC
"""Programs that are measured: built here, or from another revision."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
JOBS = f"-j{os.cpu_count()}"


def run(*words, **keywords):
    """Runs a command that has nothing to say unless it fails."""
    done = subprocess.run([str(word) for word in words], text=True,
                          check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **keywords)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(done.args)}: status "
                           f"{done.returncode}\n{done.stdout}")


def tools():
    """The directory of emit, swarm, floor and pour: $BENCH_TOOLS, or where
    they are built."""
    if "BENCH_TOOLS" in os.environ:
        return pathlib.Path(os.environ["BENCH_TOOLS"]).resolve()
    run("make", "-C", ROOT, JOBS, "bench-tools")
    return ROOT / "build" / "tests" / "bench"


def wsexec():
    """The program: $WSEXEC, or that of this tree."""
    if "WSEXEC" in os.environ:
        return os.path.realpath(os.environ["WSEXEC"])
    run("make", "-C", ROOT, JOBS, "all")
    return str(ROOT / "build" / "wsexec")


def gorilla():
    """The server in Go, from Debian's package of the library."""
    target = ROOT / "build" / "tests" / "bench" / "gorilla"
    target.parent.mkdir(parents=True, exist_ok=True)
    run("go", "build", "-o", target,
        ROOT / "tests" / "bench" / "peers" / "gorilla.go",
        env={**os.environ, "GO111MODULE": "off",
             "GOPATH": "/usr/share/gocode",
             "GOCACHE": str(target.parent / "go-cache")})
    return str(target)


@contextlib.contextmanager
def revision(name):
    """The program as it was at a revision, built in a worktree that is gone
    at the end; or the program itself, if there is such a file."""
    if os.path.isfile(name):
        yield os.path.realpath(name)
        return
    directory = tempfile.mkdtemp(prefix="wsexec-bench-")
    tree = directory + "/tree"
    try:
        run("git", "-C", ROOT, "worktree", "add", "--detach", tree, name)
        try:
            run("make", "-C", tree, JOBS, "all")
            yield tree + "/build/wsexec"
        finally:
            run("git", "-C", ROOT, "worktree", "remove", "--force", tree)
    finally:
        shutil.rmtree(directory)
