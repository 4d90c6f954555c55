# SPDX-License-Identifier: ISC
"""The page where a user name and a password are asked for."""

import urllib.error
import urllib.request

import pytest

CREDENTIAL = "anna:secret"


# Of "secret".
USERS = "anna:$5$abc$qsg6EHbUzHQzF1POlD7zUwBINSELQxypPaeDcZe6vH0\n"


@pytest.fixture(params=["--credential", "--credential-file"])
def option(request, tmp_path):
    if request.param == "--credential":
        return [request.param, CREDENTIAL]
    (tmp_path / "users").write_text(USERS)
    return [request.param, str(tmp_path / "users")]


def test_the_browser_sends_it_with_all_that_the_page_asks_for(
    page, start_run, option
):
    run = start_run(*option)
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
