"""What stands above tables and charts: how much was measured, and on which machine."""

from collections.abc import Mapping
from typing import Any

from primerace.results import RaceResult


def counted(count: int, name: str) -> str:
    """A number of things.

    >>> counted(1, "core"), counted(2, "core")
    ('1 core', '2 cores')
    """
    return f"{count} {name}{'' if count == 1 else 's'}"


def measured(result: RaceResult) -> str:
    """The items, their order and the rounds."""
    items, rounds = counted(len(result.job["items"]), "item"), counted(result.rounds, "round")
    return f"{items} in {result.job['order']} order, {rounds}"


def settings(result: RaceResult) -> str:
    """How processes were started, and what was set of the engines beyond the program."""
    engines = result.job.get("engines") or {}
    words = [f"{name.replace('_', ' ')} {value}" for name, value in engines.items()]
    return ", ".join([f"start method {result.machine['start_method']}", *words])


def machine(facts: Mapping[str, Any]) -> str:
    """The processor and the Python.

    >>> python = {"implementation": "CPython", "python": "3.14.0", "gil_enabled": False}
    >>> machine({"cpu": "Z80", "cores": 1, **python})
    'Z80, 1 core, CPython 3.14.0 without GIL'
    """
    gil = "" if facts["gil_enabled"] else " without GIL"
    cores = counted(facts["cores"], "core")
    return f"{facts['cpu']}, {cores}, {facts['implementation']} {facts['python']}{gil}"
