"""Two builds of primerace, or two Pythons, on one job: paired trials in fresh processes, and a verdict."""

from primerace.duel.contender import Contender, DuelError, find
from primerace.duel.pairing import Duel
from primerace.duel.score import Score
from primerace.duel.task import Task

__all__ = ["Contender", "Duel", "DuelError", "Score", "Task", "find"]
