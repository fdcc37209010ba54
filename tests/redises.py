"""A Redis server as others run one: on a port of loopback, and killed and restarted as theirs may be."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from watching import eventually


class RunningRedis:
    """It keeps nothing on disk: when it comes back it is empty."""

    def __init__(self, password: str | None = None, certificate: Path | None = None) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.password, self.certificate = password, certificate
        user = f":{password}@" if password else ""
        self.url = f"redis://{user}127.0.0.1:{self.port}/0"
        if certificate:
            self.url = f"rediss://{user}127.0.0.1:{self.port}/0?ssl_ca_certs={certificate}"
        self.start()

    def start(self) -> None:
        """Start it, at the same address as before."""
        words = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        words += ["--port", "0", "--tls-port"] if self.certificate else ["--port"]
        words += [str(self.port)]
        if self.certificate:
            words += [
                "--tls-auth-clients",
                "no",
                "--tls-key-file",
                str(self.certificate.with_name("key.pem")),
            ]
            words += ["--tls-cert-file", str(self.certificate), "--tls-ca-cert-file", str(self.certificate)]
        if self.password:
            words += ["--requirepass", self.password]
        self.process = subprocess.Popen(
            ["redis-server", *words],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert eventually(self._listens), "redis-server does not listen"

    def _listens(self) -> bool:
        with socket.socket() as ours:
            return ours.connect_ex(("127.0.0.1", self.port)) == 0

    def client(self) -> Any:
        """A client of redis-py."""
        from redis import Redis

        return Redis.from_url(self.url)

    def keys(self) -> list[str]:
        """All keys that it has."""
        with self.client() as client:
            return sorted(key.decode() for key in client.scan_iter())

    def kill(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()

    def restart_after(self, seconds: float) -> None:
        """Kill it, and start it again after so many seconds."""
        self.kill()
        time.sleep(seconds)
        self.start()


@contextmanager
def running_redis(password: str | None = None, certificate: Path | None = None) -> Iterator[RunningRedis]:
    """One for the time of the block; with a certificate, to which `key.pem` lies beside, it speaks TLS."""
    server = RunningRedis(password, certificate)
    try:
        yield server
    finally:
        server.kill()
