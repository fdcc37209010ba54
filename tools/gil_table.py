"""The table of docs/gil.md: what well-known calls do with the GIL, about a minute, by hand.

Prints one row for each call, and the versions below. What is not installed is left out, and said so. A call
that was inconclusive is probed again.
"""

import copy
import hashlib
import json
import math
import pickle
import platform
import random
import re
import sqlite3
import sys
import time
import zlib
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click
import numpy as np

import primerace
from primerace import GilVerdict, kernels, probe_gil
from primerace.report.rows import duration

ATTEMPTS = 5
REFERENCE = 5_000_111_000_222_021  # a prime of 16 digits
LIBRARIES = {
    "numpy": "NumPy",
    "gmpy2": "gmpy2",
    "python-flint": "python-flint",
    "sympy": "SymPy",
    "lxml": "lxml",
    "orjson": "orjson",
}

Ready = tuple[Callable[..., object], *tuple[Any, ...]]  # a function and its arguments


def words(count: int) -> list[str]:
    """Words that look different, the same in every run."""
    source = random.Random(1)
    return [f"word{source.randrange(10**6)}" for _ in range(count)]


def text(size: int) -> bytes:
    """Bytes that can be compressed a little."""
    return " ".join(words(size // 10)).encode()


def floats(*shape: int) -> np.ndarray:
    """An array of numbers from 0 to 1."""
    return np.random.default_rng(1).random(shape)


def prime_of_4042_digits() -> int:
    """A factorial prime."""
    return math.factorial(1477) + 1


def query(turns: int) -> list[Any]:
    """A statement that keeps SQLite busy."""
    count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT sum(i) FROM n"
    return sqlite3.connect(":memory:").execute(count, (turns,)).fetchall()


def long_int(digits: int) -> int:
    """A number of so many digits, read without Python's limit."""
    sys.set_int_max_str_digits(0)
    return int("7" * digits)


def fmpz_is_prime(n: int) -> bool:
    """python-flint's proof of primality."""
    return bool(import_module("flint").fmpz(n).is_prime())


def determinant(size: int) -> Any:
    """SymPy's, exact."""
    source = random.Random(1)
    entries = [source.randrange(10**6) for _ in range(size**2)]
    return import_module("sympy").Matrix(size, size, entries).det()


def of(module: str, name: str) -> Callable[..., object]:
    """A function of a module that may not be there."""
    found = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found  # type: ignore[return-value]


def document(rows: int) -> bytes:
    """XML with many elements."""
    return b"<r>" + b"".join(b"<a b='%d'>text</a>" % row for row in range(rows)) + b"</r>"


CALLS: dict[str, Callable[[], Ready]] = {
    "`hashlib.sha256(data)`, 200 MB": lambda: (hashlib.sha256, bytes(200 * 10**6)),
    "`hashlib.pbkdf2_hmac`, 10⁶ rounds": lambda: (hashlib.pbkdf2_hmac, "sha256", b"a", b"b", 10**6),
    "`zlib.compress(data)`, 10 MB": lambda: (zlib.compress, text(10**7)),
    "`re.findall(pattern, text)`, 10 MB": lambda: (re.findall, rb"\w+7\b", text(10**7)),
    "`json.dumps(words)`, 2·10⁶": lambda: (json.dumps, words(2 * 10**6)),
    "`json.loads(text)`, 2·10⁶ words": lambda: (json.loads, json.dumps(words(2 * 10**6))),
    "`orjson.loads(text)`, 2·10⁶ words": lambda: (of("orjson", "loads"), json.dumps(words(2 * 10**6))),
    "`lxml.etree.fromstring(text)`, 10⁶ elements": lambda: (of("lxml.etree", "fromstring"), document(10**6)),
    "`pickle.dumps(words)`, 2·10⁶": lambda: (pickle.dumps, words(2 * 10**6)),
    "`copy.deepcopy(lists)`, 10⁵": lambda: (copy.deepcopy, [[number] for number in range(10**5)]),
    "`sqlite3`, one query": lambda: (query, 10**6),
    "`sorted(words)`, 10⁶": lambda: (sorted, words(10**6)),
    "`sum(range(10**8))`": lambda: (sum, range(10**8)),
    "`int(text)`, 10⁵ digits": lambda: (long_int, 10**5),
    "`math.factorial(10**5)`": lambda: (math.factorial, 10**5),
    "`time.sleep(0.3)`": lambda: (time.sleep, 0.3),
    "`numpy.dot`, 1200 x 1200": lambda: (np.dot, floats(1200, 1200), floats(1200, 1200)),
    "`numpy.sort`, 10⁷ floats": lambda: (np.sort, floats(10**7)),
    "`numpy.sum`, 10⁷ floats": lambda: (np.sum, floats(10**7)),
    "`numpy.sum`, 5·10⁶ objects": lambda: (np.sum, np.arange(5 * 10**6).astype(object)),
    "`numpy.linalg.svd`, 500 x 500": lambda: (np.linalg.svd, floats(500, 500)),
    "`gmpy2.is_prime`, 4042 digits": lambda: (of("gmpy2", "is_prime"), prime_of_4042_digits()),
    "`flint.fmpz(n).is_prime()`, 100 digits": lambda: (fmpz_is_prime, 10**100 + 267),
    "`sympy.Matrix.det`, 18 x 18": lambda: (determinant, 18),
    "`primerace.kernels.python(n)`": lambda: (kernels.python, 50_000_000_000_053),
    "`primerace.kernels.held(n)`": lambda: (kernels.held, REFERENCE),
    "`primerace.kernels.released(n)`": lambda: (kernels.released, REFERENCE),
    "`primerace.is_prime(array)`, 10⁷": lambda: (primerace.is_prime, np.arange(1, 2 * 10**7, 2)),
    "`primerace.is_prime(array)`, 10⁶ objects": lambda: (
        primerace.is_prime,
        np.arange(1, 2 * 10**6, 2).astype(object),
    ),
}


def probed(ready: Ready) -> GilVerdict:
    """The verdict, once the machine is quiet enough for one."""
    for _ in range(ATTEMPTS):
        verdict = probe_gil(*ready)
        if verdict.verdict != "inconclusive":
            break
    return verdict


def row(call: str, verdict: GilVerdict) -> str:
    """A row of the table."""
    default, long = verdict.at_default, verdict.at_long
    cells = ["", "", "", ""]
    if default is not None and long is not None:
        cells = [
            duration(default.call_seconds),
            f"{long.share:.0%}",
            f"{default.share:.0%}",
            duration(default.longest_gap_seconds),
        ]
    return f"| {call} | {verdict.verdict} | {' | '.join(cells)} |"


def _is_here(package: str) -> bool:
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


@click.command()
@click.option("--only", metavar="WORD", default="", help="Only calls that have this in their name.")
def main(only: str) -> None:
    """Probe every call and print the table."""
    print("| call | verdict | one call takes | GIL released | others get a turn | longest freeze |")
    print("| --- | --- | --- | --- | --- | --- |")
    for call, make in CALLS.items():
        if only not in call:
            continue
        try:
            ready = make()
        except ImportError as error:
            print(f"{call}: left out, {error}", file=sys.stderr)
            continue
        print(row(call, probed(ready)), flush=True)
    versions = ", ".join(
        f"{name} {version(package)}" for package, name in LIBRARIES.items() if _is_here(package)
    )
    print(f"\nCPython {platform.python_version()}, {versions}.")


if __name__ == "__main__":
    main()
