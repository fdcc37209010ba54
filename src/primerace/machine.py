"""What machine and what Python a result was measured on."""

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")


def usable_cores() -> int:
    """How many cores this process may use: its affinity mask, cut by the quota of its control group.

    >>> usable_cores() >= 1
    True
    """
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    quota = _cpu_quota()
    return cores if quota is None else max(1, min(cores, int(quota)))


def _cpu_quota() -> float | None:
    """The control group's limit in cores; None where there is none."""
    quota, _, period = _text_of(CPU_QUOTA).partition(" ")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None


def gil_enabled() -> bool:
    """Whether this interpreter has its GIL switched on."""
    check = getattr(sys, "_is_gil_enabled", None)
    return True if check is None else bool(check())


def describe(start_method: str | None = None) -> dict[str, Any]:
    """The facts that results carry.

    Args:
        start_method: how processes are started; None is Python's default.

    Returns:
        A dictionary that JSON can hold: CPU, cores, Python build, GIL, start method, versions.

    >>> describe("spawn")["start_method"]
    'spawn'
    """
    import multiprocessing

    from primerace import simd

    return {
        "cpu": _cpu_model(),
        "cores": usable_cores(),
        "governor": _text_of(GOVERNOR) or None,
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "compiler": platform.python_compiler(),
        "gil_enabled": gil_enabled(),
        "instruction_set": simd.current(),
        "switch_interval": sys.getswitchinterval(),
        "start_method": start_method or multiprocessing.get_start_method(),
        "primerace": version("primerace"),
        "numpy": version("numpy"),
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _text_of(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
