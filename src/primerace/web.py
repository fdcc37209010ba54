"""Primality over HTTP: a plain WSGI application, `primerace.web:app`, which needs nothing but primerace.

GET /is_prime/<n> answers about one number, POST /is_prime about a JSON list of them, GET /healthz says that
the server is there. Numbers go out as strings of digits: readers of JSON that keep numbers as doubles, as
JavaScript does, would lose the last digits beyond 2**53. What is wrong with a request is told in JSON, too.

Every request ends soon, whatever it asks: the limits are on its work, not only on its size. What it sends is
read before it is refused, within a bound, since many clients send all of it before they read an answer: a
connection that is closed meanwhile is all that they would see.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from math import isqrt
from sys import get_int_max_str_digits
from time import perf_counter, thread_time
from typing import Any
from urllib.parse import parse_qsl

from primerace.kernels import KERNELS
from primerace.plain import shown
from primerace.refusals import (
    Environment,
    Refusal,
    allow,
    check_media_type,
    drop,
    kind_of,
    receive,
    refuse_float,
    stated_length,
    too_large,
)

Kernel = Callable[[int], Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]

FAST = "fast"
WORD = 1 << 64  # the numbers below are tested by the array
DROPPED = 64 << 20  # bytes beyond the limit that are read, to be refused
DIGITS_PER_BIT = 0.30103
INTEGER = re.compile(r"-?[0-9]+", re.ASCII)
READING = ("GET", "HEAD")
WRITING = ("POST",)
ROUTES = "GET /is_prime/<n>, POST /is_prime, GET /healthz"


@dataclass(frozen=True)
class Limits:
    """What one request may ask for.

    Args:
        digits: of a number. Several numbers beyond 64 bits may together be as much work as one of so many
            digits; the work grows with about the square of the digits.
        items: numbers in a list.
        body: bytes.
        divisions: that kernels of trial division may need for all numbers of a request.

    Raises:
        ValueError: one of them is less than 1, or Python itself converts fewer digits.
    """

    digits: int = 4_000
    items: int = 100_000
    body: int = 4 << 20
    divisions: float = 50_000_000

    def __post_init__(self) -> None:
        for name in ("digits", "items", "body", "divisions"):
            if not getattr(self, name) >= 1:
                raise ValueError(f"the limit {name} is at least 1, not {getattr(self, name)!r}")
        convertible = get_int_max_str_digits()
        if convertible and self.digits > convertible:
            raise ValueError(
                f"the limit digits is {self.digits:,}, but Python converts {convertible:,}; "
                "the environment variable PYTHONINTMAXSTRDIGITS=0 lifts that"
            )


@dataclass(frozen=True)
class Calls:
    """The answers to some numbers, and what they took.

    Args:
        answers: in the order of the numbers.
        started: when the calls began, in seconds of this machine's monotonic clock.
        seconds: wall time of the calls.
        cpu_seconds: processor time of the calling thread during the calls.
    """

    answers: list[Any]
    started: float
    seconds: float
    cpu_seconds: float


def create_app(
    digits: int = Limits.digits,
    items: int = Limits.items,
    body: int = Limits.body,
    divisions: float = Limits.divisions,
    allow_slow_kernels: bool = False,
) -> "App":
    """An application with limits of its own, as in `gunicorn 'primerace.web:create_app(digits=100)'`.

    Args:
        digits: of a number, and the work of all numbers beyond 64 bits as digits of one; see `Limits`.
        items: numbers in a list.
        body: bytes of a request's body.
        divisions: that a request's numbers may need with a slow kernel.
        allow_slow_kernels: let `?kernel=` choose trial division.

    Returns:
        A WSGI application.

    Raises:
        ValueError: a limit makes no sense.

    >>> create_app(digits=100).limits.digits
    100
    """
    kernels = KERNELS if allow_slow_kernels else {FAST: KERNELS[FAST]}
    return App(Limits(digits, items, body, divisions), kernels)


class App:
    """The application.

    Args:
        limits: of a request.
        kernels: those that requests may choose, by name; `fast`, which they get otherwise, is among them.
        tells_start: also tell when the calls began, to clients on the same machine.
    """

    def __init__(self, limits: Limits, kernels: Mapping[str, Kernel], tells_start: bool = False) -> None:
        self.limits = limits
        self.kernels = kernels
        self.tells_start = tells_start

    def __call__(self, environ: Environment, start_response: StartResponse) -> list[bytes]:
        """Answer a request, as PEP 3333 says."""
        headers: Iterable[tuple[str, str]] = ()
        try:
            status = HTTPStatus.OK
            answer, headers = self._answer(environ)
        except Refusal as refusal:
            status, headers = refusal.status, refusal.headers
            answer = {"error": str(refusal)}
        body = json.dumps(answer).encode() + b"\n"
        start_response(
            f"{status.value} {status.phrase}",
            [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers],
        )
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _answer(self, environ: Environment) -> tuple[Any, list[tuple[str, str]]]:
        path, body = environ.get("PATH_INFO", ""), self._body(environ)
        if path.startswith("/is_prime/"):
            allow(environ, READING)
            n = self._number(path.removeprefix("/is_prime/"))
            calls = self._calls(environ, [n])
            return {"n": str(n), "is_prime": calls.answers[0]}, self._timing(calls)
        if path == "/is_prime":
            allow(environ, WRITING)
            check_media_type(environ)
            calls = self._calls(environ, self._numbers(body))
            return calls.answers, self._timing(calls)
        if path == "/healthz":
            allow(environ, READING)
            return {"status": "ok"}, []
        raise Refusal(HTTPStatus.NOT_FOUND, f"there is no {shown(path)} here; there are {ROUTES}")

    def _number(self, text: str) -> int:
        """The number of a path."""
        if not INTEGER.fullmatch(text):
            wrong = f"GET /is_prime/<n> takes an integer in decimal digits, not {shown(text)}"
            raise Refusal(HTTPStatus.BAD_REQUEST, wrong)
        return self._integer(text, HTTPStatus.REQUEST_URI_TOO_LONG)

    def _integer(self, text: str, status: HTTPStatus = HTTPStatus.REQUEST_ENTITY_TOO_LARGE) -> int:
        digits = len(text) - text.startswith("-")
        if digits > self.limits.digits:
            raise Refusal(status, f"a number has {digits:,} digits; the limit is {self.limits.digits:,}")
        return int(text)

    def _body(self, environ: Environment) -> bytes | None:
        """The bytes that come with a request; None where nothing tells their end."""
        stream, most = environ["wsgi.input"], self.limits.body
        length = stated_length(environ)
        if length is None:
            return self._terminated(stream) if environ.get("wsgi.input_terminated") else None
        if length > most:
            if length <= most + DROPPED:
                drop(stream, length)
            raise too_large(f"the body has {length:,} bytes", f"{most:,}")
        body = receive(stream, length)
        if len(body) < length:
            wrong = f"the body broke off after {len(body):,} of {length:,} bytes"
            raise Refusal(HTTPStatus.BAD_REQUEST, wrong)
        return body

    def _terminated(self, stream: Any) -> bytes:
        """A body of unstated length, of which the server knows the end."""
        most = self.limits.body
        body = receive(stream, most + 1)
        if len(body) > most:
            drop(stream, DROPPED)
            raise too_large(f"the body has more than {most:,} bytes", f"{most:,}")
        return body

    def _numbers(self, body: bytes | None) -> list[int]:
        """The numbers of a JSON list."""
        if body is None:
            raise Refusal(HTTPStatus.LENGTH_REQUIRED, "the request has no Content-Length")
        try:
            values = json.loads(
                body, parse_int=self._integer, parse_float=refuse_float, parse_constant=refuse_float
            )
        except (ValueError, RecursionError) as error:
            raise Refusal(HTTPStatus.BAD_REQUEST, f"the body is not JSON that can be read: {error}") from None
        if type(values) is not list:
            wrong = f"POST /is_prime takes a JSON list of integers, not {kind_of(values)}"
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, wrong)
        if len(values) > self.limits.items:
            raise too_large(f"the list has {len(values):,} numbers", f"{self.limits.items:,}")
        for index, value in enumerate(values):
            if type(value) is not int:
                wrong = f"item {index} of the list is {kind_of(value)}, not an integer"
                raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, wrong)
        return values

    def _calls(self, environ: Environment, numbers: list[int]) -> Calls:
        """Have the numbers tested by the kernel that the request chooses."""
        name = self._kernel(environ.get("QUERY_STRING", ""))
        self._check_work(name, numbers)
        started, cpu_started = perf_counter(), thread_time()
        try:
            answers = answer(self.kernels[name], numbers)
        except Exception as error:
            wrong = f"kernel {name} raised {type(error).__name__}: {error}"
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, wrong) from None
        return Calls(answers, started, perf_counter() - started, thread_time() - cpu_started)

    def _kernel(self, query: str) -> str:
        """The name of the kernel in a query string."""
        try:
            fields = parse_qsl(query, keep_blank_values=True, max_num_fields=100)
        except ValueError:
            raise Refusal(HTTPStatus.BAD_REQUEST, "the query has more than 100 fields") from None
        if not fields:
            return FAST
        (parameter, name), *more = fields
        if parameter != "kernel" or more:
            raise Refusal(HTTPStatus.BAD_REQUEST, f"the query is one kernel=<name>, not {shown(query)}")
        if name not in KERNELS and name not in self.kernels:
            known = ", ".join(self.kernels)
            raise Refusal(HTTPStatus.BAD_REQUEST, f"there is no kernel {shown(name)}; known are {known}")
        if name not in self.kernels:
            wrong = f"kernel {name} is refused: the server was started without --allow-slow-kernels"
            raise Refusal(HTTPStatus.FORBIDDEN, wrong)
        return name

    def _check_work(self, name: str, numbers: list[int]) -> None:
        """Refuse what would take too long."""
        if name != FAST:
            divisions = sum(isqrt(n) // 2 for n in numbers if n > 0)
            if divisions > self.limits.divisions:
                wrong = f"kernel {name} may need {divisions:,} divisions for this"
                raise too_large(wrong, f"{self.limits.divisions:,}")
            return
        digits = isqrt(sum(round(n.bit_length() * DIGITS_PER_BIT) ** 2 for n in numbers if n >= WORD))
        if len(numbers) > 1 and digits > self.limits.digits:
            wrong = f"the numbers beyond 64 bits are together as much work as one of {digits:,} digits"
            raise too_large(wrong, f"{self.limits.digits:,}")

    def _timing(self, calls: Calls) -> list[tuple[str, str]]:
        """What the calls took, in milliseconds, as browsers show it."""
        start = f", start;dur={calls.started * 1e3:.6f}" if self.tells_start else ""
        durations = f"call;dur={calls.seconds * 1e3:.6f}, cpu;dur={calls.cpu_seconds * 1e3:.6f}"
        return [("Server-Timing", durations + start)]


def answer(kernel: Kernel, numbers: list[int]) -> list[Any]:
    """What the kernel answers to each number; `fast` takes all that fit into 64 bits as one array.

    >>> answer(KERNELS["fast"], [7, 9, -7, 2**89 - 1])
    [True, False, False, True]
    """
    if kernel is not KERNELS[FAST] or len(numbers) == 1:
        return [kernel(n) for n in numbers]
    import numpy as np

    from primerace.arrays import ufunc

    words = np.array([n if 0 <= n < WORD else 0 for n in numbers], np.uint64)  # 0 is not prime either
    answers: list[Any] = ufunc(words).tolist()
    for index, n in enumerate(numbers):
        if n >= WORD:
            answers[index] = kernel(n)
    return answers


app = create_app()
