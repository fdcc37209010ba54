"""What a GIL probe saw, as a table for people."""

from collections.abc import Callable

from primerace.gil import GilVerdict, Reading
from primerace.report.rows import duration

ROWS: dict[str, Callable[[Reading], str]] = {
    "switch interval": lambda reading: f"{reading.switch_interval:g} s",
    "calls": lambda reading: str(reading.calls),
    "wall time": lambda reading: duration(reading.wall_seconds),
    "thread time": lambda reading: duration(reading.thread_seconds),
    "beats": lambda reading: str(reading.beats),
    "GIL found kept": lambda reading: str(reading.found_kept),
    "longest gap": lambda reading: duration(reading.longest_gap_seconds),
    "waited for a core": lambda reading: duration(reading.delay_seconds),
    "other threads could run": lambda reading: f"{reading.share:.1%}",
}


def evidence(verdict: GilVerdict) -> list[str]:
    """The lines of the table; none where nothing was called.

    The first column is at the switch interval that Python has by default, the second at one that forces
    nobody to hand the GIL over: what could run there could run because the GIL was released.
    """
    if verdict.calibration is None or verdict.at_default is None or verdict.at_long is None:
        return []
    calibration = verdict.calibration
    width = max(map(len, ROWS))
    return [
        f"  {label:{width}}  {cell(verdict.at_default):>8}  {cell(verdict.at_long):>8}"
        for label, cell in ROWS.items()
    ] + [
        f"  beside kernel 'released' other threads could run {calibration.released_share:.1%} of the time, "
        f"beside 'held' {calibration.held_share:.1%}; a beat takes {duration(calibration.beat_seconds)}"
    ]
