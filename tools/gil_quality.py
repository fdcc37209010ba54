"""How often `primerace gil` is wrong about functions of which the truth is known: about 5 minutes, by hand.

Each function holds the GIL for some time and releases it for some, again and again, or is a loop in Python;
how long is drawn at random (`--seed` repeats it). No truth of a mix is nearer than 0.04 to a threshold, or
0.15 where the pieces are so short that the probe is rough. Exits with 1 where more than one verdict in 100 is
wrong, or more than one in 20 inconclusive: those are not wrong, but show nothing. Whether others get the GIL
where a call lets go of it for less than a microsecond depends on the machine: there, both yields and holds
are right.
"""

import random
import sys
from collections import Counter
from collections.abc import Callable
from itertools import cycle, islice
from time import perf_counter, thread_time

import click

from primerace import machine, next_prime
from primerace.gil import probe_gil
from primerace.gil.verdict import RELEASED, SOME
from primerace.kernels import held, released

MARGIN = 0.04  # between the truth and a threshold
WIDE = 0.15  # the same where both pieces last less than 0.5 ms
GLIMPSE = 0.0003  # milliseconds of a release that is over at once
REFERENCE = 5_000_111_000_222_021
UNSURE = "inconclusive"
MOST_WRONG, MOST_UNSURE = 0.01, 0.05  # shares of the verdicts

Step = Callable[[], object]


class Workshop:
    """Makes functions that take a known time; the time of the kernels grows with the root of n."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.root_per_second = REFERENCE**0.5 / min(_seconds(lambda: held(REFERENCE)) for _ in range(3))
        self.turns_per_second = 1_000_000 / min(_seconds(lambda: _turn(1_000_000)) for _ in range(3))

    def between(self, low: float, high: float) -> float:
        """Milliseconds, as often in one octave as in another."""
        return low * (high / low) ** self.random.random()

    def hold(self, milliseconds: float) -> Step:
        """Compiled code that keeps the GIL."""
        n = self._prime(milliseconds)
        return lambda: held(n)

    def release(self, milliseconds: float) -> Step:
        """Compiled code that releases it."""
        n = self._prime(milliseconds)
        return lambda: released(n)

    def python(self, milliseconds: float) -> Step:
        """A loop in Python."""
        turns = round(milliseconds / 1000 * self.turns_per_second)
        return lambda: _turn(turns)

    def _prime(self, milliseconds: float) -> int:
        return next_prime(int((milliseconds / 1000 * self.root_per_second) ** 2))

    def shares(self, low: float, high: float, margin: float) -> tuple[float, float]:
        """Milliseconds kept and released in turns, so that the call is mixed."""
        while True:
            kept, free = self.between(low, high), self.between(low, high)
            if SOME + margin <= free / (kept + free) <= RELEASED - margin:
                return kept, free


def _seconds(step: Step) -> float:
    """Processor seconds, which a busy machine does not stretch."""
    begin = thread_time()
    step()
    return thread_time() - begin


def _turn(turns: int) -> int:
    total = 0
    for number in range(turns):
        total += number & 3
    return total


def repeated(steps: list[Step], times: int) -> Step:
    """These steps in turn, as often."""

    def function() -> None:
        for step in islice(cycle(steps), times * len(steps)):
            step()

    return function


def in_turns(total: float, parts: dict[Callable[[float], Step], float]) -> Step:
    """Steps of these milliseconds in turn, for a total of milliseconds."""
    steps = [make(milliseconds) for make, milliseconds in parts.items()]
    return repeated(steps, max(1, round(total / sum(parts.values()))))


def functions(shop: Workshop) -> list[tuple[str, str, Callable[[], Step]]]:
    """What can be made: a description, the verdict that is right, and how to make another one."""

    def total() -> float:
        return shop.between(150, 600)

    def mostly_released() -> Step:
        free = shop.between(5, 20)
        return in_turns(total(), {shop.release: free, shop.hold: free * shop.random.uniform(0.005, 0.06)})

    def mixed(keep: Callable[[float], Step]) -> Step:
        kept, free = shop.shares(0.5, 20, MARGIN)
        return in_turns(total(), {keep: kept, shop.release: free})

    def fine() -> Step:
        kept, free = shop.shares(0.03, 0.3, WIDE)
        return in_turns(total(), {shop.hold: kept, shop.release: free})

    def in_pieces() -> Step:
        return in_turns(total(), {shop.hold: shop.between(0.03, 0.15), shop.release: GLIMPSE})

    return [
        ("compiled, GIL held, one piece", "holds", lambda: shop.hold(total())),
        (
            "compiled, GIL held, 25 to 60 ms",
            "holds",
            lambda: in_turns(total(), {shop.hold: shop.between(25, 60)}),
        ),
        ("loop in Python", "yields", lambda: shop.python(total())),
        (
            "compiled, GIL held, 0.05 to 8 ms",
            "yields",
            lambda: in_turns(total(), {shop.hold: shop.between(0.05, 8)}),
        ),
        ("compiled, GIL released, one piece", "releases", lambda: shop.release(total())),
        ("GIL released 94 to 99.5% of the time", "releases", mostly_released),
        ("GIL held and released in turns", "mixed", lambda: mixed(shop.hold)),
        ("loop in Python and GIL released in turns", "mixed", lambda: mixed(shop.python)),
        ("GIL held and released in turns, 0.03 to 0.3 ms", "mixed", fine),
        ("GIL held in pieces of 0.03 to 0.15 ms, let go of between them", "yields or holds", in_pieces),
    ]


def shortcomings(probes: int, wrong: int, unsure: int) -> list[str]:
    """Why a campaign with these figures has failed."""
    found = []
    if wrong > MOST_WRONG * probes:
        found.append(f"more than {MOST_WRONG:.0%} of the verdicts are wrong")
    if unsure > MOST_UNSURE * probes:
        found.append(f"more than {MOST_UNSURE:.0%} are inconclusive and show nothing: was the machine busy?")
    return found


@click.command()
@click.option("--probes", type=click.IntRange(1), default=200, show_default=True, help="How many functions.")
@click.option("--seed", default=0, show_default=True, help="Of the functions.")
def main(probes: int, seed: int) -> None:
    """Probe and print the figures."""
    facts = machine.describe()
    print(f"{facts['cpu']}, {facts['cores']} cores, CPython {facts['python']}, {facts['measured']}")
    begin = perf_counter()
    found: dict[str, Counter[str]] = {}
    wrong = unsure = 0
    kinds = functions(Workshop(seed))
    with click.progressbar(islice(cycle(kinds), probes), length=probes, file=sys.stderr) as bar:
        for kind, truth, make in bar:
            verdict = probe_gil(make())
            found.setdefault(f"{kind} ({truth})", Counter())[verdict.verdict] += 1
            unsure += verdict.verdict == UNSURE
            if verdict.verdict not in (*truth.split(" or "), UNSURE):
                wrong += 1
                print(f"wrong: {kind} is {truth}, not {verdict}\n  {verdict.to_json()['evidence']}")
    for kind, verdicts in found.items():
        print(f"{kind}: {', '.join(f'{count} {name}' for name, count in verdicts.items())}")
    print(f"{wrong} of {probes} wrong, {unsure} inconclusive, in {perf_counter() - begin:.0f} s")
    failures = shortcomings(probes, wrong, unsure)
    for line in failures:
        print(line)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
