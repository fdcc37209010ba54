"""What results say about the machine."""

import json
import multiprocessing
import os
import sys

import pytest

from primerace import machine


@pytest.fixture
def quota(tmp_path, monkeypatch):
    """Sets what the control group's file says."""
    path = tmp_path / "cpu.max"
    monkeypatch.setattr(machine, "CPU_QUOTA", path)
    return path.write_text


@pytest.fixture
def four_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 3}, raising=False)


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("max 100000\n", 4),
        ("100000 100000\n", 1),
        ("200000 100000\n", 2),
        ("250000 100000\n", 2),
        ("50000 100000\n", 1),
        ("800000 100000\n", 4),
        ("", 4),
        ("nonsense", 4),
    ],
)
def test_quota_cuts_the_cores(quota, four_cores, text, cores):
    quota(text)
    assert machine.usable_cores() == cores


def test_without_a_quota_the_affinity_counts(quota, four_cores):
    assert machine.usable_cores() == 4


def test_without_affinity_all_cores_count(quota, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert machine.usable_cores() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert machine.usable_cores() == 1


def test_description():
    facts = machine.describe()
    assert facts["cpu"]
    assert facts["cores"] == machine.usable_cores()
    assert facts["python"] == sys.version.split()[0].rstrip("+")
    assert facts["gil_enabled"] is machine.gil_enabled()
    assert facts["start_method"] in multiprocessing.get_all_start_methods()
    assert {"implementation", "governor", "architecture", "numpy", "primerace"} <= facts.keys()
    assert json.loads(json.dumps(facts)) == facts


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_start_method_is_recorded(method):
    assert machine.describe(method)["start_method"] == method
