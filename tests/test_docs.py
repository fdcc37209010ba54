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


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name):
    assert doctest.testmod(import_module(name)).failed == 0


def test_there_are_examples():
    attempted = sum(doctest.testmod(import_module(name)).attempted for name in MODULES)
    assert attempted > 30
