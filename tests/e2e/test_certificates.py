# SPDX-License-Identifier: ISC
"""The files of TLS: which do, which do not, and what happens when they change.
Certificates of clients."""

import os
import re
import signal
import socket
import ssl

import pytest

from authority import Authority, openssl
from harness import wait_until, wsexec
from rawsocket import head
from viewers import fetch

FOREVER = ("--linger", "forever", "--quiet")
TLS = ssl.TLSVersion
WATCHERS = 50
RELOADS = 10
LINES = 1000  # between two of them


def test_other_names_of_the_options(start, identity):
    run = start(*FOREVER, f"--ssl-cert={identity.cert}", "--ssl-key",
                str(identity.key), command=["echo", "x"])
    assert fetch(run.at("/raw?follow=0", "https")).body == b"x\n"


def test_the_key_may_be_with_the_certificate(start, identity):
    identity.cert.write_bytes(
        identity.key.read_bytes() + identity.cert.read_bytes()
    )
    identity.cert.chmod(0o600)
    run = start(*FOREVER, "--tls-cert", str(identity.cert),
                command=["echo", "x"])
    assert fetch(run.at("/raw?follow=0", "https")).body == b"x\n"


def test_a_key_of_rsa(start, authority):
    made = authority.issue("rsa", key=("-newkey", "rsa:2048"))
    run = start(*FOREVER, "--tls-cert", str(made.cert), "--tls-key",
                str(made.key), command=["echo", "x"])
    assert fetch(run.at("/raw?follow=0", "https")).body == b"x\n"


def refusal(*tls_options):
    """What is told when wsexec does not start; nothing else may be."""
    done = wsexec(*tls_options, "--", "touch", "/nonexistent/started")
    assert done.returncode == 125
    assert done.stdout == b""
    (line,) = done.stderr.decode().splitlines()
    return line


@pytest.mark.parametrize("spoil, wanted", [
    ("missing", r".*server.pem: No such file or directory"),
    ("directory", r".*: it is not a regular file"),
    ("empty", r".*server.pem: it has no certificate in PEM"),
    ("key alone", r".*server.pem: it has no certificate in PEM"),
    ("binary", r".*server.pem: it has no certificate in PEM"),
    ("huge", r".*server.pem: it is longer than 1 MiB"),
    ("cut", r".*server.pem: a certificate cannot be read: .*"),
    ("expired", r".*server.pem: the certificate of /CN=server has expired on"
     r" \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"),
    ("no key", r".*server.key: No such file or directory"),
    ("encrypted", r".*server.key: the key is encrypted, .*"),
    ("other key", r".*server.key: the key is not that of the certificate"),
    ("cut key", r".*server.key: the key cannot be read: .*"),
    ("not a key", r".*server.key: it has no key in PEM"),
    ("no key at all", r".*server.pem: it has no key in PEM"),
    ("public key", r".*server.key: everybody may read or change the key; .*"),
    ("weak", r".*server.pem: the certificate is not taken: ee key too small"),
    ("no authority", r".*ca2.pem: No such file or directory"),
    ("bad authority", r".*ca2.pem: it has no certificate in PEM"),
])
def test_what_is_not_good_is_told_in_a_line(
    authority, identity, tls_options, spoil, wanted
):
    other = authority.directory / "ca2.pem"
    if spoil == "missing":
        identity.cert.unlink()
    elif spoil == "directory":
        tls_options = ("--tls-cert", str(authority.directory))
    elif spoil == "empty":
        identity.cert.write_bytes(b"")
    elif spoil == "key alone":
        identity.cert.write_bytes(identity.key.read_bytes())
        identity.cert.chmod(0o600)
    elif spoil == "binary":
        identity.cert.write_bytes(os.urandom(5000))
    elif spoil == "huge":
        identity.cert.write_bytes(b"\n" * 1048577)
    elif spoil == "cut":
        identity.cert.write_bytes(identity.cert.read_bytes()[:300])
    elif spoil == "expired":
        authority.issue("server", days=-1)
    elif spoil == "no key":
        identity.key.unlink()
    elif spoil == "encrypted":
        openssl(
            "ec", "-in", identity.key, "-aes128", "-passout", "pass:secret",
            "-out", identity.key,
        )
    elif spoil == "other key":
        identity.key.write_bytes(authority.own.key.read_bytes())
    elif spoil == "cut key":
        identity.key.write_bytes(identity.key.read_bytes()[:120])
    elif spoil == "not a key":
        identity.key.write_bytes(identity.cert.read_bytes())
    elif spoil == "no key at all":
        tls_options = tls_options[:2]
    elif spoil == "public key":
        identity.key.chmod(0o604)
    elif spoil == "weak":
        authority.issue("server", key=("-newkey", "rsa:1024"))
    elif spoil == "no authority":
        tls_options += ("--tls-client-ca", str(other))
    else:
        other.write_bytes(b"none")
        tls_options += ("--tls-client-ca", str(other))
    assert re.fullmatch("wsexec: " + wanted, refusal(*tls_options))


