"""What happens in the process of the probe: load the function, calibrate, call, judge.

Everything that the function prints is dropped, and Ctrl-C is left to the parent. What the parent has to know
goes through one pipe, a line of JSON each: the stage that begins, and at last a verdict or an error.
"""

import inspect
import json
import os
import pickle
import signal
import sys
import sysconfig
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from re import search
from time import perf_counter
from types import ModuleType
from typing import Any, NoReturn

from primerace.gil.pulse import Pulse, feel
from primerace.gil.readings import Calibration, Reading
from primerace.gil.verdict import CLEAR, GilVerdict, judge, used_up
from primerace.kernels import held, released
from primerace.machine import gil_enabled
from primerace.pipes import end_with
from primerace.plain import one_line
from primerace.target import TargetError, is_script, load

LONG = 100.0  # seconds: a switch interval that no call lasts
TOGETHER = 0.3  # seconds that short calls take together
KERNEL_N = 5_000_111_000_222_021  # a prime: trial division takes about 0.1 s
IMPORT, CALIBRATION, CALL, LONG_CALL = "import", "calibration", "call", "call at a long switch interval"
FORKED = "forked"  # the stage of a copy of this process that came back from the call
LONGEST = 500  # characters of a message
CALIBRATIONS = 3  # attempts before a machine counts as noisy


class CallError(Exception):
    """The call can't be judged; the message says what happened."""


@dataclass(frozen=True)
class Request:
    """What to probe.

    Args:
        name: of the function, for the reader.
        function: itself, or its name as `primerace.target` reads it, or the pickle of it and its arguments.
        args: positional arguments, unless they are in the pickle.
        kwargs: keyword arguments, likewise.
        expression: what to evaluate instead, among the names of the function's module.
    """

    name: str
    function: Callable[..., object] | bytes | str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    expression: str | None = None


def main(results: int, lifeline: int) -> NoReturn:
    """Answer the request that is on standard input."""
    serve(pickle.load(sys.stdin.buffer), results, lifeline)


def serve(request: Request, results: int, lifeline: int) -> NoReturn:
    """Answer a request and end the process.

    Args:
        request: what to probe.
        results: where to write to.
        lifeline: a pipe whose other end closes when the parent is gone.
    """
    _settle_in(lifeline)
    answer: dict[str, Any]
    try:
        answer = {"verdict": _probe(request, lambda stage: _send(results, {"stage": stage})).to_json()}
    except (CallError, TargetError) as error:
        answer = {"error": str(error)}
    except BaseException as error:
        answer = {"error": _in_words(request.name, error)}
    _send(results, answer)
    os._exit(0)


