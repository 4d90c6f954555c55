# SPDX-License-Identifier: ISC
"""What the end-to-end tests share: runs of wsexec, clients of them, and a
look at the end that no process is left."""

import pathlib
import shutil
import tempfile

import pytest

from authority import Authority
from harness import Run, become_subreaper, kill_children
from harness import wait_nothing_is_left
from inflating import InflatingPeer
from proxies import PROXIES, Site, recipe_options
from rawsocket import Peer
from viewers import Curl, Viewer


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "valgrind: also run in valgrind, so it is short"
    )
    become_subreaper()


@pytest.fixture
def directory():
    """A private directory."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="wsexec-test-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(autouse=True)
def leaves_nothing_running():
    yield
    try:
        wait_nothing_is_left()
    finally:
        kill_children()


@pytest.fixture
def start(directory, leaves_nothing_running):
    """start(option ..., script=... or command=[...]) starts wsexec; without
    a command it reads stdin, which is then to be given."""
    runs = []

    def start_run(*options, script=None, command=(), **keywords):
        if script is not None:
            command = ["sh", "-c", script]
        own = directory / f"run{len(runs)}"
        own.mkdir()
        runs.append(Run(own, options, command, **keywords))
        return runs[-1]

    yield start_run
    for run in runs:
        run.close()


@pytest.fixture
def clients(start):
    """Whatever is appended is closed at the end, before the runs are."""
    opened = []
    yield opened
    for client in reversed(opened):
        client.close()


@pytest.fixture
def view(clients):
    """view(run, query) attaches a WebSocket client."""

    def attach(run, query=""):
        clients.append(Viewer(run.at(f"/?{query}", "ws")))
        return clients[-1]

    return attach


@pytest.fixture
def curl(clients):
    """curl(argument ...) starts curl."""

    def attach(*arguments):
        clients.append(Curl(*arguments))
        return clients[-1]

    return attach


@pytest.fixture
def connect(clients):
    """connect(run) opens a plain connection."""

    def attach(run):
        clients.append(Peer(run.port))
        return clients[-1]

    return attach


@pytest.fixture
def inflate(clients):
    """inflate(run, query) attaches an InflatingPeer."""

    def attach(run, query="", **keywords):
        clients.append(InflatingPeer(run.port, query, **keywords))
        return clients[-1]

    return attach


@pytest.fixture(params=PROXIES)
def language(request):
    """Of the recipe of each proxy in turn."""
    return request.param


@pytest.fixture
def serve(language, start, directory):
    """serve(option ..., script=...) starts wsexec behind a proxy, as the
    README says; a test that uses it is made for each proxy. upstream is the
    path of a Unix socket between them, if given; changes and certificate
    are for the proxy."""
    sites = []

    def begin(*options, upstream=None, changes=(), certificate=None,
              **keywords):
        place = [] if upstream is None else ["--unix-socket", str(upstream)]
        run = start(*place, *recipe_options(), *options, **keywords)
        proxy = PROXIES[language](
            directory, upstream or run.port, changes, certificate
        )
        sites.append(Site(run, proxy))
        return sites[-1]

    yield begin
    for site in sites:
        site.close()


@pytest.fixture
def authority(directory, monkeypatch):
    """An authority that all clients trust."""
    made = Authority(directory)
    for name in (
        "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS",
        "WEBSOCKET_CLIENT_CA_BUNDLE",
    ):
        monkeypatch.setenv(name, str(made.cert))
    return made


@pytest.fixture
def identity(authority):
    return authority.issue("server")


@pytest.fixture
def tls_options(identity):
    return ("--tls-cert", str(identity.cert), "--tls-key", str(identity.key))


@pytest.fixture
def connect_tls(clients, authority):
    """connect_tls(run) opens a connection with TLS."""

    def attach(run, **keywords):
        context = authority.context(**keywords)
        clients.append(Peer(run.port, context))
        return clients[-1]

    return attach


@pytest.fixture
def view_tls(clients):
    """view_tls(run, query) attaches a WebSocket client by TLS."""

    def attach(run, query="", **keywords):
        clients.append(Viewer(run.at(f"/?{query}", "wss"), **keywords))
        return clients[-1]

    return attach