@pytest.mark.skipif(os.getuid() != 0, reason="needs to give files away")
def test_a_group_may_read_keys_of_root_only(start, identity, tls_options):
    """As that of /etc/ssl/private does."""
    identity.key.chmod(0o640)
    run = start(*FOREVER, *tls_options, command=["echo", "x"])
    assert fetch(run.at("/raw?follow=0", "https")).body == b"x\n"
    os.chown(identity.key, 65534, -1)
    assert "its group may read the key" in refusal(*tls_options)
    identity.key.chmod(0o620)
    assert "its group may change the key" in refusal(*tls_options)


def test_a_key_alone_is_a_mistake(identity):
    assert refusal("--tls-key", str(identity.key)) == (
        "wsexec: --tls-key: needs --tls-cert as well"
    )


@pytest.fixture
def guarded(start, authority, tls_options):
    """A run that only clients of a second authority may see."""
    others = Authority(authority.directory, "clients")
    run = start(
        "-v", *FOREVER, *tls_options, "--tls-client-ca", str(others.cert),
        command=["echo", "x"],
    )
    return run, others


@pytest.mark.parametrize("version", [TLS.TLSv1_2, TLS.TLSv1_3])
def test_client_certificates(guarded, connect_tls, version):
    run, others = guarded
    good = others.issue("good", subject="/O=We/CN=A\nb\\c")
    peer = connect_tls(run, shown=good, version=version)
    assert peer.ask(head("/raw?follow=0")) == 200
    run.log.wait_for(b", with a certificate of /O=We/CN=A\\\\x0Abc\n")


@pytest.mark.parametrize("version", [TLS.TLSv1_2, TLS.TLSv1_3])
@pytest.mark.parametrize("kind, why", [
    ("none", "peer did not return a certificate"),
    ("other", "self-signed certificate in certificate chain"),
    ("self-signed", "self-signed certificate"),
    ("expired", "certificate has expired"),
])
def test_client_certificates_that_do_not_do(
    guarded, authority, connect_tls, kind, why, version
):
    run, others = guarded
    shown = None
    if kind == "other":
        shown = authority.issue("other")
    elif kind == "self-signed":
        shown = Authority(authority.directory, "alone").own
    elif kind == "expired":
        shown = others.issue("expired", days=-1)
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        # With TLS 1.3 a client is through before the identity has looked.
        connect_tls(run, shown=shown, version=version).ask(head("/raw"))
    run.log.wait_for(f": refused: TLS: {why}\n".encode())


def test_client_certificates_stand_for_a_token(start, authority, tls_options):
    """Beyond loopback, too."""
    run = start(
        *FOREVER, *tls_options, "--address", "0.0.0.0",
        "--tls-client-ca", str(authority.cert), command=["echo", "x"],
    )
    assert "token" not in run.url
    good = authority.issue("good")
    shown = ("--cert", str(good.cert), "--key", str(good.key))
    answer = fetch(run.at("/raw?follow=0", "https"), *shown)
    assert answer.body == b"x\n"


def swap(new, old):
    """Puts certificate and key in the place of others."""
    os.replace(new.key, old.key)
    os.replace(new.cert, old.cert)


def shown_serial(run, authority):
    """The number of the certificate that who comes now is shown."""
    context = authority.context()
    context.check_hostname = False
    with socket.create_connection(("127.0.0.1", run.port)) as peer:
        with context.wrap_socket(peer) as session:
            return int(session.getpeercert()["serialNumber"], 16)


def wait_serial(run, authority, wanted):
    wait_until(
        lambda: shown_serial(run, authority) == wanted, "a new certificate"
    )


