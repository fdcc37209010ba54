"""The parent's side of a probe: have a process answer it, and put in words what became of that process.

Nothing of this process changes, its switch interval least of all: the call is made in another one.
"""

import json
import os
from collections.abc import Callable
from multiprocessing.connection import wait
from time import monotonic, sleep
from typing import Any

from primerace import target
from primerace.children import exit_in_words
from primerace.gil.child import CALIBRATION, CALL, FORKED, IMPORT, LONG_CALL, Request
from primerace.gil.process import Child, started
from primerace.gil.verdict import GilVerdict
from primerace.pipes import pipe

TIMEOUT = 60.0  # seconds
GLANCE = 0.02  # seconds between two looks whether the process still runs
GULP = 1 << 16  # bytes

DURING = {
    None: "before the function was imported",
    IMPORT: "while the function was imported",
    CALIBRATION: "while the probe was calibrated",
    CALL: "in the middle of the call",
    LONG_CALL: "in the middle of the call",
}


class ProbeError(RuntimeError):
    """There is no verdict; the message says what happened."""


def probe_gil(
    function: Callable[..., object], /, *args: Any, timeout: float = TIMEOUT, **kwargs: Any
) -> GilVerdict:
    """Tell whether a call holds, yields or releases the GIL.

    The call is made twice at least, in a process of its own: at the default switch interval, and at one so
    long that nobody is forced to hand the GIL over. Calls shorter than 0.3 s are repeated. What the call
    prints is dropped.

    Args:
        function: what to call.
        *args: its arguments.
        timeout: seconds for all of it.
        **kwargs: its keyword arguments; where one of them is named timeout, give a functools.partial.

    Returns:
        The verdict, which is holds, yields, releases, mixed, too-short, inconclusive or, on a free-threaded
        Python, not-applicable; and what shows it.

    Raises:
        ProbeError: the function raised, never returned, forked, or ended its process.
        TypeError: the function can't be called, or the timeout is no number.
        ValueError: the timeout is not above 0.

    The method is a heartbeat beside the call at two switch intervals, calibrated with the kernels held and
    released: docs/gil.md.

    >>> import time
    >>> probe_gil(time.sleep, 0.3)  # doctest: +ELLIPSIS
    GilVerdict(function='time:sleep', verdict=...)
    """
    if not callable(function):
        raise TypeError(f"a function is needed, not {type(function).__name__}")
    if not isinstance(timeout, int | float):
        raise TypeError(f"timeout is {timeout!r}, but a number of seconds is needed")
    if not timeout > 0:
        raise ValueError(f"timeout is {timeout!r}, but a number of seconds above 0 is needed")
    return run(Request(target.name_of(function), function, args, kwargs), timeout)


def run(request: Request, timeout: float = TIMEOUT) -> GilVerdict:
    """Have a request answered by a process of its own.

    Args:
        request: what to probe.
        timeout: seconds for all of it.

    Raises:
        ProbeError: there is no verdict.
    """
    with pipe() as (results, told), pipe() as (lifeline, held):
        own = results.fileno(), held.fileno()
        with started(request, told.fileno(), lifeline.fileno(), own) as child:
            told.close()
            lifeline.close()
            messages = _listen(child, results.fileno(), monotonic() + timeout)
            status = child.poll()
    return _verdict(request.name, messages, status, timeout)


def _verdict(name: str, messages: list[dict[str, Any]], status: int | None, timeout: float) -> GilVerdict:
    stages = [message["stage"] for message in messages if "stage" in message]
    last = messages[-1] if messages else {}
    if FORKED in stages:
        raise ProbeError(f"{name} forked and returned in both processes; a probe can't judge that")
    if "verdict" in last:
        return GilVerdict.from_json(last["verdict"])
    if "error" in last:
        raise ProbeError(last["error"])
    during = DURING[stages[-1] if stages else None]
    if status is not None:
        raise ProbeError(f"{name}: the process ended {during}, {exit_in_words(status)}")
    if stages and stages[-1] == LONG_CALL:
        raise ProbeError(
            f"{name} did not return within {timeout:g} s at a switch interval of 100 s, though it had "
            "returned at the default one; it may take too long, or wait in a loop for another thread"
        )
    raise ProbeError(f"{name} took more than {timeout:g} s, {during}")


def _listen(child: Child, results: int, deadline: float) -> list[dict[str, Any]]:
    """All messages until the last one, the end of the process, or the deadline."""
    text = b""
    while not _complete(text) and monotonic() < deadline:
        ended = child.poll() is not None  # asked first: what it said before it ended is still to be read
        if wait([results], 0 if ended else GLANCE):
            received = os.read(results, GULP)
            text += received
            if not received:  # it has ended, or the call has closed its files and goes on
                _wait(child, deadline)
                break
        elif ended:
            break
    return _messages(text)


def _wait(child: Child, deadline: float) -> None:
    while child.poll() is None and monotonic() < deadline:
        sleep(GLANCE)


def _messages(text: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.split(b"\n")[:-1]]


def _complete(text: bytes) -> bool:
    return text.endswith(b"\n") and "stage" not in _messages(text)[-1]
