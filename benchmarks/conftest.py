"""Saved runs say which machine they come from; runs of two machines are compared only when forced."""

from typing import Any

import pytest

from primerace import machine

FACTS = ("cpu", "architecture", "cores", "governor", "system", "instruction_set")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--other-machine",
        action="store_true",
        help="compare with a saved run of another machine all the same",
    )


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    machine_info["primerace"] = {
        fact: value for fact, value in machine.describe().items() if fact != "measured"
    }


def pytest_benchmark_compare_machine_info(
    config: pytest.Config, machine_info: dict[str, Any], compared_benchmark: dict[str, Any]
) -> None:
    """Refuse a comparison with another machine before anything is measured.

    What the plugin would say on top, that for instance the clock rate differs a bit, is of no help.
    """
    here = machine_info["primerace"]
    there = compared_benchmark["machine_info"].get("primerace", {})
    differing = [
        f"{fact}: {there.get(fact, 'not known')} there, {here[fact]} here"
        for fact in FACTS
        if there.get(fact, "") != here[fact]
    ]
    if differing and not config.getoption("--other-machine"):
        raise pytest.UsageError(
            f"the saved run is of another machine ({'; '.join(differing)}), which tells nothing of the code; "
            "save a run here (make bench), or force it with --other-machine"
        )
    compared_benchmark["machine_info"] = machine_info
