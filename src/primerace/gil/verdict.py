"""From readings to a verdict: the rules, and nothing that runs.

docs/gil.md tells them in words. The thresholds are here.
"""

from dataclasses import asdict, dataclass
from typing import Any

from primerace.gil.readings import Calibration, Reading

RELEASED = 0.90  # share of the call from which on it releases the GIL; below, the release is mixed
SOME = 0.05  # share below which a release makes no difference
IN_TURN = 0.50  # share from which on other threads get their turn, though the GIL is hardly released
SHORTEST = 0.001  # seconds of a call in which a release can be seen
SHORTEST_KEPT = 0.030  # seconds of a call in which it can be seen that nobody gets a turn
USED_UP = 10  # times what the later calls take, from which on the first one did something else
CLEAR = 0.95  # contrast of the kernels below which the machine is too noisy
CROWDED = 0.9  # share of the time that heart or call waited for a core, above which nothing can be seen
DOUBT = 0.1  # of that share, as a distance from RELEASED that is too near to tell

PREDICATES = {
    "holds": "holds the GIL",
    "yields": "yields the GIL",
    "releases": "releases the GIL",
    "mixed": "releases the GIL for some of the time",
    "too-short": "is too short to tell",
    "inconclusive": "can't be judged now",
    "not-applicable": "can't be judged here",
}


@dataclass(frozen=True, slots=True)
class GilVerdict:
    """What a call does with the GIL, and what shows it.

    Args:
        function: its name.
        verdict: holds, yields, releases, mixed, too-short, inconclusive or not-applicable.
        reason: the same in a clause.
        calibration: how this machine told the two kernels apart; None where the probe does not apply.
        at_default: the reading at Python's own switch interval; None likewise.
        at_long: the reading at an interval that forces nobody to hand the GIL over; None likewise.
        gil_enabled: whether the GIL was on once the function was imported.
        switched_on_by: the module whose import switched it on, on a free-threaded build.
    """

    function: str
    verdict: str
    reason: str
    calibration: Calibration | None = None
    at_default: Reading | None = None
    at_long: Reading | None = None
    gil_enabled: bool = True
    switched_on_by: str | None = None

    def __str__(self) -> str:
        return f"{self.function} {PREDICATES[self.verdict]}: {self.reason}."

    def to_json(self) -> dict[str, Any]:
        """What `primerace gil --json` writes."""
        evidence = asdict(self)
        return {
            "function": evidence.pop("function"),
            "verdict": evidence.pop("verdict"),
            "evidence": evidence,
        }

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "GilVerdict":
        """The verdict that `to_json` wrote."""
        evidence = dict(found["evidence"])
        for name, kind in {"calibration": Calibration, "at_default": Reading, "at_long": Reading}.items():
            evidence[name] = evidence[name] and kind(**evidence[name])
        return cls(found["function"], found["verdict"], **evidence)


def judge(calibration: Calibration, at_default: Reading, at_long: Reading) -> tuple[str, str]:
    """The verdict and its reason.

    >>> clear = Calibration(0.0002, released_share=0.99, held_share=0.0)
    >>> default = Reading(0.005, 1, 0.4, 0.4, 75, 0.0055, 0.0, share=0.98)
    >>> long = Reading(100.0, 1, 0.4, 0.4, 0, 0.4, 0.0, share=0.0)
    >>> judge(clear, default, long)[0]
    'yields'
    """
    doubt = _doubt(calibration, at_default, at_long)
    if doubt is not None:
        return "inconclusive", doubt
    shortest = min(at_default.call_seconds, at_long.call_seconds)
    if shortest < SHORTEST:
        took = f"a call of {_duration(shortest)}"
        return "too-short", f"{took} is over before a release could be seen; give it more to do"
    if at_long.share >= RELEASED:
        return "releases", f"other threads can run during {at_long.share:.0%} of the call"
    if at_long.share >= SOME:
        return "mixed", f"other threads can run during {at_long.share:.0%} of the call, and wait for the rest"
    if shortest < SHORTEST_KEPT:
        return "too-short", (
            f"it releases the GIL during less than {SOME:.0%} of its time, but a call of "
            f"{_duration(shortest)} is over before it could be seen whether it hands it over; "
            "give it more to do"
        )
    longest = _duration(at_default.longest_gap_seconds)
    if at_default.share >= IN_TURN:
        return "yields", (
            f"it releases the GIL during less than {SOME:.0%} of the call, but the interpreter hands it "
            f"over: other threads get their turn within {longest}"
        )
    return "holds", f"other threads are stopped for up to {longest}"


def used_up(first_seconds: float, later: Reading) -> str | None:
    """What to say where the first call did what there was to do; None where the later ones took as long.

    >>> later = Reading(100.0, 10**6, 0.5, 0.5, 0, 0.5, 0.0, share=0.0)
    >>> used_up(1.2, later)
    'the first call took 1.2 s, the later ones 0.5 µs: it must have the same to do each time'
    """
    if first_seconds < max(SHORTEST_KEPT, USED_UP * later.call_seconds):
        return None
    first, rest = _duration(first_seconds), _duration(later.call_seconds)
    return f"the first call took {first}, the later ones {rest}: it must have the same to do each time"


def _doubt(calibration: Calibration, at_default: Reading, at_long: Reading) -> str | None:
    """Why this machine allows no verdict now; None where it does."""
    if calibration.contrast < CLEAR:
        return (
            f"this machine is too noisy: other threads could run during {calibration.released_share:.0%} of "
            f"the kernel 'released' and {calibration.held_share:.0%} of 'held'"
        )
    crowding = max(at_default.crowding, at_long.crowding)
    if crowding > CROWDED:
        return f"this machine is too busy: heartbeat or call waited {crowding:.0%} of the time for a core"
    if abs(at_long.share - RELEASED) < DOUBT * at_long.crowding:
        return (
            f"other threads could run during {at_long.share:.0%} of the call, too near to {RELEASED:.0%} on "
            f"a machine where heartbeat or call waited {at_long.crowding:.0%} of the time for a core"
        )
    return None


def _duration(seconds: float) -> str:
    """A time for people.

    >>> _duration(1.234), _duration(0.0271), _duration(1.25e-6)
    ('1.23 s', '27.1 ms', '1.25 µs')
    """
    for unit, factor in {"s": 1.0, "ms": 1e-3}.items():
        if seconds >= factor:
            return f"{seconds / factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"
