"""What must be true when an episode has ended: nothing lost, every error told, no traceback."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from episodes import DEADLY, EARLIER, ENDINGS, INTERRUPTS, MISCHIEF, TO_PROGRAM, Ending, Episode

import primerace

GOOD, DISQUALIFIED, USAGE, INTERRUPTED = 0, 1, 2, 130
CODES = {
    "time-out": {DISQUALIFIED},
    "full disk": {USAGE},
    **dict.fromkeys([*MISCHIEF, *DEADLY], {GOOD, DISQUALIFIED}),
    "interrupt": {INTERRUPTED},
    "interrupt twice": {INTERRUPTED, -2},  # the second may come when Python is about to end
    "terminate": {143},
    "kill": {-9},
}
"""How a program may end; where nothing is said, only well."""

WORDS = {
    "time-out": "sleep_long took more than",
    "full disk": "No space left",
    **dict.fromkeys(INTERRUPTS, "interrupted"),
}
"""What it must say on standard error."""

OF_OTHERS = ("interrupt twice", "kill")
"""After which tracebacks may come from what loky, or Python itself, was about to start."""

REASONS = {
    "raise": ("ValueError: mischief",),
    "exit": ("exit status 3", "every time", "times in a row"),  # Dask and Celery know of no exit status
    "unreadable": ("unreadable",),
}
"""Of what a disqualification must say one."""


@dataclass
class Account:
    """What came of an episode.

    Args:
        befell: whether its fault happened; true as well where there was to be none.
        laps: how many, by racer.
        answers: how many, of all laps.
        disqualified: racers.
        wrong: a sentence for each thing that should not be.
    """

    befell: bool
    laps: Counter[str] = field(default_factory=Counter)
    answers: int = 0
    disqualified: int = 0
    wrong: list[str] = field(default_factory=list)


def judge(episode: Episode, ending: Ending, folder: Path) -> Account:
    """Look at the exit code, at what was printed, and at the result."""
    account, code = Account(ending.befell), ending.code
    allowed = CODES.get(episode.fault, {GOOD})
    errors, output = ((folder / name).read_text() for name in ("errors", "output"))
    if code is None:
        account.wrong.append("hung")
    elif code not in allowed:
        account.wrong.append(f"exit code {code}, not one of {sorted(allowed)}")
    if "Traceback" in errors + output and episode.fault not in OF_OTHERS:
        account.wrong.append("a traceback")
    if (word := WORDS.get(episode.fault, "")) not in errors:
        account.wrong.append(f"no word of {word!r}")
    if (folder / "race.json.part").exists() and episode.fault != "kill":
        account.wrong.append("half a result was left")
    if episode.fault != "time-out":
        _judge_result(account, episode, code, (folder / "race.json").read_text())
    if episode.fault in MISCHIEF:  # lies in an item, and befalls whom it disqualifies
        account.befell = bool(account.disqualified)
    return account


def _judge_result(account: Account, episode: Episode, code: int | None, text: str) -> None:
    """The file holds what it held, or a whole result."""
    if text == EARLIER:
        if episode.fault not in (*ENDINGS, "full disk"):
            account.wrong.append("no result was written")
        return
    if episode.fault in TO_PROGRAM or episode.fault == "full disk":
        account.wrong.append("a result was written")
    result = json.loads(text)
    for lap in result["laps"]:
        _judge_lap(account, episode, lap)
    _judge_field(account, episode, result)
    if code in (GOOD, DISQUALIFIED) and (code == DISQUALIFIED) != bool(account.disqualified):
        account.wrong.append(f"exit code {code} with {account.disqualified} disqualified")


def _judge_lap(account: Account, episode: Episode, lap: dict[str, Any]) -> None:
    """Every item is answered once, and rightly."""
    indices = sorted(outcome["index"] for outcome in lap["outcomes"])
    if indices != list(range(len(episode.items))):
        account.wrong.append(f"{lap['racer']}: items {indices} of {len(episode.items)} were answered")
    for outcome in lap["outcomes"]:
        item = episode.items[outcome["index"]]
        if outcome["answer"] != primerace.is_prime(item[0] if episode.own else item):
            account.wrong.append(f"{lap['racer']}: {item} was answered {outcome['answer']}")
    account.laps[lap["racer"]] += 1
    account.answers += len(indices)


def _judge_field(account: Account, episode: Episode, result: dict[str, Any]) -> None:
    """Every racer is in the result: with a time, with what disqualified it, or with why it can't run."""
    absent = {each["racer"]: each["reason"] for each in result["unavailable"]}
    reasons = [entry["disqualified"] for entry in result["entries"] if entry["disqualified"] is not None]
    told = {entry["racer"] for entry in result["entries"]} | set(absent)
    if set(episode.racers) - told:
        account.wrong.append(f"{set(episode.racers) - told} are not in the result")
    account.disqualified = len(reasons)
    words = REASONS.get(episode.fault, ("",))
    for reason in [*reasons, *absent.values()]:
        if not reason or reason in reasons and not any(word in reason for word in words):
            account.wrong.append(f"disqualified without a word of the fault: {reason!r}")
    if reasons and not (account.befell and episode.fault in (*MISCHIEF, *DEADLY)):
        account.wrong.append(f"disqualified without a fault: {reasons}")
