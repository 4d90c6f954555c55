# SPDX-License-Identifier: ISC
"""What the browser tests share: a browser, runs of wsexec that do what the
test says when it says so, and a proxy that cuts connections.

The binary is $WSEXEC, or build/wsexec."""

import base64
import hashlib
import os
import pathlib
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import threading

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.support.ui import WebDriverWait

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT_S = 30

CHROMIUM_ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1000,700",
]


def wsexec_path():
    path = os.environ.get("WSEXEC", str(ROOT / "build" / "wsexec"))
    if not os.access(path, os.X_OK):
        pytest.fail(f"{path} is not there; build it or set WSEXEC")
    return path


class Certificate:
    """A certificate for 127.0.0.1, signed by its own key."""

    def __init__(self, directory):
        self.cert = directory / "cert.pem"
        self.key = directory / "key.pem"
        subprocess.run(
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-noenc", "-days", "2",
                "-subj", "/CN=wsexec", "-addext",
                "subjectAltName=IP:127.0.0.1", "-keyout", self.key,
                "-out", self.cert,
            ],
            capture_output=True, check=True,
        )

    def key_digest(self):
        """What stands for it where a browser is told to trust it."""
        public = subprocess.run(
            ["openssl", "pkey", "-in", self.key, "-pubout", "-outform",
             "DER"],
            capture_output=True, check=True,
        ).stdout
        return base64.b64encode(hashlib.sha256(public).digest()).decode()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return Certificate(tmp_path_factory.mktemp("certificate"))


def start_browser(profile, *arguments):
    """Chromium, with everything it keeps in this directory."""
    options = webdriver.ChromeOptions()
    for argument in [
        *CHROMIUM_ARGUMENTS, f"--user-data-dir={profile}", *arguments
    ]:
        options.add_argument(argument)
    options.binary_location = shutil.which("chromium")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.chrome.service.Service(shutil.which("chromedriver"))
    return webdriver.Chrome(service=service, options=options)


@pytest.fixture(scope="session")
def browser(tmp_path_factory, certificate):
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        pytest.skip("needs chromium and chromedriver")
    trusted = certificate.key_digest()
    driver = start_browser(
        tmp_path_factory.mktemp("profile"),
        f"--ignore-certificate-errors-spki-list={trusted}",
    )
    yield driver
    driver.quit()


class Page:
    """The viewer page in the browser."""

    def __init__(self, browser):
        self.browser = browser

    def open(self, url):
        self.browser.get_log("browser")
        self.browser.get(url)
        self.browser.set_script_timeout(TIMEOUT_S)
        # What the page's own module has made, for the scripts of tests.
        self.browser.execute_async_script(
            "const done = arguments[0];"
            "if (document.getElementById('log') === null) done();"
            "else import('./viewer.js').then((viewer) => {"
            " window.viewer = viewer; done(); }, done)"
        )

    def open_anew(self, url):
        """Also where the page is there and only what is marked changes."""
        self.browser.get("about:blank")
        self.open(url)

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def wait(self, script, *arguments):
        """Waits until the expression is true; returns its value."""
        wait = WebDriverWait(self.browser, TIMEOUT_S, poll_frequency=0.05)
        return wait.until(
            lambda _: self.run(f"return ({script})", *arguments),
            f"never true: {script} {arguments}",
        )

    def press(self, keys, held=""):
        """Keys go to what has the focus; held: while this one is down."""
        actions = ActionChains(self.browser)
        if held:
            actions.key_down(held)
        actions.send_keys(keys)
        if held:
            actions.key_up(held)
        actions.perform()

    def click(self, selector):
        self.browser.find_element("css selector", selector).click()

    def wait_state(self, state):
        self.wait("document.body.dataset.state === arguments[0]", state)

    def wait_text(self, text):
        """Waits for a row of just this text; returns its stream."""
        return self.wait(
            "[...document.querySelectorAll('.row[data-stream]:not(.partial)')]"
            ".filter(row => row.querySelector('.text').textContent ==="
            " arguments[0]).map(row => row.dataset.stream)[0]",
            text,
        )

    def rows(self):
        """The finished lines in the document, on the screen or near it, as
        (sequence number, stream, text)."""
        rows = self.run(
            "return [...document.querySelectorAll("
            "'.row[data-stream]:not(.partial)')].map(row =>"
            " [Number(row.dataset.seq), row.dataset.stream,"
            " row.querySelector('.text').textContent])"
        )
        return [tuple(row) for row in rows]

    def log(self):
        """All lines that the page has in memory, in the same way."""
        rows = self.run(
            "const rows = [];"
            "for (let s = viewer.store.first; s <= viewer.store.last; s++) {"
            " const line = viewer.store.line(s);"
            " if (line?.record.type === 'line')"
            "  rows.push([s, line.record.stream, line.text]); }"
            "return rows"
        )
        return [tuple(row) for row in rows]

    def wait_log(self, last):
        """Waits until all lines up to this one are in memory."""
        self.wait(
            "viewer.store.last >= arguments[0] &&"
            " viewer.store.lastHole(1, arguments[0]) === null",
            last,
        )
        return self.log()

    def on_screen(self):
        """Sequence numbers of the rows that are seen."""
        return self.run(
            "const log = document.getElementById('log')"
            ".getBoundingClientRect();"
            "return [...document.querySelectorAll('.row[data-seq]')].filter("
            "row => { const { top, bottom } = row.getBoundingClientRect();"
            " return bottom > log.top + 1 && top < log.bottom - 1; })"
            ".map(row => Number(row.dataset.seq))"
        )

    def scroll(self, change):
        """Scrolls, and waits until scrolling rests; change: a script that
        sets log.scrollTop."""
        self.browser.execute_async_script(
            "const log = document.getElementById('log');"
            "const done = arguments[0];"
            f"{change};"
            "requestAnimationFrame(() => setTimeout(done, 250))"
        )

    def text(self, selector):
        return self.run(
            "return document.querySelector(arguments[0]).textContent",
            selector,
        )

    def is_shown(self, selector):
        return self.run(
            "return document.querySelector(arguments[0]).checkVisibility()",
            selector,
        )

    def complaints(self):
        """Errors on the console, such as breaches of the page's policy."""
        return [
            entry["message"]
            for entry in self.browser.get_log("browser")
            if entry["level"] == "SEVERE"
        ]


