"""Results read back from their files: laps as they were measured, entries summed up from them anew."""

import json
import sys
from collections.abc import Callable, Mapping
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from primerace.laps import Key, Lap
from primerace.racers.base import Outcome
from primerace.results import SCHEMA, RaceResult, ResultError, SweepResult
from primerace.summary import Summary

KINDS: Mapping[str, type[RaceResult]] = {"race": RaceResult, "sweep": SweepResult}


class Kind(NamedTuple):
    """What a value has to be: in words, and as a test."""

    words: str
    fits: Callable[[Any], bool]


def _number(words: str, least: float, most: float = inf, whole: bool = False) -> Kind:
    types = (int,) if whole else (int, float)
    return Kind(words, lambda value: type(value) in types and least <= value <= most)


def _one_of(*values: str) -> Kind:
    return Kind(f"one of {', '.join(values)}", lambda value: value in values)


def _list_of(kind: Kind) -> Kind:
    return Kind(f"a list with {kind.words}", lambda value: _LIST.fits(value) and all(map(kind.fits, value)))


def _or_null(kind: Kind) -> Kind:
    return Kind(f"{kind.words} or null", lambda value: value is None or kind.fits(value))


_TEXT = Kind("a text", lambda value: isinstance(value, str))
_FLAG = Kind("true or false", lambda value: isinstance(value, bool))
_LIST = Kind("a list", lambda value: isinstance(value, list))
_OBJECT = Kind("an object", lambda value: isinstance(value, dict))
_ANY = Kind("anything", lambda value: True)
_INDEX = _number("a whole number from 0 on", 0, whole=True)
_COUNT = _number("a whole number from 1 to 100000", 1, 100_000, whole=True)
_SECONDS = _number("seconds", 0, 1e12)
_PART = _number("a share below 1", 0, 0.9999)
_LAP_SECONDS = _number("seconds above 0", 1e-12, 1e12)  # what others are divided by

_GIL = Kind("the verdict of a GIL probe or null", lambda value: value is None or _is_verdict(value))

_ENGINES = Kind("settings of engines", lambda value: _are_settings(value))


def _are_settings(value: Any) -> bool:
    """Numbers and texts, as the options of the engines are."""
    return isinstance(value, dict) and all(_TEXT.fits(each) or _COUNT.fits(each) for each in value.values())


def _is_verdict(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("evidence"), dict):
        return False
    texts = (value.get("function"), value.get("verdict"), value["evidence"].get("reason"))
    long = value["evidence"].get("at_long")
    measured = isinstance(long, dict) and _PART.fits(long.get("share"))
    return all(map(_TEXT.fits, texts)) and (measured or value["verdict"] != "mixed")


# The keys that are read; others may be there, and those that may be null may be missing.
RESULT = {"machine": _OBJECT, "job": _OBJECT, "laps": _LIST, "entries": _LIST, "unavailable": _LIST}
MACHINE = {
    "cpu": _TEXT,
    "cores": _COUNT,
    "python": _TEXT,
    "implementation": _TEXT,
    "gil_enabled": _FLAG,
    "instruction_set": _TEXT,
    "start_method": _one_of("fork", "forkserver", "spawn"),
}
JOB = {
    "name": _TEXT,
    "function": _or_null(_TEXT),
    "items": _LIST,
    "expected": _or_null(_LIST),
    "order": _one_of("given", "longest-first"),
    "sequence": _list_of(_INDEX),
    "seed": _INDEX,
    "rounds": _INDEX,
    "pickled_bytes": _or_null(_list_of(_INDEX)),
    "gil": _GIL,
    "approx": _or_null(_number("a share from 0 to 1", 0, 1)),
    "engines": _or_null(_ENGINES),
}
KEY = {"racer": _TEXT, "kernel": _or_null(_TEXT), "workers": _COUNT}
LAP = {
    "round": _INDEX,
    **KEY,
    "seconds": _LAP_SECONDS,
    "startup_seconds": _SECONDS,
    "dispatch_seconds": _SECONDS,
    "worker_bytes": _or_null(_INDEX),
    "outcomes": _LIST,
    "longest_gap_seconds": _or_null(_SECONDS),
    "p99_gap_seconds": _or_null(_SECONDS),
}
OUTCOME = {
    "index": _INDEX,
    "answer": _ANY,
    "seconds": _SECONDS,
    "cpu_seconds": _SECONDS,
    "worker": _INDEX,
    "started": _number("seconds", -1e12, 1e12),
}
ENTRY = {**KEY, "disqualified": _or_null(_TEXT)}
UNAVAILABLE = {"racer": _TEXT, "reason": _TEXT}


