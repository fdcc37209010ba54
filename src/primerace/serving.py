"""What `primerace serve` tells Gunicorn: its settings, and a worker that clients can't hold up.

`gunicorn --config python:primerace.serving primerace.web:app` is the same without our command.

A thread of Gunicorn's gthread worker waits for the rest of a request as long as its client likes, so that a
few slow clients would keep all threads. Here a request that has not arrived in time is given up. And what
Gunicorn itself refuses, because it is no HTTP or beyond its limits, is told in JSON as the application's
refusals are.
"""

import ctypes
import json
import os
import signal
import socket
import struct
from contextlib import suppress
from http import HTTPStatus
from time import monotonic
from typing import Any

from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.workers.gthread import ThreadWorker

READ_SECONDS = 10.0  # for a request to arrive
SEND_SECONDS = 10  # in which a client takes nothing of its answer
PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>
STATUSES = {
    LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
}

worker_class = "primerace.serving.Worker"
threads = 8  # of each process; most of them wait for clients
limit_request_line = 8190  # bytes, the most that Gunicorn limits: room for a number of 8,000 digits
control_socket_disable = True


def post_fork(server: Any, worker: Any) -> None:
    """Have a process end when its master does, also in the middle of a call."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != server.pid:  # it ended before
        os._exit(1)


class Worker(ThreadWorker):  # type: ignore[misc]
    """A process whose threads wait for no client for long."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._since: dict[Any, float] = {}  # when a thread took each connection that it has in hand

    def handle(self, conn: Any) -> Any:
        """Read and answer a request, in one of the threads."""
        with suppress(OSError):
            limit = struct.pack("ll", SEND_SECONDS, 0)
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        self._since[conn] = monotonic()
        try:
            return super().handle(conn)
        finally:
            del self._since[conn]

    def notify(self) -> None:
        """Tell the master that this process is alive, as it does every second, and end the waiting.

        Only the reading is ended: what has arrived can still be answered, however long that takes.
        """
        super().notify()
        for conn, since in list(self._since.items()):
            if monotonic() > since + READ_SECONDS:
                with suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RD)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Say what is wrong with a request that is no HTTP; what else goes wrong is Gunicorn's to tell."""
        if not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        status = STATUSES.get(type(exc), HTTPStatus.BAD_REQUEST)
        body = json.dumps({"error": str(exc)}) + "\n"
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with suppress(OSError):  # the client may have left
            client.sendall((head + body).encode("ascii"))
