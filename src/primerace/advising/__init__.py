"""Advice: which model to use for a function of one's own, and why.

`sizing` fits the job into the time that there is, `pickling` weighs what would cross between processes,
`rule` chooses from a race, `outlook` tells what would change the choice, and `snippets` writes the code.
"""

from primerace.advising.advice import Advice, Advisor
from primerace.advising.snippets import Plan, snippet

__all__ = ["Advice", "Advisor", "Plan", "snippet"]
