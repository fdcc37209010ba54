"""What keeps the program busy while the spinner should spin: a sleep, or one number and a kernel."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from primerace.kernels import KERNELS

SLEEP = "sleep"
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    SLEEP: time.sleep,
    **{kernel: KERNELS[kernel] for kernel in ("python", "held", "released")},
}
SECONDS = 3.0  # of sleep
# Each keeps a processor busy for a second or so: compiled, the first would be over before a freeze is seen.
NUMBERS = {"python": 5_000_111_000_222_021, "held": 10**18 + 3, "released": 10**18 + 3}


@dataclass(frozen=True)
class Work:
    """One call of a function.

    Args:
        busy: 'sleep', or the name of a kernel.
        argument: how many seconds to sleep, or the number to test.

    >>> work = Work("held", 97)
    >>> work.question, work.answered(work())
    ('is 97 prime?', '97 is prime')
    """

    busy: str
    argument: Any

    @property
    def function(self) -> Callable[[Any], Any]:
        """The function that is called."""
        return FUNCTIONS[self.busy]

    def __call__(self) -> Any:
        """Call it."""
        return self.function(self.argument)

    @property
    def question(self) -> str:
        """What is shown beside the spinner."""
        return f"sleeping {self.argument:g} s" if self.busy == SLEEP else f"is {self.argument} prime?"

    def answered(self, answer: Any) -> str:
        """The answer in words."""
        if self.busy == SLEEP:
            return f"slept {self.argument:g} s"
        return f"{self.argument} is {'prime' if answer else 'not prime'}"
