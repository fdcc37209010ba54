"""Redis for the racers that need one: a private server by default, or one that runs already.

The private server listens on a Unix socket in a temporary folder that only its user may enter, has no TCP
port and writes nothing to disk. A shell stands over it: it ends the server and removes the folder when it is
told to, or when its standard input breaks because the program is gone, however that ended.
"""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import suppress
from importlib.util import find_spec
from signal import SIGKILL
from time import perf_counter
from typing import Any, Self
from urllib.parse import quote, urlsplit

from primerace.children import interrupts_held
from primerace.racers.base import NumberedItem, RacerError, not_done
from primerace.racers.engines import without_password

PROGRAM = "redis-server"
CONNECT_SECONDS = 5.0  # until a server that does not answer counts as lost
BACK = 8.0  # seconds that a running server has to come back
SERVER_START_SECONDS = 10.0  # that a private server may take on a busy machine; it takes 0.05
PATIENCE = 5.0  # seconds that the shell has to end its server before both are killed
LONGEST_PATH = 107  # bytes of a Unix socket's path
OVERSEER = '"$@" & server=$!; read -r _; kill -KILL $server; wait $server; rm -rf -- "$FOLDER"'
SETTINGS = {
    "--port": "0",
    "--unixsocketperm": "700",
    "--save": "",
    "--appendonly": "no",
    "--daemonize": "no",
    "--loglevel": "warning",
}


def no_redis(broker: str | None) -> str | None:
    """None, or why there can be no server: no client library, or no program where one must be started."""
    if find_spec("redis") is None:
        return "needs redis: pip install redis"
    if broker is None and shutil.which(PROGRAM) is None:
        return f"needs {PROGRAM} (Debian: apt-get install redis-server), or --broker URL"
    return None


def unique_name() -> str:
    """A name for queues and keys that no other race has.

    >>> unique_name().startswith("primerace:")
    True
    """
    return f"primerace:{secrets.token_hex(8)}"


def open_server(racer: str, broker: str | None) -> "Server":
    """The server of that URL, or a private one.

    Args:
        racer: whose errors these are.
        broker: redis://, rediss://, unix:// or redis+socket:// (which Celery writes for unix://); None starts
            a private server.

    Raises:
        RacerError: it does not answer within 5 seconds, or can't be started.
    """
    return PrivateServer(racer) if broker is None else RunningServer(racer, broker)


