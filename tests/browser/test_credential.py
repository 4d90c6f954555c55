# SPDX-License-Identifier: ISC
"""The page where a user name and a password are asked for."""

import urllib.error
import urllib.request

import pytest

CREDENTIAL = "anna:secret"


def test_the_browser_sends_it_with_all_that_the_page_asks_for(
    page, start_run
):
    run = start_run("--credential", CREDENTIAL)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(run.url)
    assert refused.value.code == 401
    assert refused.value.headers["WWW-Authenticate"].startswith("Basic ")
    run.say("one")
    page.open(run.url.replace("//", f"//{CREDENTIAL}@"))
    page.wait_text("one")
    run.say("two")
    page.wait_text("two")
    assert page.run("return location.href") == run.url
