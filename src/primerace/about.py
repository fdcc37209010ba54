"""What a bug report needs to know about this installation: versions, how it was built, where it runs."""

import platform
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from primerace import _isprime, machine

TOOLS = ("all", "dev", "docs", "test")  # extras that no command of primerace asks for


def about() -> str:
    """The version of primerace and of all that decides how it behaves, one fact a line.

    >>> print(about().splitlines()[0].split(",")[0])
    primerace
    """
    from primerace import simd  # an unknown PRIMERACE_SIMD is an error of the command line, not of its import

    facts = machine.describe()
    gil = "with the GIL" if facts["gil_enabled"] else "without the GIL"
    built = _isprime.build_details()
    present, absent = _optional()
    lines = {
        "Python": f"{facts['implementation']} {facts['python']}, {gil}, {facts['compiler']}",
        "system": f"{facts['system']}, {facts['architecture']}, {' '.join(platform.libc_ver())}",
        "CPU": f"{facts['cpu']}, {facts['cores']} usable",
        "compiled by": f"{built['compiler']}, Cython {built['cython']}, {_openmp()}",
        "instruction set": f"{facts['instruction_set']}, of {', '.join(simd.available())}",
        "start method": facts["start_method"],
        "installed": ", ".join([f"numpy {facts['numpy']}", *present]),
        "not installed": ", ".join(absent) or "nothing that is optional",
    }
    width = max(map(len, lines))
    table = [f"{name:{width}}  {fact}" for name, fact in lines.items()]
    return "\n".join([f"primerace, version {facts['primerace']}", *table])


def _openmp() -> str:
    try:
        from primerace._native import has_openmp
    except ImportError as error:
        return f"OpenMP can't be loaded: {error}"
    return "OpenMP" if has_openmp() else "no OpenMP"


def _optional() -> tuple[list[str], list[str]]:
    """The packages of the extras: those that are installed, with versions, and the names of the others."""
    present, absent = [], []
    for name in sorted(set(_packages_of_extras())):
        try:
            present.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            absent.append(name)
    return present, absent


def _packages_of_extras() -> Iterator[str]:
    for requirement in requires("primerace") or ():
        found = re.match(r"""([\w.-]+).*;.*\bextra == ["']([\w-]+)["']""", requirement)
        if found and found[2] not in TOOLS and found[1] != "primerace":
            yield found[1]
