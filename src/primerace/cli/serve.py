"""The command that answers over HTTP."""

import os
import socket
import sys
from errno import EADDRINUSE
from importlib.util import find_spec

import click

from primerace.cli import options
from primerace.cli.options import InputError
from primerace.machine import usable_cores
from primerace.web import Limits

MASTER = ("-P", "-m", "primerace.master")
SETTINGS = "python:primerace.serving"
SILENT_SECONDS = 10  # that the system keeps a connection from us on which nothing has come
DEFAULT = Limits()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="The port; 0 takes a free one.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, options.MOST_WORKERS),
    help="Processes. [default: the usable cores]",
)
@click.option(
    "--threads",
    type=click.IntRange(1, options.MOST_WORKERS),
    default=8,
    show_default=True,
    help="Threads of each process; most of them wait for clients.",
)
@click.option(
    "--digits",
    type=click.IntRange(1),
    default=DEFAULT.digits,
    show_default=True,
    help="The most digits of a number; several numbers beyond 64 bits may be as much work as one of so many.",
)
@click.option(
    "--items",
    type=click.IntRange(1),
    default=DEFAULT.items,
    show_default=True,
    help="The most numbers in a list.",
)
@click.option(
    "--body",
    type=click.IntRange(1),
    default=DEFAULT.body,
    show_default=True,
    help="The most bytes of a request's body.",
)
@click.option(
    "--allow-slow-kernels",
    is_flag=True,
    help="Let ?kernel=released, held or python choose trial division, whose calls can take seconds.",
)
@click.option(
    "--divisions",
    type=click.IntRange(1),
    default=int(DEFAULT.divisions),
    show_default=True,
    help="The most divisions that the numbers of a request may need with a slow kernel.",
)
def serve(
    host: str,
    port: int,
    workers: int | None,
    threads: int,
    digits: int,
    items: int,
    body: int,
    allow_slow_kernels: bool,
    divisions: int,
) -> None:
    """Answer over HTTP whether numbers are prime, until Ctrl-C.

    Gunicorn serves GET /is_prime/<n>, POST /is_prime (a JSON list) and GET /healthz. It takes the place of
    this command.

    \b
    curl http://127.0.0.1:8000/is_prime/17
    curl http://127.0.0.1:8000/is_prime --json '[7, 9, 170141183460469231731687303715884105727]'
    """
    if find_spec("gunicorn") is None:
        raise InputError("serve needs Gunicorn: pip install 'primerace[web]'")
    listener = _listen(host, port)
    limits = f"digits={digits}, items={items}, body={body}, divisions={divisions}"
    application = f"primerace.web:create_app({limits}, allow_slow_kernels={allow_slow_kernels})"
    # The application has a limit of its own for digits, which may be above Python's.
    environment = {**os.environ, "PYTHONINTMAXSTRDIGITS": "0"}
    listener.set_inheritable(True)
    sys.stdout.flush()
    arguments = {
        "--config": SETTINGS,
        "--bind": f"fd://{listener.fileno()}",
        "--workers": str(workers or usable_cores()),
        "--threads": str(threads),
    }
    words = [word for pair in arguments.items() for word in pair]
    os.execve(sys.executable, [sys.executable, *MASTER, *words, application], environment)


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        InputError: it can't.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address, family=family)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, SILENT_SECONDS)
    except socket.gaierror as error:
        raise InputError(f"--host {host}: {error.strerror}") from None
    except OSError as error:
        if error.errno == EADDRINUSE:
            raise InputError(f"port {port} of {host} is taken; --port names another, 0 a free one") from None
        raise InputError(f"can't listen on port {port} of {host}: {os.strerror(error.errno or 0)}") from None
    except UnicodeError:
        raise InputError(f"--host {host!r} is no name or address") from None
    return listener
