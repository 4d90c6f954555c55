# SPDX-License-Identifier: ISC
"""What the page may do, and nothing else."""

import base64
import hashlib
import re
import urllib.request


def fetch(url):
    request = urllib.request.Request(url, headers={"Accept": "text/html"})
    with urllib.request.urlopen(request) as answer:
        return answer.read().decode(), answer.headers


def source(text):
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def test_policy_names_what_is_in_the_page(start_run):
    page, headers = fetch(start_run().url)
    policy = dict(
        part.strip().split(" ", 1)
        for part in headers["Content-Security-Policy"].split(";")
    )
    (script,) = re.findall("<script>(.*?)</script>", page, re.DOTALL)
    (style,) = re.findall("<style>(.*?)</style>", page, re.DOTALL)
    assert policy == {
        "default-src": "'none'",
        "script-src": f"'strict-dynamic' {source(script)}",
        "style-src": source(style),
        "connect-src": "'self'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "worker-src": "'self'",
        "trusted-types": "wsexec wsexec-scanner",
    }
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert not re.search(r"\son\w+=|\sstyle=|javascript:", page)


def test_page_is_small(start_run):
    url = start_run().url
    page, _ = fetch(url)
    names, todo = set(), ["viewer.js", "scanner.js"]
    while todo:
        name = todo.pop()
        if name in names:
            continue
        names.add(name)
        text, _ = fetch(url + name)
        todo += re.findall(r'from "\./([\w.-]+)"', text)
    size = 0
    for name in ["", *names]:
        request = urllib.request.Request(
            url + name,
            headers={"Accept": "text/html, */*", "Accept-Encoding": "gzip"},
        )
        with urllib.request.urlopen(request) as answer:
            size += len(answer.read())
    assert len(names) > 10
    assert 5_000 < size < 60_000


INJECT = {
    "script": "const s = document.createElement('script');"
    "s.append('window.taken = 1'); document.body.append(s)",
    "handler": "const i = document.createElement('img');"
    "try { i.setAttribute('onerror', 'window.taken = 2');"
    " i.src = 'data:,'; document.body.append(i) }"
    " catch (e) { window.refused = e.name }",
    "markup": "try { document.body.innerHTML = '<img src=x"
    " onerror=window.taken=3>' } catch (e) { window.refused = e.name }",
    "timer": "try { setTimeout('window.taken = 4') }"
    " catch (e) { window.refused = e.name }",
    "link": "const a = document.createElement('a');"
    "a.href = 'javascript:window.taken = 5'; document.body.append(a);"
    "a.click()",
    "url": "const s = document.createElement('script');"
    "try { s.src = 'raw?follow=0' } catch (e) { window.refused = e.name }",
    "policy": "try { trustedTypes.createPolicy('wsexec', {}) }"
    " catch (e) { window.refused = e.name }",
}


def test_nothing_else_runs(page, start_run):
    run = start_run()
    run.say("window.taken = 6")
    page.open(run.url)
    page.wait_text("window.taken = 6")
    for how, script in INJECT.items():
        page.run("window.refused = null;" + script)
        refused = page.run("return window.refused")
        if how in ("handler", "markup", "timer", "url", "policy"):
            assert refused == "TypeError", how
        page.browser.execute_async_script(
            "requestAnimationFrame(() => setTimeout(arguments[0], 20))"
        )
        assert page.run("return window.taken ?? null") is None, how


def test_settings_are_kept_where_they_can_be(page, start_run):
    run = start_run()
    page.open(run.url)
    theme = "return document.documentElement.dataset.theme"
    assert page.run(theme) == "auto"
    dark = page.run("return getComputedStyle(document.body).backgroundColor")
    page.browser.find_element("id", "theme").click()
    assert page.run(theme) == "dark"
    assert page.run(
        "return getComputedStyle(document.body).backgroundColor") != dark
    page.open(run.url)
    assert page.run(theme) == "dark"
    page.browser.find_element("id", "theme").click()
    page.browser.find_element("id", "theme").click()
    assert page.run(theme) == "auto"
