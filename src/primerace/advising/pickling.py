"""What items and answers cost on their way between processes."""

import pickle
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

from primerace.advising.sizing import Sample
from primerace.plain import shown

MOST = 100  # items to weigh


@dataclass(frozen=True)
class Pickling:
    """The median of some items.

    Args:
        item_bytes: of an item.
        answer_bytes: of its answer.
        seconds: to pack and unpack both.
        obstacle: what can't be pickled, and why; None where everything can.
    """

    item_bytes: float | None
    answer_bytes: float | None
    seconds: float | None
    obstacle: str | None = None


def weigh(sample: Sample) -> Pickling:
    """Pack and unpack items and answers as processes would."""
    step = -(-len(sample.outcomes) // MOST)
    items, answers, seconds = [], [], []
    for outcome in sample.outcomes[::step]:
        item = sample.whole.items[outcome.index]
        try:
            begun = perf_counter()
            sizes = _size_there_and_back(item), _size_there_and_back(outcome.answer)
            seconds.append(perf_counter() - begun)
        except Exception as error:
            what = f"item {outcome.index} ({shown(item)}) or its answer"
            return Pickling(None, None, None, f"{what} can't be pickled: {error}")
        items.append(sizes[0])
        answers.append(sizes[1])
    return Pickling(median(items), median(answers), median(seconds))


def _size_there_and_back(value: Any) -> int:
    parcel = pickle.dumps(value)
    pickle.loads(parcel)
    return len(parcel)