@pytest.fixture
def page(browser):
    yield Page(browser)
    browser.get("about:blank")


class Run:
    """wsexec with a shell that takes its orders from the test."""

    def __init__(self, directory, options):
        self.orders_path = directory / "orders"
        os.mkfifo(self.orders_path)
        self.process = subprocess.Popen(
            [
                wsexec_path(), "--port", "0", *options, "--",
                "sh", "-c",
                # 9 is the standard input that wsexec gives it.
                'exec 9<&0; '
                'while IFS= read -r order; do eval "$order"; done <"$0"',
                str(self.orders_path),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        announced = self.process.stderr.readline().decode()
        if "://127.0.0.1:" not in announced:
            self.process.kill()
            pytest.fail(f"not the address: {announced!r}")
        self.url = announced.removeprefix("wsexec: ").strip()
        self.port = int(self.url.split(":")[2].split("/")[0])
        # Nobody reads it otherwise, and the copy of stderr must not block.
        self.drain = threading.Thread(
            target=self.process.stderr.read, daemon=True
        )
        self.drain.start()
        self.orders = open(self.orders_path, "w", buffering=1)

    def order(self, command):
        """The shell does this; one line."""
        self.orders.write(command + "\n")

    def say(self, text, stream="stdout"):
        """The shell writes this line."""
        redirection = " >&2" if stream == "stderr" else ""
        self.order(f"printf '%s\\n' {shlex.quote(text)}{redirection}")

    def count(self, first, last, text="line"):
        self.order(f"seq -f {shlex.quote(text + ' %.0f')} {first} {last}")

    def wait(self):
        return self.process.wait(TIMEOUT_S)

    def close(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        try:
            self.orders.close()
        except BrokenPipeError:
            pass
        self.drain.join()
        self.process.stderr.close()


@pytest.fixture
def start_run(tmp_path_factory):
    """start_run(option ...) starts wsexec on a port of its own."""
    runs = []

    def start(*options):
        runs.append(Run(tmp_path_factory.mktemp("run"), options))
        return runs[-1]

    yield start
    for run in runs:
        run.close()


class Proxy:
    """A TCP proxy that can cut what goes through it."""

    def __init__(self, port):
        self.target = port
        self.limits = []
        self.requests = []
        self.answers = bytearray()  # all that came down
        self.cuts = 0
        self.lock = threading.Lock()
        self.pairs = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        threading.Thread(target=self.accept, daemon=True).start()

    def cut_after(self, *limits):
        """Each of the next connections is cut after so many bytes down."""
        with self.lock:
            self.limits = list(limits)

    def cut(self):
        """Cuts all there are now."""
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            self.reset(*pair)

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            with self.lock:
                self.pairs.append((client, server))
                limit = self.limits.pop(0) if self.limits else None
            for source, sink, most, kept in (
                (client, server, None, bytearray()),
                (server, client, limit, self.answers),
            ):
                threading.Thread(
                    target=self.pump, args=(source, sink, most, kept),
                    daemon=True,
                ).start()

    def pump(self, source, sink, most, kept):
        try:
            while most is None or most > 0:
                data = source.recv(65536 if most is None else most)
                if data.startswith(b"GET "):
                    self.requests.append(data.split()[1].decode())
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                kept += data
                sink.sendall(data)
                most = None if most is None else most - len(data)
            self.cuts += 1
            self.reset(source, sink)
        except OSError:
            self.reset(source, sink)

    @staticmethod
    def reset(*sockets):
        for each in sockets:
            try:
                each.setsockopt(
                    socket.SOL_SOCKET,
                    socket.SO_LINGER,
                    struct.pack("ii", 1, 0),
                )
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()


@pytest.fixture
def start_proxy():
    """start_proxy(port) forwards from a port of its own to that one."""
    proxies = []

    def start(port):
        proxies.append(Proxy(port))
        return proxies[-1]

    yield start
    for proxy in proxies:
        proxy.close()
