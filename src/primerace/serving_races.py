"""What Gunicorn is told when it races: each of its processes listens on a socket of its own.

With one socket for all, the process that is quickest to accept gets most connections, and keeps them: some
workers would have nothing to do. The racer opens as many connections to each socket as its process has
threads.

Everything ends with the program that races: it holds the other end of a pipe, the lifeline, whose breaking
ends Gunicorn's master by a signal, and the end of their master ends the processes.
"""

import os
import select
import sys
from typing import Any

from primerace import serving
from primerace.kernels import KERNELS
from primerace.pipes import LIFELINE, end_with
from primerace.web import App, Limits

NOTHING = "nothing"  # the kernel that measures what handing out and collecting alone costs

worker_class = "gthread"  # the sync worker has no keep-alive
keepalive = 86_400  # seconds: a connection may wait long while other items are in work
timeout = 0  # a kernel that holds the GIL keeps its process from telling that it is alive
limit_request_line = 0  # none: numbers may be long
loglevel = "warning"
control_socket_disable = serving.control_socket_disable
post_fork = serving.post_fork


def app() -> App:
    """The application without limits: what races is the racer's own."""
    sys.set_int_max_str_digits(0)
    limits = Limits(digits=sys.maxsize, divisions=float("inf"))
    return App(limits, {**KERNELS, NOTHING: lambda n: None}, tells_start=True)


def on_starting(server: Any) -> None:
    """End when the lifeline breaks."""
    lifeline = int(os.environ[LIFELINE])
    end_with(lifeline)
    if select.select([lifeline], [], [], 0)[0]:  # it broke before
        os._exit(1)


def pre_fork(server: Any, worker: Any) -> None:
    """Give the process the socket that no living one has."""
    taken = [other.sockets[0] for other in server.WORKERS.values()]
    worker.sockets = [next(each for each in server.LISTENERS if each not in taken)]
