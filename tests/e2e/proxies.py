# SPDX-License-Identifier: ISC
"""Proxies in front of wsexec, with what README.md says of them: its recipes
are what runs here, adapted in nothing but ports and paths."""

import os
import re
import shlex
import signal
import socket
import subprocess

import pytest

from harness import ROOT, TIMEOUT_S, Collector, wait_until
from rawsocket import Peer
from viewers import Curl, Viewer, fetch

HOST = "example.org"
BASE = "/build/"
UPSTREAM = "127.0.0.1:8080"
UNIX_UPSTREAM = "/run/build.sock"
COMMAND = re.compile(r"    (wsexec --base-path(?:.*\\\n)*.*) -- make\n")


def readme():
    return (ROOT / "README.md").read_text(encoding="utf-8")


def recipe(language):
    """The block of README.md in this language; there must be one."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", readme(), re.DOTALL)
    return found


def recipe_options():
    """The options of wsexec behind a proxy."""
    (found,) = COMMAND.findall(readme())
    return shlex.split(found.replace("\\\n", ""))[1:]


def adapt(text, old, new):
    """Replaces what must be there once."""
    assert text.count(old) == 1, f"{old!r} in {text}"
    return text.replace(old, new)


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Port:
    """A port that nobody else gets, but who asks for just this one with
    SO_REUSEADDR, as servers do: it is bound, and does not listen."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", 0))
        self.number = self.socket.getsockname()[1]

    def close(self):
        self.socket.close()


class Proxy:
    """A proxy in front of what listens at a port or, as a path, on a Unix
    socket. changes are (old, new) in its recipe; certificate is a file
    with a key and a certificate, for TLS."""

    language = None
    here = None  # where the recipe has no port, as that is not its matter
    unix = None  # the directive that takes the place of its like
    user = os.getuid()

    def __init__(self, directory, upstream, changes=(), certificate=None):
        self.directory = directory
        self.port = Port()
        self.certificate = certificate
        text = recipe(self.language)
        text = adapt(text, self.here, self.listen())
        for old, new in [*self.upstream(text, upstream), *changes]:
            text = adapt(text, old, new)
        self.config = directory / self.language
        self.config.write_text(self.wrap(text))
        self.process = None
        self.log = None
        self.start()

    def upstream(self, text, upstream):
        """What to change for it in the recipe."""
        if isinstance(upstream, int):
            return [(UPSTREAM, f"127.0.0.1:{upstream}")]
        told = re.search(rf"`({self.unix} \S*{UNIX_UPSTREAM};?)`", readme())
        (old,) = re.findall(rf"{self.unix} .*", text)
        return [(old, adapt(told[1], UNIX_UPSTREAM, str(upstream)))]

    def start(self):
        """Returns when it listens."""
        self.process = subprocess.Popen(
            self.command(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.directory,
            env={
                **os.environ,
                "HOME": str(self.directory),
                "XDG_CONFIG_HOME": str(self.directory),
                "XDG_DATA_HOME": str(self.directory),
            },
            start_new_session=True,
        )
        self.log = Collector(self.process.stdout)
        wait_until(
            lambda: is_open(self.port.number) or self.log.ended,
            f"{self.language} listens",
        )
        if self.log.ended:
            pytest.fail(self.log.bytes.decode())

    def kill(self):
        """Ends it at once, with all its processes and connections."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(TIMEOUT_S)
        self.log.wait_end()
        self.log.thread.join(TIMEOUT_S)
        self.log.file.close()
        self.process = None

    def close(self):
        if self.process is not None:
            self.kill()
        self.port.close()


class Nginx(Proxy):
    language = "nginx"
    here = "# listen, certificates ..."
    unix = "proxy_pass"

    def listen(self):
        place = f"listen 127.0.0.1:{self.port.number}"
        if not self.certificate:
            return place + ";"
        return (
            f"{place} ssl http2; ssl_certificate {self.certificate};"
            f"ssl_certificate_key {self.certificate};"
        )

    def wrap(self, text):
        temporary = "\n".join(
            f"{kind}_temp_path {self.directory};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;" if self.user == 0 else ""
        return (
            f"daemon off; pid nginx.pid; error_log stderr; {user}\n"
            "events {}\n"
            f"http {{ access_log off; {temporary}\n{text}}}\n"
        )

    def command(self):
        return [
            "/usr/sbin/nginx", "-e", "stderr", "-p", str(self.directory),
            "-c", str(self.config),
        ]


class Haproxy(Proxy):
    language = "haproxy"
    here = "# bind, certificates ..."
    unix = "server wsexec"

    def listen(self):
        place = f"bind 127.0.0.1:{self.port.number}"
        if not self.certificate:
            return place
        return f"{place} ssl crt {self.certificate} alpn h2,http/1.1"

    def wrap(self, text):
        return f"global\n    maxconn 1000\n{text}"

    def command(self):
        return ["/usr/sbin/haproxy", "-db", "-f", str(self.config)]


class Caddy(Proxy):
    language = "caddy"
    here = "example.org {"
    unix = "reverse_proxy @build"

    def listen(self):
        if not self.certificate:
            return (
                f"http://example.org:{self.port.number} {{\n"
                "    bind 127.0.0.1"
            )
        return (
            f"example.org:{self.port.number} {{\n    bind 127.0.0.1\n"
            f"    tls {self.certificate} {self.certificate}"
        )

    def wrap(self, text):
        return f"{{\n    admin off\n    auto_https off\n}}\n{text}"

    def command(self):
        return [
            "/usr/bin/caddy", "run", "--adapter", "caddyfile",
            "--config", str(self.config),
        ]


PROXIES = {kind.language: kind for kind in (Nginx, Haproxy, Caddy)}


class Site:
    """https://example.org/build/, or with http: what clients of a proxy
    see. Whatever it opens is closed with it."""

    def __init__(self, run, proxy):
        self.run = run
        self.proxy = proxy
        self.clients = []
        self.scheme = "https" if proxy.certificate else "http"

    def url(self, rest):
        return f"{self.scheme}://{HOST}{BASE}{rest}"

    def arguments(self):
        """Options that bring curl here."""
        place = f"::127.0.0.1:{self.proxy.port.number}"
        trust = self.proxy.certificate
        return [
            "--connect-to", place, *(["--cacert", trust] if trust else []),
        ]

    def fetch(self, rest="", *arguments):
        return fetch(self.url(rest), *self.arguments(), *arguments)

    def keep(self, client):
        self.clients.append(client)
        return client

    def curl(self, rest="", *arguments):
        return self.keep(
            Curl(*self.arguments(), *arguments, self.url(rest))
        )

    def view(self, rest="", **keywords):
        url = self.url(rest).replace("http", "ws", 1)
        return self.keep(Viewer(
            url, host="127.0.0.1", port=self.proxy.port.number, **keywords
        ))

    def connect(self):
        return self.keep(Peer(self.proxy.port.number))

    def close(self):
        for client in self.clients:
            client.close()
        self.proxy.close()
