"""The quiz: does it keep spinning? Guess first, then see it measured."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import click

from primerace.report.spinning import verdict
from primerace.spinners.observing import Spin
from primerace.spinners.work import NUMBERS, Work

ANSWERS = {"y": True, "yes": True, "n": False, "no": False}
QUIT = ("q", "quit", "exit")


@dataclass(frozen=True)
class Question:
    """A spinner, what keeps it busy, and both in words."""

    model: str
    busy: str
    words: str


QUESTIONS = (
    Question("process", "python", "A child process spins; the main process runs {} in pure Python."),
    Question("thread", "python", "A thread spins; the main thread runs {} in pure Python."),
    Question("coroutine", "python", "A task spins; a coroutine in the same loop runs {} in pure Python."),
    Question("thread", "held", "A thread spins; the main thread runs {} in C that holds the GIL."),
    Question("thread", "released", "A thread spins; the main thread runs {} in the same C, GIL released."),
)


def ask(n: int | None, ask_first: bool, show: Callable[[str, Work], Spin]) -> None:
    """Ask every question, run it for real, and count the right answers.

    Args:
        n: the number to test; None is one that takes a second or so.
        ask_first: let the user guess; otherwise the questions are only told.
        show: runs a model with its work.
    """
    right = asked = 0
    for place, question in enumerate(QUESTIONS, 1):
        work = Work(question.busy, NUMBERS[question.busy] if n is None else n)
        words = question.words.format(f"is_prime({work.argument})")
        click.echo(f"\n{place} of {len(QUESTIONS)}. {words} Does it keep spinning?")
        guess = _guess() if ask_first else None
        if ask_first and guess is None:
            break
        seen = show(question.model, work)
        click.echo(f"Measured: {verdict(seen)}")
        if guess is not None and seen.frozen is not None:
            asked += 1
            right += guess != seen.frozen
            click.echo("You were right." if guess != seen.frozen else "You were wrong.")
    if ask_first:
        click.echo(f"\nRight answers: {right} of {asked}." if asked else "\nNo answer to count.")


def _guess() -> bool | None:
    """Yes or no; None where the user has had enough, or there is nobody who answers."""
    while True:
        click.echo("y, n, or q to quit: ", nl=False)
        reply = sys.stdin.readline() if sys.stdin else ""
        word = reply.strip().lower()
        if word in ANSWERS:
            return ANSWERS[word]
        if not reply or word in QUIT:
            click.echo()
            return None
        click.echo("That is neither yes nor no.")