def test_new_files_under_load(
    start, authority, identity, tls_options, view_tls
):
    """Nobody who watches notices anything."""
    run = start(
        "-v", "--quiet", "--wait-clients", str(WATCHERS), *tls_options,
        script=f"for i in $(seq 0 {RELOADS}); do"
        f" seq -f \"$i %.0f\" {LINES}; read _ <go; done",
    )
    watchers = [view_tls(run) for _ in range(WATCHERS)]
    for i in range(RELOADS):
        new = authority.issue(f"new{i}")
        serial = new.serial()
        run.go()
        swap(new, identity)
        run.send_signal(signal.SIGUSR2)
        wait_serial(run, authority, serial)
    run.go()
    wanted = [
        f"{i} {n}" for i in range(RELOADS + 1) for n in range(1, LINES + 1)
    ]
    for watcher in watchers:
        watcher.wait_end()
        assert "\n".join(watcher.messages).split("\n") == wanted
        assert watcher.reason == "exit 0"
    assert run.wait() == 0


def test_files_that_change_are_taken(start, authority, identity, tls_options):
    run = start(*FOREVER, *tls_options, command=["echo", "x"])
    new = authority.issue("new")
    serial = new.serial()
    assert shown_serial(run, authority) == identity.serial() != serial
    swap(new, identity)
    wait_serial(run, authority, serial)


def test_a_link_that_changes_is_followed(start, authority, identity):
    """As Kubernetes does: a directory's name is what changes."""
    for name, made in (("1", identity), ("2", authority.issue("new"))):
        place = authority.directory / name
        place.mkdir()
        os.replace(made.cert, place / "tls.crt")
        os.replace(made.key, place / "tls.key")
    data = authority.directory / "data"
    data.symlink_to("1")
    run = start(
        *FOREVER, "--tls-cert", str(data / "tls.crt"),
        "--tls-key", str(data / "tls.key"), command=["echo", "x"],
    )
    before = shown_serial(run, authority)
    other = authority.directory / "other"
    other.symlink_to("2")
    os.replace(other, data)
    wait_until(
        lambda: shown_serial(run, authority) != before, "a new certificate"
    )


def test_bad_files_change_nothing(start, authority, identity, tls_options):
    run = start("-v", *FOREVER, *tls_options, command=["echo", "x"])
    before = identity.serial()
    new = authority.issue("new")
    serial = new.serial()
    # One of the two, as it is for a while when both are changed.
    os.replace(new.cert, identity.cert)
    run.log.wait_for(
        f"{identity.key}: the key is not that of the certificate; the"
        " certificate from before stays\n".encode()
    )
    assert shown_serial(run, authority) == before
    identity.key.chmod(0o644)
    run.send_signal(signal.SIGUSR2)
    run.log.wait_for(
        b"; chmod 600 it; the certificate from before stays\n"
    )
    identity.cert.unlink()
    run.send_signal(signal.SIGUSR2)
    run.log.wait_for(b": No such file or directory; the certificate from")
    assert shown_serial(run, authority) == before
    swap(authority.issue("good"), identity)
    run.log.wait_for(b"the certificate is loaded anew\n")
    assert shown_serial(run, authority) not in (before, serial)
    assert fetch(run.at("/raw?follow=0", "https")).body == b"x\n"


def test_a_new_authority_of_clients(guarded, authority, connect_tls):
    """Who was let in before is not any more."""
    run, others = guarded
    good = others.issue("good")
    peer = connect_tls(run, shown=good)
    assert peer.ask(head("/healthz")) == 200
    peer.read(int(peer.fields["content-length"]))
    others.cert.write_bytes(authority.cert.read_bytes())
    run.send_signal(signal.SIGUSR2)
    run.log.wait_for(b"the certificate is loaded anew\n")
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        connect_tls(run, shown=good).ask(head("/healthz"))
    assert peer.ask(head("/healthz")) == 200


def test_sigusr2_is_the_commands_without_tls(start, view):
    run = start("--quiet", script="trap 'exit 4' USR2; echo x; read _ <go")
    view(run).wait_message("x")
    run.send_signal(signal.SIGUSR2)
    assert run.wait() == 4


def test_sigusr2_is_not_the_commands_with_tls(start, tls_options, view_tls):
    run = start(
        "-v", "--quiet", *tls_options,
        script="trap 'exit 4' USR2; echo x; read _ <go",
    )
    view_tls(run).wait_message("x")
    run.send_signal(signal.SIGUSR2)
    run.log.wait_for(b"the certificate is loaded anew\n")
    run.go()
    assert run.wait() == 0
