"""A value as it was, kept by pickle: to know later whether it was changed in place."""

import pickle
from typing import Any

from primerace.answers import agree

UNCHANGING = frozenset({bool, int, float, complex, str, bytes, type(None)})


class Frozen:
    """A value, and what pickle keeps of it at this moment.

    >>> numbers = [2, 1]
    >>> frozen = Frozen(numbers)
    >>> before = frozen.copy()
    >>> numbers.sort()
    >>> frozen.has_changed(), before
    (True, [2, 1])
    """

    def __init__(self, value: Any) -> None:
        self.value = value
        self._kept = None if type(value) in UNCHANGING else _pickled(value)

    def has_changed(self) -> bool:
        """Whether the value is another one now; False where pickle can't tell."""
        if self._kept is None:
            return False
        now = _pickled(self.value)
        if now == self._kept:
            return False
        try:
            return now is None or not agree(pickle.loads(now), pickle.loads(self._kept))
        except Exception:
            return False

    def copy(self) -> Any:
        """A copy of the value, which has not changed yet; the value itself where pickle would lose a part."""
        if self._kept is None:
            return self.value
        try:
            copied = pickle.loads(self._kept)
            return copied if agree(copied, self.value) else self.value
        except Exception:
            return self.value


def _pickled(value: Any) -> bytes | None:
    """None where it can't be pickled."""
    try:
        return pickle.dumps(value)
    except Exception:
        return None
