"""The long campaigns and the other Pythons, run by hand: nox -s NAME."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import nox

nox.options.sessions = []

WITH_EXTRAS = ".[gevent,joblib,dask,celery,rq,web]"  # the project, and what its racers need

# Tests of the library itself, whose unmarked ones may run in eight threads at once.
LIBRARY = [
    "tests/test_arrays.py",
    "tests/test_bigprime.py",
    "tests/test_containers.py",
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

# Tests of the modules in Cython, but for those that divide millions of times, and those whose signal may come
# while the tracer looks at a line: the exception would be its, and the end of all tracing.
COMPILED = [
    "-k=not every_number and not largest_root and not beyond_exact and not signal_stops",
    "tests/test_about.py",
    "tests/test_arrays.py",
    "tests/test_is_prime.py",
    "tests/test_kernels.py",
    "tests/test_native.py",
    "tests/test_simd.py",
    "tests/test_split.py::TestPartsOfTheKernels",
    "tests/test_ufunc.py",
]

# A sanitizer goes into no browser or emulator, makes an exit status of a crash, and slows one side of a duel.
NOT_UNDER_SANITIZERS = [
    "--ignore=tests/test_browser.py",
    "--deselect=tests/test_plot.py::test_page_in_a_browser",
    "--deselect=tests/test_emulated.py::test_python",
    "--deselect=tests/test_gil_command.py::TestCommand::test_mishap_in_the_call[crashes]",
    "--deselect=tests/test_duel.py::TestCommand::test_another_python_needs_no_primerace_for_a_function",
]


@nox.session(python=["3.11", "3.12", "3.13", "3.14", "3.15"])
def tests(session: nox.Session) -> None:
    """The whole suite on another Python."""
    session.install(".[dev]")
    session.run("pytest", *session.posargs)


@nox.session(python="3.13t", name="free-threaded")
def free_threaded(session: nox.Session) -> None:
    """The suite without the GIL, then the library's tests in eight threads at once."""
    session.install("--only-binary=:all:", "pytest-run-parallel", "gmpy2", "joblib", "scipy", "altair")
    session.install("--only-binary=:all:", ".[test]")
    session.run("pytest", "-p", "no:run-parallel", *session.posargs)
    session.run("pytest", "--parallel-threads=8", *LIBRARY, *session.posargs)


@nox.session(name="instruction-sets")
def instruction_sets(session: nox.Session) -> None:
    """The suite with each instruction set of this CPU forced (10 minutes each)."""
    session.install(".[dev]")
    listed = "from primerace import simd; print(*simd.available())"
    for name in str(session.run("python", "-c", listed, silent=True)).split():
        session.run("pytest", *session.posargs, env={"PRIMERACE_SIMD": name})


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


@nox.session(name="duel-quality")
def duel_quality(session: nox.Session) -> None:
    """False alarms, and slowdowns found, of a duel (45 minutes, on a quiet machine)."""
    session.install(WITH_EXTRAS)
    session.run("python", "tools/duel_quality.py", *session.posargs, env={"PYTHONPATH": "benchmarks"})


@nox.session
def san(session: nox.Session) -> None:
    """The suite under AddressSanitizer and UndefinedBehaviorSanitizer (half an hour)."""
    project, compiler = copied(session), "gcc -fsanitize=address,undefined -fno-sanitize-recover=all"
    session.install(f"{project}[dev]", env={"CC": compiler, "CFLAGS": "-O1 -g -fno-omit-frame-pointer"})
    env = {
        "LD_PRELOAD": " ".join(library(session, name) for name in ("libasan", "libubsan", "libstdc++")),
        "PYTHONMALLOC": "malloc",
        # Python keeps much until its end (nox -s leaks looks for leaks); what is too large is a MemoryError.
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }
    session.run("pytest", "-o", "timeout=600", *(session.posargs or NOT_UNDER_SANITIZERS), env=env)


@nox.session(python=False)
def tsan(session: nox.Session) -> None:
    """The kernels in C and their dispatch under ThreadSanitizer, in eight threads (minutes)."""
    session.run("tools/check-sanitizers", "thread", *(session.posargs or ["20000"]))


@nox.session
def fuzz(session: nox.Session) -> None:
    """Hard numbers against scalar (10**9) and python-flint (10**8), after a minute of libFuzzer."""
    session.install(".", "python-flint")
    if not session.posargs:
        session.run("tools/check-fuzz", external=True)
    session.run("python", "tools/fuzz", *session.posargs)


@nox.session
def leaks(session: nox.Session) -> None:
    """A million calls of everything public, and a thousand races: memory stays flat (10 minutes)."""
    session.install(WITH_EXTRAS)
    session.run("python", "tools/leaks", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Which lines of Python and of Cython the tests run; fails below 95% of either (half an hour)."""
    project = copied(session)
    session.install("coverage>=7.10", "cython>=3.1", "numpy>=2.0", "setuptools>=77")
    session.chdir(project)
    session.install("--editable", ".[dev]")
    settings = "--rcfile=tools/coverage-python.ini"
    cover(session, settings, "-m", "not alone", *session.posargs)
    # Slowed down as they are, tests that measure time may fail; what they run counts all the same.
    cover(session, settings, "-m", "alone", *session.posargs, codes=[0, 1])
    session.run("coverage", "combine", settings)
    session.run("coverage", "report", settings)
    # Traced Cython is a hundred times slower: only the tests of the compiled modules run on it.
    shutil.rmtree("build", ignore_errors=True)
    session.install("--editable", ".", env={"PRIMERACE_TRACE": "1", "CFLAGS": "-O1"})
    settings = "--rcfile=tools/coverage-cython.ini"
    cover(session, settings, *COMPILED)
    session.run("coverage", "report", settings)


def cover(session: nox.Session, settings: str, *tests: str, codes: Sequence[int] = (0,)) -> None:
    """Run tests, and note what they cover; Hypothesis has no deadline, for all is slower."""
    pytest = ["-m", "pytest", "-o", "timeout=600", "--hypothesis-profile=ci", *tests]
    session.run("coverage", "run", settings, *pytest, success_codes=codes)


@nox.session
def soak(session: nox.Session) -> None:
    """Random races with random faults: nothing is lost, nothing is left running (10 minutes)."""
    session.install(WITH_EXTRAS)
    # Ctrl-C leaves it the time to end what it has started.
    env = {"PYTHONPATH": "tests"}
    session.run("python", "tools/soak", *session.posargs, env=env, interrupt_timeout=30.0)


def copied(session: nox.Session) -> Path:
    """Copy the project: a build with other options would leave its object files to the next one."""
    place = Path(session.create_tmp()) / "project"
    shutil.rmtree(place, ignore_errors=True)
    ignored = shutil.ignore_patterns(".*", "build", "dist", "*.so", "*.egg-info", "__pycache__", "_[a-z]*.c")
    shutil.copytree(".", place, ignore=ignored)
    return place


def library(session: nox.Session, name: str) -> str:
    """Where gcc has a library that must be loaded before Python."""
    return str(session.run("gcc", f"-print-file-name={name}.so", external=True, silent=True)).strip()
