"""What travels between processes as bytes: functions, items, and results."""

import pickle
from collections.abc import Callable, Sequence
from typing import Any

from primerace.plain import shown
from primerace.racers.base import Failure, Function, Outcome, RacerError

Dumps = Callable[[Any], bytes]


class Travellers(tuple[Any, ...]):
    """Items that were pickled before: a race tries that once, so that no lap pays for it."""


def pickled(racer: str, function: Function, items: Sequence[Any], dumps: Dumps = pickle.dumps) -> bytes:
    """The function as bytes, once it is sure that it and the items can travel.

    Raises:
        RacerError: one of them can't be pickled; the message says which.
    """
    for index, item in enumerate(() if isinstance(items, Travellers) else items):
        try:
            dumps(item)
        except Exception as error:
            raise _cannot_travel(racer, f"item {index} ({shown(item)})", error) from error
    try:
        return dumps(function)
    except Exception as error:
        what = f"the function {getattr(function, '__qualname__', function)!r}"
        raise _cannot_travel(racer, what, error) from error


def _cannot_travel(racer: str, what: str, error: Exception) -> RacerError:
    return RacerError(f"{racer}: {what} can't be sent to another process: {error}")


def pickled_result(result: Outcome | Failure, dumps: Dumps = pickle.dumps) -> bytes:
    """The result as bytes; an answer that can't be pickled becomes a failure."""
    try:
        return bytes(dumps(result))
    except Exception as error:
        return bytes(dumps(Failure.of(result.index, error)))


def unpickled(racer: str, parcel: bytes) -> Any:
    """What a worker has sent.

    Raises:
        RacerError: it can't be read here.
    """
    try:
        return pickle.loads(parcel)
    except Exception as error:
        raise RacerError(f"{racer}: an answer can't be unpickled: {error!r}") from error