def load(path: str | Path) -> RaceResult:
    """Read a result file of the schema primerace/1; '-' reads standard input.

    Raises:
        ResultError: the file can't be read, is no JSON, is no result, is damaged, or is of a newer schema.
    """
    try:
        return from_json(json.loads(_read(path)))
    except OSError as error:
        raise ResultError(f"{path}: {error.strerror}") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ResultError(f"{path}: not a whole JSON file: {error}") from None
    except ResultError as error:
        raise ResultError(f"{path}: {error}") from None
    except (ValueError, RecursionError) as error:  # numbers too long, lists in lists in lists
        raise ResultError(f"{path}: a damaged result: {error}") from None


def _read(path: str | Path) -> str:
    if str(path) == "-":
        return sys.stdin.read() if sys.stdin else ""  # None where it is closed
    return Path(path).read_text(encoding="utf-8")


def from_json(data: Any) -> RaceResult:
    """A result from what `to_json` made of it.

    Raises:
        ResultError: it is no result, a damaged one, or one of a newer schema.
    """
    if not isinstance(data, dict) or not str(data.get("schema")).startswith("primerace/"):
        raise ResultError("not a result of primerace: there is no schema primerace/1 in it")
    if data["schema"] != SCHEMA:
        raise ResultError(f"schema {data['schema']}, but this primerace reads {SCHEMA}")
    if data.get("kind") not in list(KINDS):
        raise ResultError(f"kind {data.get('kind')!r} is not one of {', '.join(KINDS)}")
    result = _checked(data, RESULT, "the result")
    job = {**result["job"], **_checked(result["job"], JOB, "the job")}
    if sorted(job["sequence"]) != list(range(len(job["items"]))):
        raise ResultError("a damaged result: the job's sequence does not name each item once")
    laps = [_lap(lap, f"lap {place}", job["sequence"]) for place, lap in enumerate(result["laps"])]
    entries = [_checked(entry, ENTRY, f"entry {place}") for place, entry in enumerate(result["entries"])]
    why = {_key(entry): entry["disqualified"] for entry in entries}
    disqualified = {key: reason for key, reason in why.items() if reason is not None}
    summary = Summary(laps, disqualified, job["sequence"], job["seed"])
    unavailable = [_checked(each, UNAVAILABLE, "what is unavailable") for each in result["unavailable"]]
    return KINDS[data["kind"]](
        machine={**result["machine"], **_checked(result["machine"], MACHINE, "the machine")},
        job=job,
        laps=laps,
        entries=[summary.entry(key) for key in why],
        noise=summary.noise(),
        unavailable={each["racer"]: each["reason"] for each in unavailable},
    )


def _checked(data: Any, kinds: Mapping[str, Kind], where: str) -> dict[str, Any]:
    """The values of these keys.

    Raises:
        ResultError: one of them is missing or of another kind.
    """
    if not isinstance(data, dict):
        raise ResultError(f"a damaged result: {where} is {_shown(data)}, not an object")
    for key, kind in kinds.items():
        if not kind.fits(data.get(key)):
            found = f"{_shown(data[key])}, not {kind.words}" if key in data else "missing"
            raise ResultError(f"a damaged result: {key} of {where} is {found}")
    return {key: data.get(key) for key in kinds}


def _shown(value: Any, most: int = 40) -> str:
    text = repr(value)
    return text if len(text) <= most else text[:most] + "…"


def _lap(data: Any, where: str, sequence: list[int]) -> Lap:
    values = _checked(data, LAP, where)
    outcomes = [Outcome(**_checked(each, OUTCOME, f"an outcome of {where}")) for each in values["outcomes"]]
    if sorted(outcome.index for outcome in outcomes) != sorted(sequence):
        raise ResultError(f"a damaged result: {where} does not answer each item once")
    return Lap(**{**values, "outcomes": outcomes})


def _key(entry: Mapping[str, Any]) -> Key:
    return entry["racer"], entry["kernel"], entry["workers"]
