"""Every spinner beside every kind of work: the table of docs/responsiveness.md.

    python tools/measure_spinners.py > table.md

Takes three minutes. Each row is the median of three calls; the spinners themselves are not shown.
"""

import os
import sys
from statistics import median

from primerace.report.rows import duration, number
from primerace.spinners import MODELS
from primerace.spinners.line import Line
from primerace.spinners.observing import observe, seconds_alone
from primerace.spinners.work import NUMBERS, SECONDS, SLEEP, Work

CALLS = 3


def main() -> None:
    """Print the table, and a word for each model that can't run here."""
    print("| model | busy | frames drawn of due | longest gap | seconds, against alone |")
    print("| --- | --- | ---: | ---: | ---: |")
    missing = []
    with open(os.devnull, "w") as stream:
        line = Line.on(stream, "measuring")
        for name, model in MODELS.items():
            reason = model.unavailable()
            if reason is not None:
                missing.append(f"{name}: {reason}")
                continue
            for busy in model.busy:
                print(row(name, busy, line), flush=True)
    print("\n".join(missing), file=sys.stderr)


def row(model: str, busy: str, line: Line) -> str:
    """One line of the table."""
    work = Work(busy, SECONDS if busy == SLEEP else NUMBERS[busy])
    pairs = [(observe(model, work, line), seconds_alone(work)) for _ in range(CALLS)]
    seen = [each for each, _ in pairs]
    drawn, due = (median(getattr(each.rhythm, name) for each in seen) for name in ("beats", "due"))
    longest = duration(median(each.rhythm.longest_gap_seconds for each in seen))
    ratio = median(each.busy_seconds / alone for each, alone in pairs)
    return f"| {model} | {busy} | {drawn:.0f} of {due:.0f} | {longest} | {number(ratio)}x |"


if __name__ == "__main__":
    main()
