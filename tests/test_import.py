"""What `import primerace` costs, and what it must not bring along."""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pytest

import primerace
from primerace import machine


def loaded_by(module):
    """What comes with a module that was not there before."""
    code = f"import sys; there = set(sys.modules); import {module}; print(*sys.modules.keys() - there)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split())


@pytest.mark.parametrize("module", ["primerace", "primerace.kernels", "primerace.racing", "primerace.gil"])
def test_brings_no_numpy(module):
    loaded = loaded_by(module)
    assert module in loaded
    assert not loaded & {"numpy", "rich", "click", "gmpy2", "joblib", "dask", "celery", "gevent"}


def test_package_alone_brings_no_machinery():
    assert not loaded_by("primerace") & {"multiprocessing", "concurrent", "psutil", "json"}


def test_racers_bring_nothing_that_subinterpreters_refuse():
    """Whose modules of C must say that they can be loaded there; all racers are imported where one works."""
    assert not loaded_by("primerace.racers") & {"psutil", "numpy", "redis", "distributed", "celery", "rq"}


def test_import_is_quick():
    """The promise is 30 ms more than bare Python; a busy machine gets 150."""

    def seconds(code):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - begin

    extra = [seconds("import primerace") - seconds("pass") for _ in range(5)]
    assert median(extra) < 0.15


COMPILED = [path.name.split(".")[0] for path in Path(primerace.__file__).parent.glob("_*.so")]


@pytest.mark.skipif(machine.gil_enabled(), reason="the GIL is on here anyway")
@pytest.mark.parametrize("module", COMPILED)
def test_leaves_the_gil_off(module):
    code = f"import sys, primerace.{module}; sys.exit(sys._is_gil_enabled())"
    assert subprocess.run([sys.executable, "-W", "error", "-c", code]).returncode == 0
