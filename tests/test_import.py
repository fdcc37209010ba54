"""What `import primerace` costs, and what it must not bring along."""

import subprocess
import sys
import time
from statistics import median

import pytest


def loaded_by(module):
    code = f"import {module}, sys; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split())


@pytest.mark.parametrize("module", ["primerace", "primerace.kernels", "primerace.racing"])
def test_brings_no_numpy(module):
    loaded = loaded_by(module)
    assert module in loaded
    assert not loaded & {"numpy", "rich", "click", "gmpy2", "joblib", "dask", "celery", "gevent"}


def test_package_alone_brings_no_machinery():
    assert not loaded_by("primerace") & {"multiprocessing", "concurrent", "psutil", "json"}


def test_import_is_quick():
    """The promise is 30 ms more than bare Python; a busy machine gets 150."""

    def seconds(code):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - begin

    extra = [seconds("import primerace") - seconds("pass") for _ in range(5)]
    assert median(extra) < 0.15
