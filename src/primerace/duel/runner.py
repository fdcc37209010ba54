"""What runs in the process of a side: answer requests, each in a fork of this process.

This file is all that the other interpreter gets. It imports nothing but the standard library, since that
interpreter may have an older primerace, or none, and it keeps to what Python 3.8 knows.

Requests and answers are lines of JSON. Each request is answered by a fork: no job meets what another one
has left behind, and a job that dies takes no other one with it. What a job prints is dropped.
"""

from __future__ import annotations

import fcntl
import gc
import hashlib
import json
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from itertools import repeat
from time import perf_counter
from traceback import walk_tb
from typing import Any, Callable, Dict  # noqa: UP035  Python 3.8

ANSWERED = 77  # exit status of a fork; a job may end it with 0 before there is an answer
TRIES = 3  # laps of which the quickest tells how long one takes
LONG = 100  # times as long as is enough: of such a lap one tells that too
LONGEST = 500  # characters of a message
MOST_SHOWN = 1000  # answers that are compared one by one
PLAIN = (type(None), bool, int, str, bytes, bytearray, range)
TELLING = {  # further types whose repr tells the whole value; as names, since nothing is imported for them
    "decimal": ("Decimal",),
    "fractions": ("Fraction",),
    "datetime": ("date", "datetime", "time", "timedelta", "timezone"),
}

LAP = """
def lap(loops):
    started = perf_counter()
    for _ in repeat(None, loops):
        {work}
    return (perf_counter() - started) / loops
"""

Message = Dict[str, Any]  # noqa: UP006  Python 3.8


class Unavailable(Exception):
    """This interpreter can't do the job; the message says why."""


def main(requests: int, results: int, lifeline: int) -> None:
    """Answer requests until nobody can ask any more.

    Args:
        requests: the pipe to read from.
        results: the pipe to write to.
        lifeline: a pipe whose other end closes when the parent is gone.
    """
    folder = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [place for place in sys.path if place != folder]
    settle_under(lifeline)
    if hasattr(sys, "set_int_max_str_digits"):  # items and answers may be longer numbers than 4300 digits
        sys.set_int_max_str_digits(0)
    with open(requests) as lines:
        for line in lines:
            status = in_fork(json.loads(line), results)
            if status != ANSWERED:
                send(results, {"died": status})


