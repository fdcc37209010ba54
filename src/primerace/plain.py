"""Values of any kind as messages and results can hold them: short, and plain enough for JSON."""

import json
from reprlib import Repr
from typing import Any

LONG = 200  # characters in a message
LONGEST = 2000  # characters in a result


def shown(value: Any, most: int = LONG) -> str:
    """The value as Python writes it, cut where it is long; its type where it can't be written.

    >>> shown("x" * 500, 10)
    "'xx...xxx'"
    """
    try:
        is_long = hasattr(value, "__len__") and len(value) > most
        text = _outline(most).repr(value) if is_long else repr(value)
    except Exception:
        return f"<{type(value).__name__}>"
    return text if len(text) <= most else text[:most] + "…"


def _outline(most: int) -> Repr:
    """Writes the beginnings of long values, without the time and memory that all of them would take."""
    outline = Repr()
    outline.maxlist = outline.maxtuple = outline.maxset = outline.maxfrozenset = outline.maxdict = most
    outline.maxstring = outline.maxother = most
    return outline


def one_line(text: str) -> str:
    """The text in one line, without characters that a terminal would obey.

    >>> print(one_line("red:\\n  \\x1b[31m"))
    red: \\x1b[31m
    """
    words = " ".join(text.split())
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in words)


def plain(value: Any) -> Any:
    """The value as JSON can hold it and a result should: else what `shown` writes of it.

    >>> plain({"a": (1, 2.5)}), plain(float("nan")), plain({1})
    ({'a': [1, 2.5]}, 'nan', '{1}')
    """
    if value is None or type(value) in (bool, int):
        return value
    try:
        if hasattr(value, "__len__") and len(value) > LONGEST:
            return shown(value, LONGEST)
        text = json.dumps(value, allow_nan=False)
    except Exception:
        return shown(value, LONGEST)
    return json.loads(text) if len(text) <= LONGEST else shown(value, LONGEST)
