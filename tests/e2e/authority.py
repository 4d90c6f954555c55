# SPDX-License-Identifier: ISC
"""Certificates for the tests, made by openssl(1) and signed by an authority
of the test's own."""

import ssl
import subprocess

from harness import TIMEOUT_S

CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"


def openssl(*arguments, **keywords):
    return subprocess.run(
        ["openssl", *(str(a) for a in arguments)], capture_output=True,
        check=True, timeout=TIMEOUT_S, **keywords
    )


class Issued:
    """A certificate and its key, in files that have its name."""

    def __init__(self, directory, name):
        self.cert = directory / f"{name}.pem"
        self.key = directory / f"{name}.key"

    def serial(self):
        shown = openssl("x509", "-in", self.cert, "-noout", "-serial").stdout
        return int(shown.decode().partition("=")[2], 16)


class Authority:
    """Signs certificates; its own is in the file `cert`."""

    def __init__(self, directory, name="ca"):
        self.directory = directory
        self.own = Issued(directory, name)
        self.cert = self.own.cert
        openssl(
            "req", "-x509", *CURVE, "-noenc", "-days", 2,
            "-subj", f"/CN=wsexec test {name}", "-keyout", self.own.key,
            "-out", self.cert,
        )

    def issue(self, name, days=2, key=CURVE, subject=None):
        """A certificate for this machine; with -1 day it has expired."""
        issued = Issued(self.directory, name)
        request = self.directory / f"{name}.csr"
        openssl(
            "req", *key, "-noenc", "-subj", subject or f"/CN={name}",
            "-keyout", issued.key, "-out", request, "-addext", NAMES,
        )
        openssl(
            "x509", "-req", "-in", request, "-days", days, "-CA", self.cert,
            "-CAkey", self.own.key, "-copy_extensions", "copyall",
            "-out", issued.cert,
        )
        return issued

    def context(self, shown=None, version=None, alpn=None):
        """What Python's clients trust, and show of themselves."""
        context = ssl.create_default_context(cafile=str(self.cert))
        # An end without close_notify is an SSLEOFError.
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        if shown is not None:
            context.load_cert_chain(shown.cert, shown.key)
        if version is not None:
            # Debian allows only newer ones; the server is to refuse.
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = version
        if alpn is not None:
            context.set_alpn_protocols(alpn)
        return context