def _settle_in(lifeline: int) -> None:
    """Be quiet, leave Ctrl-C to the parent, and end with it together with all that the function starts."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    sys.stdout = sys.stderr = open(nowhere, "w")  # noqa: SIM115  as long as the process
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    end_with(lifeline, group=True)


def _send(results: int, message: dict[str, Any]) -> None:
    line = memoryview(json.dumps(message).encode() + b"\n")
    while line:
        line = line[os.write(results, line) :]


def _probe(request: Request, tell: Callable[[str], None]) -> GilVerdict:
    tell(IMPORT)
    call, switched_on_by = _loaded(request)
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return _not_applicable(request.name, switched_on_by)
    tell(CALIBRATION)
    calibration = _calibrate()
    watched = Watched(request.name, call, tell)
    tell(CALL)
    interval = sys.getswitchinterval()
    at_default = Reading.at_default(feel(watched, interval, TOGETHER), interval)
    tell(LONG_CALL)
    at_long = Reading.at_long(feel(watched, LONG, TOGETHER), LONG, calibration)
    verdict, reason = judge(calibration, at_default, at_long)
    if verdict == "too-short":
        reason = used_up(watched.first_seconds, at_long) or reason
    return GilVerdict(request.name, verdict, reason, calibration, at_default, at_long)


def _not_applicable(name: str, switched_on_by: str | None) -> GilVerdict:
    on = gil_enabled()
    state = "switched on" if on else "off"
    cause = f" by the import of {switched_on_by}" if on and switched_on_by else ""
    reason = f"the probe does not apply to a free-threaded Python; its GIL is {state}{cause}"
    return GilVerdict(name, "not-applicable", reason, gil_enabled=on, switched_on_by=switched_on_by)


def _loaded(request: Request) -> tuple[Callable[[], object], str | None]:
    """The call without arguments, and the module whose import switched the GIL on."""
    function, args, kwargs = request.function, request.args, request.kwargs
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if isinstance(function, str):
            function = load(function).itself
        elif isinstance(function, bytes):
            function, args, kwargs = _unpickled(request.name, function)
    found = [search(r"load module '(.+?)'", str(warning.message)) for warning in caught]
    culprit = next((match[1] for match in found if match), None)
    if request.expression is not None:
        return _expression(request.expression, str(request.function), function), culprit
    return partial(function, *args, **kwargs), culprit


def _unpickled(name: str, call: bytes) -> tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]]:
    try:
        function, args, kwargs = pickle.loads(call)
    except Exception as error:
        raise CallError(f"{name} can't be sent to another process: {error}") from error
    return function, args, kwargs


def _expression(expression: str, spec: str, function: Callable[..., object]) -> Callable[[], object]:
    """The expression as a call, among the names of the module, the function's own and its package's."""
    place, _, path = spec.rpartition(":")
    if is_script(place):
        place = os.path.splitext(os.path.basename(place))[0]
    module = sys.modules.get(place) or sys.modules.get(getattr(function, "__module__", None) or "")
    names = dict(vars(module)) if isinstance(module, ModuleType) else {}
    root = place.partition(".")[0]
    if root in sys.modules:
        names[root] = sys.modules[root]
    names[path.rpartition(".")[2]] = function
    code = compile(expression, "--call", "eval")
    return lambda: eval(code, names)


def _calibrate() -> Calibration:
    """How the heartbeat looks here beside the two kernels; the best of a few attempts on a noisy machine."""
    attempts: list[Calibration] = []
    while len(attempts) < CALIBRATIONS and not (attempts and attempts[-1].contrast >= CLEAR):
        attempts.append(Calibration.of(_kernel(released), _kernel(held)))
    return max(attempts, key=lambda each: each.contrast)


def _kernel(kernel: Callable[[int], bool]) -> Pulse:
    return feel(lambda: kernel(KERNEL_N), LONG, 0)


class Watched:
    """The call, with an error where the probe would mistake it for another one.

    That is where it forks and returns twice, has only made what would run, or sets the switch interval.
    """

    def __init__(self, name: str, call: Callable[[], object], tell: Callable[[str], None]) -> None:
        self._name, self._call, self._tell = name, call, tell
        self._process = os.getpid()
        self.first_seconds = 0.0  # what the first call took

    def __call__(self) -> None:
        began, interval = perf_counter(), sys.getswitchinterval()
        try:
            result = self._call()
        finally:
            if os.getpid() != self._process:
                self._tell(FORKED)
                os._exit(0)
        self.first_seconds = self.first_seconds or perf_counter() - began
        if inspect.iscoroutine(result):
            result.close()
            raise self._error("returns a coroutine, of which nothing has run; call asyncio.run on it")
        if inspect.isgenerator(result) or inspect.isasyncgen(result):
            raise self._error("returns a generator, of which nothing has run; call list on it")
        if sys.getswitchinterval() != interval:
            raise self._error("sets the switch interval, as the probe does; a probe can't judge that")

    def _error(self, what: str) -> CallError:
        return CallError(f"{self._name} {what}")


def _in_words(name: str, error: BaseException) -> str:
    try:
        text = f": {error}" if str(error) else ""
    except Exception:
        text = ""
    return one_line(f"{name} raised {type(error).__name__}{text}")[:LONGEST]
