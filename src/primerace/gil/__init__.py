"""Does a call hold, yield or release the GIL?

A heartbeat beats in a thread beside the call, once at the switch interval that Python has by default and
once at one so long that the interpreter never asks anybody to hand the GIL over: what still beats then
proves an explicit release. All of it happens in a process of its own.
"""

from primerace.gil.probe import ProbeError, probe_gil
from primerace.gil.readings import Calibration, Reading
from primerace.gil.verdict import GilVerdict

__all__ = ["Calibration", "GilVerdict", "ProbeError", "Reading", "probe_gil"]