class Server(ABC):
    """A Redis server that answers.

    Args:
        racer: whose errors these are.
        url: as redis-py and RQ take it.
    """

    def __init__(self, racer: str, url: str) -> None:
        self.racer, self.url = racer, url

    @property
    @abstractmethod
    def shown(self) -> str:
        """The server as messages name it, without passwords."""

    @property
    def celery_url(self) -> str:
        """The URL as Celery takes it."""
        if not self.url.startswith("unix://"):
            return self.url
        return self.url.replace("unix://", "redis+socket://", 1).replace("db=", "virtual_host=")

    def client(self, **options: Any) -> Any:
        """A client that neither waits nor tries for longer than 5 seconds; options are those of redis-py.

        Raises:
            RacerError: it is no URL of a Redis server.
        """
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        limits = {"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": CONNECT_SECONDS}
        try:
            return Redis.from_url(self.url, retry=Retry(NoBackoff(), 0), **(limits | options))
        except ValueError as error:
            raise self.no_url(error) from error

    def no_url(self, why: object) -> RacerError:
        """The error that says so; what could not be read may be a part of a password."""
        reason = "" if "@" in self.url else f": {why}"
        return RacerError(f"{self.racer}: {self.shown} is no URL of a Redis server{reason}")

    def lost(self, error: BaseException, undone: Iterable[NumberedItem] = ()) -> RacerError:
        """The error that says so, with the items (each an index and a value) that are not done."""
        return RacerError(f"{self.racer}: {self.shown} does not answer: {error}{not_done(undone)}")

    def comes_back(self, heard: float) -> bool:
        """Wait for a server that was lost; whether it answers again, less than 8 seconds after `heard`."""
        return False

    @abstractmethod
    def close(self) -> None:
        """End the server if it is ours."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class RunningServer(Server):
    """A server that was there before and stays."""

    def __init__(self, racer: str, broker: str) -> None:
        if broker.startswith("redis+socket://"):
            broker = broker.replace("redis+socket://", "unix://", 1).replace("virtual_host=", "db=")
        super().__init__(racer, broker)
        from redis.exceptions import RedisError

        client = self.client()
        database = urlsplit(self.url).path.strip("/")
        if not self.url.startswith("unix://") and database and not database.isdecimal():
            raise self.no_url(f"a database has a number, not the name {database!r}")
        try:
            client.ping()
        except (RedisError, OSError) as error:
            raise self.lost(error) from error
        finally:
            client.close()

    @property
    def shown(self) -> str:
        return f"Redis at {without_password(self.url)}"

    def comes_back(self, heard: float) -> bool:
        while perf_counter() < heard + BACK:
            time.sleep(0.1)
            if self._answers():
                return True
        return False

    def _answers(self) -> bool:
        from redis.exceptions import RedisError

        with suppress(RedisError), self.client(socket_connect_timeout=1, socket_timeout=1) as client:
            return bool(client.ping())
        return False

    def close(self) -> None:
        """It stays."""


class PrivateServer(Server):
    """A server of our own, which ends with this program."""

    def __init__(self, racer: str) -> None:
        self._folder = tempfile.mkdtemp(prefix="primerace-")
        self._socket = os.path.join(self._folder, "redis.sock")
        self._log = os.path.join(self._folder, "redis.log")
        self._overseer: subprocess.Popen[bytes] | None = None
        super().__init__(racer, f"unix://{quote(self._socket)}?db=0")
        try:
            self._start()
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise RacerError(f"{racer}: {PROGRAM} could not be started: {error}") from error
            raise

    @property
    def shown(self) -> str:
        return "the private Redis"

    def _start(self) -> None:
        if len(os.fsencode(self._socket)) > LONGEST_PATH:
            raise RacerError(
                f"{self.racer}: the path of a socket has at most {LONGEST_PATH} bytes, "
                f"not {len(os.fsencode(self._socket))}: {self._socket}; set TMPDIR to a shorter one"
            )
        settings = SETTINGS | {"--dir": self._folder, "--unixsocket": self._socket, "--logfile": self._log}
        words = [word for pair in settings.items() for word in pair]
        with interrupts_held():
            self._overseer = subprocess.Popen(
                ["/bin/sh", "-c", OVERSEER, "sh", PROGRAM, *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=os.environ | {"FOLDER": self._folder},
                start_new_session=True,  # Ctrl-C is the caller's
            )
        self._wait_for_it()

    def _wait_for_it(self) -> None:
        deadline = perf_counter() + SERVER_START_SECONDS
        while True:
            with socket.socket(socket.AF_UNIX) as ours:
                try:
                    return ours.connect(self._socket)
                except OSError:
                    if perf_counter() > deadline:
                        why = self._last_words()
                        raise RacerError(f"{self.racer}: {PROGRAM} could not be started: {why}") from None
            time.sleep(0.002)

    def _last_words(self) -> str:
        with suppress(OSError, IndexError), open(self._log, errors="replace") as log:
            return log.read().splitlines()[-1]
        return f"it did not listen on {self._socket} within {SERVER_START_SECONDS:.0f} s"

    def close(self) -> None:
        """End the server and remove its folder."""
        overseer, self._overseer = self._overseer, None
        if overseer is not None and not _obeyed(overseer):
            with suppress(ProcessLookupError):
                os.killpg(overseer.pid, SIGKILL)
            overseer.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _obeyed(overseer: "subprocess.Popen[bytes]") -> bool:
    """Whether the shell ended its server when told to; it may have been killed itself."""
    with suppress(OSError, subprocess.TimeoutExpired):
        overseer.communicate(b"\n", PATIENCE)
    return overseer.poll() == 0
