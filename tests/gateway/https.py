"""An HTTPS client for tests: any TLS name, any Host, a certificate of its own, a session to resume."""

import contextlib
import http.client
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

from tests.gateway.node import Answer, read


class Client:
    """Calls the TLS port of a node; `trust` is a file with the authorities that it believes."""

    def __init__(self, port: int, trust: Path) -> None:
        self.port = port
        self.trust = trust

    def context(self, certificate: tuple[Path, Path] | None = None) -> ssl.SSLContext:
        made = ssl.create_default_context(cafile=str(self.trust))
        if certificate:
            made.load_cert_chain(*certificate)
        return made

    def connect(
        self, name: str, *, context: ssl.SSLContext | None = None, session: ssl.SSLSession | None = None
    ) -> http.client.HTTPConnection:
        """A connection whose handshake is for `name`; raises ssl.SSLError when there is none."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        try:
            wrapped = (context or self.context()).wrap_socket(plain, server_hostname=name, session=session)
        except BaseException:
            plain.close()
            raise
        connection = http.client.HTTPConnection(name, timeout=10)
        connection.sock = wrapped
        return connection

    def call(self, path: str, name: str, *, host: str = "", method: str = "GET", **more: Any) -> Answer:
        """One call on a connection of its own; more: certificate, headers, body."""
        certificate = more.pop("certificate", None)
        with contextlib.closing(self.connect(name, context=self.context(certificate))) as connection:
            return ask(connection, path, host or name, method=method, **more)

    def shown(self, name: str) -> bytes:
        """The certificate (DER) that a name gets."""
        with contextlib.closing(self.connect(name)) as connection:
            return connection.sock.getpeercert(binary_form=True) or b""

    def curl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run curl; every https host leads to the node."""
        command = ["curl", "-sS", "--max-time", "10", "--cacert", str(self.trust)]
        command += ["--connect-to", f"::127.0.0.1:{self.port}", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)


def ask(
    connection: http.client.HTTPConnection, path: str, host: str, *, method: str = "GET", **more: Any
) -> Answer:
    """One call on an open connection."""
    headers = {"Host": host, **more.pop("headers", {})}
    connection.request(method, path, headers=headers, **more)
    return read(connection.getresponse())
