"""Small races of random racers, a thousand of them.

They may add GROWTH to the resident memory, and must leave no thread, process or open file behind.
"""

import random
from time import perf_counter

from memory import belongings, settle, state

from primerace import Job, race
from primerace.racers import RACERS

GROWTH = 4 << 20  # bytes: 4 KiB for each of a thousand races


def hold_races(times: int, seed: int) -> bool:
    """Print how memory grew under small races; tell whether they leak.

    Each race has two racers. Those that start slowly are drawn seldom: as often as takes the same time.
    """
    names = [name for name, racer in RACERS.items() if racer().available() is None]
    draw = random.Random(seed)
    seconds = {name: race_of([name]) for name in names}
    for _ in range(2):
        for name in names:
            race_of([name])
    before, owned, began = state(), belongings(), perf_counter()
    for _ in range(times):
        race_of(draw.choices(names, [1 / seconds[name] for name in names], k=2))
    settle(owned)
    memory, blocks = (after - earlier for after, earlier in zip(state(), before, strict=True))
    grown = [after - earlier for after, earlier in zip(belongings(), owned, strict=True)]
    leaks = memory > GROWTH or any(each > 0 for each in grown)
    print(f"{times} races of {', '.join(names)} in {perf_counter() - began:.0f} s:")
    print(f"{memory / 1024:+.0f} KiB, {blocks:+} blocks, ", end="")
    print("{:+} threads, {:+} processes, {:+} files".format(*grown))
    return leaks


def race_of(names: list[str]) -> float:
    """Hold a race of one round; return its seconds."""
    began = perf_counter()
    chosen = ["python"] if names == ["asyncio-nap"] else ["python", "held", "fast"]
    result = race(Job("small", list(range(2, 12))), names, chosen, workers=2, rounds=1)
    assert not [entry for entry in result.entries if entry.disqualified], result.entries
    return perf_counter() - began
