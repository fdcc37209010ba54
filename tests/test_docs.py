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


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name):
    for module in ("altair", "vl_convert") if name.startswith(DRAWING) else ():
        pytest.importorskip(module, reason=f"charts need {module}, of the extra plot")
    assert doctest.testmod(import_module(name)).failed == 0


def test_there_are_examples():
    plain = [name for name in MODULES if not name.startswith(DRAWING)]
    attempted = sum(doctest.testmod(import_module(name)).attempted for name in plain)
    assert attempted > 30
