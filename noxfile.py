"""The long campaigns and the other Pythons, run by hand: nox -s NAME."""

import nox

nox.options.sessions = []


# Tests of the library itself, whose unmarked ones may run in eight threads at once.
LIBRARY = [
    "tests/test_bigprime.py",
    "tests/test_hard_numbers.py",
    "tests/test_instruction_sets.py",
    "tests/test_is_prime.py",
    "tests/test_kernels.py",
    "tests/test_napping.py",
    "tests/test_native.py::TestModule",
    "tests/test_results.py",
    "tests/test_scaling.py",
    "tests/test_schedule.py",
    "tests/test_simd.py",
    "tests/test_stats.py",
    "tests/test_ufunc.py",
]


@nox.session(python=["3.11", "3.12", "3.13", "3.14", "3.15"])
def tests(session: nox.Session) -> None:
    """The whole suite on another Python."""
    session.install(".[dev]")
    session.run("pytest", *session.posargs)


@nox.session(python="3.13t")
def free_threaded(session: nox.Session) -> None:
    """The suite without the GIL, then the library's tests in eight threads at once."""
    session.install("--only-binary=:all:", "pytest-run-parallel", "gmpy2", "joblib", "scipy", "altair")
    session.install("--only-binary=:all:", ".[test]")
    session.run("pytest", "-p", "no:run-parallel", *session.posargs)
    session.run("pytest", "--parallel-threads=8", *LIBRARY, *session.posargs)


@nox.session
def exhaustive(session: nox.Session) -> None:
    """Every odd n below 2**32, on every instruction set, against a sieve (minutes)."""
    session.install(".")
    session.run("python", "tools/exhaustive.py", *session.posargs)


@nox.session
def random(session: nox.Session) -> None:
    """10**7 random numbers of each class against gmpy2 and python-flint (minutes)."""
    session.install(".[bigint]", "python-flint")
    session.run("python", "tools/random_numbers.py", *session.posargs, env={"PYTHONPATH": "benchmarks"})


@nox.session
def aa(session: nox.Session) -> None:
    """False alarms, and slowdowns found, of the race itself (20 minutes, on a quiet machine)."""
    session.install(".")
    session.run("python", "tools/aa.py", *session.posargs)


@nox.session
def gil(session: nox.Session) -> None:
    """How often the GIL probe is wrong, and the table of docs/gil.md (6 minutes, on a quiet machine)."""
    session.install(".[bigint]", "python-flint", "sympy", "lxml", "orjson")
    session.run("python", "tools/gil_quality.py", *session.posargs)
    session.run("python", "tools/gil_table.py")