def settle_under(lifeline: int) -> None:
    """Leave Ctrl-C to the parent, and end with it, together with all that was started here.

    The system sends SIGIO, which ends a process, to the group of this one when the parent's end of the pipe
    closes. That works in the middle of a call that holds the GIL, where no thread of ours could act.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGIO):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)


def in_fork(request: Message, results: int) -> int:
    """Answer a request in a fork, and return how that ended: ANSWERED, or as subprocess tells it."""
    for module in request["preload"]:
        with suppress(ImportError):  # the job itself will tell
            import_module(module)
    pid = os.fork()
    if pid == 0:
        try:
            send(results, answer_to(request))
            os._exit(ANSWERED)
        finally:
            os._exit(1)
    status = os.waitpid(pid, 0)[1]
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def send(results: int, message: Message) -> None:
    """Write a line of JSON."""
    line = memoryview(json.dumps(message).encode() + b"\n")
    while line:
        line = line[os.write(results, line) :]


def answer_to(request: Message) -> Message:
    """What the request asks for, or why there is no answer."""
    try:
        return facts() if request["task"] is None else trial(request)
    except Unavailable as reason:
        return {"unavailable": str(reason)}
    except BaseException as error:
        return {"error": in_words(error)}


def in_words(error: BaseException) -> str:
    """An exception in one line."""
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = ""
    return (type(error).__name__ + (": " + text if text else ""))[:LONGEST]


def facts() -> Message:
    """What this interpreter is, and which primerace it has."""
    import platform
    from importlib.metadata import PackageNotFoundError, version
    from importlib.util import find_spec

    versions = {}
    for package in ("primerace", "numpy"):
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    found = find_spec("primerace")
    return {
        "executable": sys.executable,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "compiler": platform.python_compiler(),
        "gil_enabled": bool(getattr(sys, "_is_gil_enabled", lambda: True)()),
        "primerace": versions.get("primerace"),
        "numpy": versions.get("numpy"),
        "location": os.path.dirname(found.origin) if found and found.origin else None,
    }


def trial(request: Message) -> Message:
    """Prepare the task, warm up, and time its laps; the quickest counts.

    Where the request names no loops, find how many make a lap last long enough, and show the answers.
    """
    task, loops = request["task"], request["loops"]
    names = prepared(task)
    lap = names["lap"]
    try:
        if task["once"]:
            return {"loops": 1, "laps": 1, "seconds": lap(1), "digest": None, "opaque": [], "shown": None}
        answers = eval(task["work"], names)
        if not loops:
            calibration = calibrated(lap, request["lap_seconds"])
            return {**calibration, **compared(answers), "shown": shown(answers)}
        if loops > 1:  # else the answers were one
            lap(loops)
        gc.collect()
        return {"seconds": min(lap(loops) for _ in range(request["laps"])), **compared(answers)}
    finally:
        exec(task["teardown"], names)


def prepared(task: Message) -> Message:
    """The names that a task has after its set-up; `lap` is the function that times its work.

    Args:
        task: its `setup` knows `data`, `load` and `Unavailable`, its `work` all that the set-up has named.

    Raises:
        Unavailable: this interpreter can't do it, or its primerace has not what the set-up imports.
    """
    names = {
        "data": task["data"],
        "load": load,
        "Unavailable": Unavailable,
        "perf_counter": perf_counter,
        "repeat": repeat,
    }
    try:
        exec(task["setup"], names)
    except ImportError as error:
        if is_lack(error):
            raise Unavailable("not in this primerace: " + " ".join(str(error).split())) from error
        raise
    exec(LAP.format(work=task["work"]), names)
    return names


def is_lack(error: ImportError) -> bool:
    """Whether the set-up, and no module of primerace itself, asked for what primerace does not have."""
    files = [frame.f_code.co_filename for frame, _ in walk_tb(error.__traceback__)]
    beyond = [file for file in files[2:] if "frozen importlib" not in file]  # files[1] is the set-up
    return not beyond and (error.name or "").partition(".")[0] == "primerace"


def calibrated(lap: Callable[[int], float], enough: float) -> Message:
    """How often the work has to be done for a lap of enough seconds, and the seconds of doing it once.

    `laps` is how many of that length it took to know. Work that lasts long is not done more often than in a
    trial, and fits in the same time.
    """
    loops = 1
    while True:
        times = [lap(loops)]
        if times[0] * loops < LONG * enough:
            times += [lap(loops) for _ in range(TRIES - 1)]
        seconds = min(times)
        if seconds * loops >= enough:
            return {"loops": loops, "laps": len(times), "seconds": seconds}
        loops *= 2


def compared(answers: object) -> Message:
    """What tells apart answers that differ, and the types in them whose values nothing can tell apart."""
    opaque: set[str] = set()
    return {"digest": digest(content_of(answers, opaque).encode()), "opaque": sorted(opaque)}


def digest(content: bytes) -> str:
    """What stands for a content."""
    return hashlib.sha256(content).hexdigest()


def shown(answers: Any) -> list[str] | None:
    """The answers one by one, if there are not too many of them."""
    if not hasattr(answers, "__len__") or len(answers) > MOST_SHOWN or isinstance(answers, (str, dict)):
        return None
    return [shortened(content_of(answer, set())) for answer in answers]


def shortened(content: str) -> str:
    """The beginning of a long content, and what tells it apart from others that begin alike."""
    return content if len(content) <= LONGEST else f"{content[:LONGEST]}… ({digest(content.encode())[:8]})"


def content_of(value: Any, opaque: set[str]) -> str:
    """The value as text that is the same in every Python; floating-point numbers to nine digits.

    Args:
        value: an answer, or a part of one.
        opaque: takes the names of types, as most classes are, of which the text tells no more than the name.
    """
    if hasattr(value, "tobytes") and str(getattr(value, "dtype", "")) == "bool" and value.size > MOST_SHOWN:
        return digest(value.tobytes())
    if hasattr(value, "tolist"):
        value = value.tolist()
    kind = type(value)
    if isinstance(value, (float, complex)):
        return f"{value:.9g}"
    if isinstance(value, PLAIN) or kind.__name__ in TELLING.get(kind.__module__, ()):
        return ascii(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(content_of(each, opaque) for each in value)}]"
    if isinstance(value, (set, frozenset)):
        return f"set({', '.join(sorted(content_of(each, opaque) for each in value))})"
    if isinstance(value, dict):
        items = (f"{content_of(key, opaque)}: {content_of(each, opaque)}" for key, each in value.items())
        return f"{{{', '.join(sorted(items))}}}"
    opaque.add(kind.__name__)
    return f"<{kind.__name__}>"


def load(spec: str, folder: str) -> Any:
    """What `package.module:name` or `./script.py:name` names, looked for in the folder.

    Raises:
        Unavailable: there is no such thing here.
    """
    place, _, path = spec.rpartition(":")
    try:
        found = script(place, folder) if place.endswith(".py") or os.sep in place else module(place, folder)
    except Unavailable:
        raise
    except ModuleNotFoundError as error:
        raise Unavailable(f"there is no module {error.name!r}") from error
    except (Exception, SystemExit) as error:
        raise Unavailable(f"{place}: importing it raised {in_words(error)}") from error
    for name in path.split("."):
        if not hasattr(found, name):
            raise Unavailable(f"{place} has no {name!r}")
        found = getattr(found, name)
    if not callable(found):
        raise Unavailable(f"{spec}: can't be called, it is of type {type(found).__name__}")
    return found


def module(name: str, folder: str) -> Any:
    """The module of that name, looked for in the folder too."""
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return import_module(name)


def script(place: str, folder: str) -> Any:
    """The module that a script is; the names of scripts are those that `primerace.target` takes."""
    path = os.path.realpath(os.path.join(folder, os.path.expanduser(place)))
    if not os.path.isfile(path):
        raise Unavailable(f"there is no script {place!r}")
    name, ending = os.path.splitext(os.path.basename(path))
    if ending != ".py" or "." in name:
        raise Unavailable(f"{place}: a script's name ends in .py and has no other dot")
    loaded = sys.modules.get(name)
    if loaded is not None:
        if os.path.realpath(getattr(loaded, "__file__", None) or "") == path:
            return loaded
        raise Unavailable(f"{place}: a module {name!r} is already loaded; give the script another name")
    if os.path.dirname(path) not in sys.path:
        sys.path.insert(0, os.path.dirname(path))
    from importlib.util import module_from_spec, spec_from_file_location

    spec: Any = spec_from_file_location(name, path)
    loaded = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
