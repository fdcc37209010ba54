"""Every example in a docstring runs."""

import doctest
import pkgutil
from importlib import import_module

import pytest

import primerace

MODULES = ["primerace"] + [
    module.name
    for module in pkgutil.walk_packages(primerace.__path__, "primerace.")
    if not module.name.endswith("__main__")
]


DRAWING = ("primerace.report.charts", "primerace.report.plot")


def imported(name):
    """The module; where a package of an extra is missing, the test is skipped."""
    try:
        return import_module(name)
    except ModuleNotFoundError as missing:
        if str(missing.name).startswith("primerace"):
            raise
        pytest.skip(f"{name} needs {missing.name}, of an extra")


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name):
    for module in ("altair", "vl_convert") if name.startswith(DRAWING) else ():
        pytest.importorskip(module, reason=f"charts need {module}, of the extra plot")
    assert doctest.testmod(imported(name)).failed == 0


def test_there_are_examples():
    core = ["_isprime", "_trial", "items", "job", "machine", "schedule", "stats", "target", "trial"]
    assert sum(doctest.testmod(imported(f"primerace.{name}")).attempted for name in core) > 30
