"""The kernels of the experiment, by name: each decides whether one n is prime.

`python` is trial division in pure Python. `held` and `released` are the same loop in C with the GIL held
and released: two faces of one function, so that any difference between them is the GIL. `fast` is another
algorithm altogether, primerace.is_prime: it shows what that does to the whole question.
"""

from collections.abc import Callable

from primerace._isprime import is_prime as fast
from primerace._trial import held, released
from primerace.trial import is_prime as python

__all__ = ["KERNELS", "SUMMARIES", "fast", "held", "python", "released"]

KERNELS: dict[str, Callable[[int], bool]] = {
    "python": python,
    "held": held,
    "released": released,
    "fast": fast,
}

SUMMARIES = {
    "python": "trial division in pure Python; integers of any size",
    "held": "the same loop in C, holding the GIL; n < 2**64",
    "released": "the same compiled loop, GIL released; n < 2**64",
    "fast": "the tuned test primerace.is_prime; integers of any size",
}
