"""A Gunicorn of one's own on loopback, and connections to it.

The listening sockets are opened here, where the system chooses free ports, and handed over. Gunicorn's
processes hold one end of a pipe, the lifeline: they end when the other end, which is here, closes, and this
end tells when the last of them is gone.
"""

import os
import re
import select
import socket
import subprocess
import sys

from primerace.children import children_of, interrupts_held
from primerace.pipes import LIFELINE, apart, open_pipe

SETTINGS = "python:primerace.serving_races"
APPLICATION = "primerace.serving_races:app()"
HOST = "127.0.0.1"
BACKLOG = 1024  # connections that wait to be accepted
PATIENCE = 10.0  # seconds for killed processes to be gone
GULP = 1 << 16  # bytes
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Server:
    """A running Gunicorn.

    Args:
        processes: how many; each listens on a port of its own.
        threads: of each process.

    Raises:
        OSError: it could not be started.
    """

    def __init__(self, processes: int, threads: int) -> None:
        self._log = os.memfd_create("gunicorn-log")
        here, self._lifeline = open_pipe()
        listeners: list[socket.socket] = []
        try:
            for _ in range(processes):
                listeners.append(listen())
            self.ports = [listener.getsockname()[1] for listener in listeners]
            descriptors = [listener.fileno() for listener in listeners]
            with interrupts_held():
                self._master = self._start(threads, descriptors, here)
        except BaseException:
            os.close(self._lifeline)
            os.close(self._log)
            raise
        finally:
            os.close(here)
            for listener in listeners:
                listener.close()  # so that connections are refused when nobody else listens any more

    def _start(self, threads: int, listeners: list[int], lifeline: int) -> subprocess.Popen[bytes]:
        foreign = {name for name in os.environ if name.startswith("GUNICORN_")}
        environment = {name: value for name, value in os.environ.items() if name not in foreign}
        numbers = {"--workers": len(listeners), "--threads": threads}
        return subprocess.Popen(
            [
                *(sys.executable, "-P", "-m", "primerace.master", "--config", SETTINGS),
                *(word for option, number in numbers.items() for word in (option, str(number))),
                *(word for listener in listeners for word in ("--bind", f"fd://{listener}")),
                APPLICATION,
            ],
            env={**environment, LIFELINE: str(lifeline)},
            pass_fds=[*listeners, lifeline],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    @property
    def exitcode(self) -> int | None:
        """How Gunicorn's master ended; None while it runs."""
        return self._master.poll()

    def pids(self) -> list[int]:
        """The processes that answer."""
        return children_of(self._master.pid)

    def complaint(self) -> str:
        """What Gunicorn logged last."""
        log = os.pread(self._log, os.fstat(self._log).st_size, 0).decode(errors="replace")
        lines = log.strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def close(self) -> None:
        """Kill all processes, and wait until they are gone: they hold nothing that would be lost."""
        self._master.kill()
        self._master.wait()
        gone = select.poll()
        gone.register(self._lifeline, 0)  # only the error that nobody holds the other end
        gone.poll(PATIENCE * 1e3)
        os.close(self._lifeline)
        os.close(self._log)


def listen() -> socket.socket:
    """A socket that listens on a free port; on the connections that it accepts answers leave at once."""
    listener = socket.create_server((HOST, 0), backlog=BACKLOG)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return socket.socket(fileno=apart(listener.detach()))


class Connection:
    """A connection that is kept for request after request.

    It reads what Gunicorn writes for this application and no more of HTTP, in a fifth of the time that the
    standard library's client takes: with many workers the client would be what is measured.

    Raises:
        OSError: there is nobody to connect to.
    """

    def __init__(self, port: int, timeout: float) -> None:
        self._socket = socket.create_connection((HOST, port), timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, path: str, timeout: float | None = None) -> tuple[bytes, bytes]:
        """The head and the body of the answer to a GET.

        Args:
            path: and query, of ASCII characters.
            timeout: seconds to wait for each part of the answer; None is for ever.

        Raises:
            OSError: the connection was lost.
        """
        self._socket.settimeout(timeout)
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode("ascii"))
        answer = self._more()
        while (end := answer.find(b"\r\n\r\n")) < 0:
            answer += self._more()
        length = LENGTH.search(answer, 0, end)
        whole = end + 4 + (int(length[1]) if length else 0)
        while len(answer) < whole:
            answer += self._more()
        return answer[:end], answer[end + 4 :]

    def _more(self) -> bytes:
        received = self._socket.recv(GULP)
        if not received:
            raise ConnectionResetError("the connection was closed")
        return received

    def close(self) -> None:
        """Close it."""
        self._socket.close()
