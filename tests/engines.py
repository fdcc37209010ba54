"""The racers that hand the job to an engine, each as it is tested; and what they must not leave behind."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.util import get_temp_dir
from pathlib import Path

import pytest

from primerace.racers import RACERS, Racer
from primerace.racers.engines import Engines

# Racer and settings, by the name of the case. Gunicorn runs kernels only.
CASES = {
    "dask": ("dask", Engines()),
    "dask-threads": ("dask", Engines(dask_threads=2)),
    "celery": ("celery", Engines()),
    "celery-threads": ("celery", Engines(celery_pool="threads")),
    "rq": ("rq", Engines()),
    "gunicorn": ("gunicorn", Engines()),
}
ANY_FUNCTION = [case for case in CASES if case != "gunicorn"]
BY_JSON = [case for case in ANY_FUNCTION if not case.startswith("dask")]  # Dask pickles
PROCESSES = ["dask", "celery", "rq"]  # cases with a process for each worker
DEADLINE = 10.0  # seconds within which what does not answer must be told


def racer(case: str) -> Racer:
    """The racer of a case."""
    name, engines = CASES[case]
    return RACERS[name](engines=engines)


def reason(case: str) -> str | None:
    """Why a case can't be tested here, if it can't."""
    name, _ = CASES[case]
    return racer(case).available() if name in RACERS else "there is no such racer yet"


def runners(cases: list[str]) -> list[object]:
    """The racers of these cases as parameters; those that can't run here are skipped with the reason."""
    return [
        pytest.param(case, id=case, marks=pytest.mark.skip(reason=f"{case}: {why}") if why else ())
        for case in cases
        for why in [reason(case)]
    ]


@contextmanager
def no_files_left() -> Iterator[None]:
    """Give the block a folder of its own for temporary files, and fail where it leaves one there."""
    get_temp_dir()  # multiprocessing has one for the whole program
    before, environment = tempfile.tempdir, os.environ.get("TMPDIR")
    with tempfile.TemporaryDirectory(prefix="tests-") as folder:
        tempfile.tempdir = os.environ["TMPDIR"] = folder
        try:
            yield
            left = sorted(str(path) for path in Path(folder).rglob("*"))
            assert not left, left
        finally:
            tempfile.tempdir = before
            if environment is None:
                del os.environ["TMPDIR"]
            else:
                os.environ["TMPDIR"] = environment


PROGRAM = """
import signal, sys
sys.path.insert(0, {tests!r})
import functions
from primerace.racers import RACERS
from primerace.racers.engines import Engines

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(number))
    with RACERS[{engine!r}](engines=Engines(broker={url!r})).start(2) as crew:
        run = crew.run(functions.nap, [0.01] + [0.3] * 100)
        next(run)
        print("busy", flush=True)
        if {how!r} == "exception":
            raise ZeroDivisionError
        list(run)
"""


def program_of(engine: str, url: str, how: str) -> str:
    """A program that has an engine work with this Redis, and ends by an exception or by signals."""
    return PROGRAM.format(tests=os.path.dirname(__file__), engine=engine, url=url, how=how)
