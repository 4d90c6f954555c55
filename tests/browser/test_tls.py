# SPDX-License-Identifier: ISC
"""The page by TLS, with a WebSocket by TLS, in a real browser."""

import pytest


@pytest.fixture
def start_tls(start_run, certificate):
    def start(*options):
        return start_run(
            "--tls-cert", str(certificate.cert),
            "--tls-key", str(certificate.key), *options,
        )

    return start


def test_the_page_is_live_by_tls(page, start_tls):
    run = start_tls()
    assert run.url.startswith("https://")
    page.open(run.url)
    page.wait_state("live")
    run.say("from the first")
    page.wait_text("from the first")
    run.count(1, 3000)
    page.wait_text("line 3000")
    loaded = page.run(
        "return performance.getEntriesByType('resource').map(e => e.name)"
    )
    assert loaded and all(name.startswith("https://") for name in loaded)
    assert page.complaints() == []


def test_events_come_by_tls(page, start_tls):
    run = start_tls()
    run.say("one")
    page.open(run.url + "healthz")
    page.run(
        "window.got = []; new EventSource('events').onmessage ="
        " (event) => got.push(event.data)"
    )
    page.wait("got.length === 1")
    run.say("two")
    page.wait("got.length === 2")
    assert page.run("return got") == ["one", "two"]


def test_by_http_the_page_says_where_to_go(page, start_tls):
    run = start_tls()
    page.open(f"http://127.0.0.1:{run.port}/")
    assert page.text("body").strip() == (
        f"TLS is spoken here; open https://127.0.0.1:{run.port}/"
    )
