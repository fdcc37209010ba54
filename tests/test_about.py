"""What `primerace --version` tells: the truth about versions, compiler, instruction sets and extras."""

import platform
import re
from importlib.metadata import requires, version

import numpy as np
import pytest

import primerace
from primerace import _isprime, about, machine, simd


@pytest.fixture
def facts():
    """The facts by their names."""
    return dict(re.split(r"  +", line, maxsplit=1) for line in about.about().splitlines()[1:])


def test_every_fact_is_there(facts):
    assert about.about().startswith(f"primerace, version {primerace.__version__}\n")
    assert platform.python_version() in facts["Python"]
    assert ("without the GIL" in facts["Python"]) is not machine.gil_enabled()
    assert platform.machine() in facts["system"]
    assert facts["CPU"].endswith(f", {machine.usable_cores()} usable")
    assert f"numpy {np.__version__}" in facts["installed"]


def test_the_compiler_and_cython_are_those_of_the_build(facts):
    built = _isprime.build_details()
    assert re.fullmatch(r"GCC \d+\.\d+.*|.*Clang \d+\.\d+.*", built["compiler"])
    assert re.fullmatch(r"3\.\d+\.\d+", built["cython"])
    assert re.match(r"(.+), Cython (\S+), .*OpenMP", facts["compiled by"]).groups() == (
        built["compiler"],
        built["cython"],
    )


def test_the_instruction_set_is_the_one_in_use():
    with simd.force("scalar"):
        assert f"  scalar, of {', '.join(simd.available())}\n" in about.about()


def test_packages_of_extras_are_installed_or_not(monkeypatch):
    wanted = ["click>=8 ; extra == 'plot'", 'no.such-package[x]>=1; python_version > "3" and extra == "web"']
    others = ["psutil>=6", 'pytest; extra == "test"', "primerace[plot]; extra == 'all'"]
    monkeypatch.setattr(about, "requires", lambda name: wanted + others)
    *_, installed, missing = about.about().splitlines()
    assert installed.endswith(f"  numpy {np.__version__}, click {version('click')}")
    assert missing.endswith("  no.such-package")


def test_the_extras_are_those_of_the_package(facts):
    told = {each.split()[0] for each in f"{facts['installed']}, {facts['not installed']}".split(", ")}
    asked_for = {re.match(r"[\w.-]+", line).group() for line in requires("primerace")}
    assert told >= {"numpy", "gmpy2", "scipy"}
    assert not told & {"pytest", "ruff", "primerace"}
    assert told - {"nothing"} <= asked_for
