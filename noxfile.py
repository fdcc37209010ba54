"""The long campaigns and the other Pythons, run by hand: nox -s NAME."""

import nox

nox.options.sessions = []


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def tests(session: nox.Session) -> None:
    """The whole suite on another Python."""
    session.install(".[dev]")
    session.run("pytest", *session.posargs)


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
