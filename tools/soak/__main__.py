"""Random races with random faults, for as long as one likes: nothing is lost, nothing is left running.

Run by `nox -s soak`. Each episode is a program of its own: a race of random racers, workers, items and
options, and one fault: a worker is killed, terminated or stopped for a while, a function raises, ends its
process or returns what can't be read, the program gets SIGINT (once or twice), SIGTERM or SIGKILL, the disk
is full, the reader leaves, a time-out is over. When the program has ended, every item of every lap must have
its right answer, every disqualification must name its cause, the exit code must say how it ended, and no
process, temporary file or shared memory may be left. The seed repeats what is drawn; when a signal arrives is
up to the machine: a race may be over before its fault, and that episode does not count for it. A fault that
was drawn ENOUGH times and never happened is a failure too.
"""

import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from itertools import count
from pathlib import Path
from threading import Event

import click
from episodes import FAULTS, Episode, draw, play
from judging import Account, judge
from leftovers import Scene, end_all

from primerace.racers import RACERS

HERE = [name for name, racer in RACERS.items() if racer().available() is None]
ENOUGH = 5  # episodes with the same fault, of which it must befall one

Played = tuple[Episode, Account]


class Campaign:
    """Episodes, several at a time, until it is over.

    Args:
        episodes: what to play.
        base: the folder for theirs, each of which is kept where something was wrong.
    """

    def __init__(self, episodes: Iterator[Episode], base: Path) -> None:
        self.episodes, self.base = episodes, base
        self._over, self._broken_off = Event(), Event()

    def run(self, jobs: int, seconds: float) -> list[Played]:
        """Play for so long; where Ctrl-C or SIGTERM comes, end all that was started."""
        players: list[Future[list[Played]]] = []
        with ThreadPoolExecutor(jobs) as pool:
            try:
                players.extend(pool.submit(self._play_on) for _ in range(jobs))
                wait(players, seconds)
                self._over.set()
                wait(players)
            except (KeyboardInterrupt, SystemExit):
                self._break_off(players)
                raise
        return [each for player in players for each in player.result()]

    def _break_off(self, players: Sequence[Future[list[Played]]]) -> None:
        """End every program, also one that is about to start; no second signal disturbs that."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        self._over.set()
        self._broken_off.set()
        while wait(players, 0.1).not_done:
            end_all(str(self.base))

    def _play_on(self) -> list[Played]:
        """Play the next episode, and the next, until it is over."""
        played = []
        for episode in self.episodes:
            account = self._perform(episode)
            if account is not None:
                played.append((episode, account))
            if self._over.is_set():
                break
        return played

    def _perform(self, episode: Episode) -> Account | None:
        """Play an episode in a folder of its own; None where it was broken off."""
        folder = self.base / str(episode.number)
        folder.mkdir()
        scene = Scene(str(folder), folder)
        ending = play(episode, scene)
        files_too = episode.fault != "kill" and not self._broken_off.is_set()
        left = scene.leftovers(ending.pid, files_too)
        scene.clear()
        if self._broken_off.is_set():
            shutil.rmtree(folder, ignore_errors=True)
            return None
        account = judge(episode, ending, folder)
        account.wrong += [f"left: {each}" for each in left]
        if account.wrong:
            print(f"{episode}: {'; '.join(account.wrong)}; see {folder}", flush=True)
        else:
            shutil.rmtree(folder)
        return account


def names_of(known: Sequence[str]) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """How an option takes some of these names, separated by commas."""

    def names(context: click.Context, parameter: click.Parameter, value: str) -> list[str]:
        chosen = value.split(",")
        for name in chosen:
            if name not in known:
                raise click.BadParameter(f"no {name!r} here; there are {', '.join(known)}")
        return chosen

    return names


def leave_tidily() -> None:
    """Let SIGTERM end this program as an exception does, and Ctrl-C even where it inherits to ignore that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


@click.command()
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    default=10.0,
    show_default=True,
    help="How long to go on.",
)
@click.option("--seed", type=click.IntRange(0), help="Of all that is drawn; drawn if none is given.")
@click.option("--only", type=click.IntRange(0), metavar="NUMBER", help="This episode alone.")
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count(), show_default=True, help="At a time.")
@click.option("--racers", callback=names_of(HERE), default=",".join(HERE), help="Of these. [default: all]")
@click.option(
    "--faults", callback=names_of(FAULTS), default=",".join(FAULTS), help="Of these. [default: all]"
)
def main(
    minutes: float, seed: int | None, only: int | None, jobs: int, racers: list[str], faults: list[str]
) -> None:
    """Play episodes until the time is over, and say what came of them."""
    leave_tidily()
    seed = random.randrange(2**32) if seed is None else seed
    print(f"seed {seed}; racers {', '.join(racers)}", flush=True)
    base = Path(tempfile.mkdtemp(prefix="soak-"))
    started = time.monotonic()
    numbers = count() if only is None else iter([only])
    episodes = map(lambda number: draw(seed, number, racers, faults), numbers)
    try:
        played = Campaign(episodes, base).run(jobs, 60 * minutes)
    finally:
        with suppress(OSError):  # something may be kept there
            base.rmdir()
    tell(played, time.monotonic() - started)
    sys.exit(1 if unseen(played) or any(account.wrong for _, account in played) else 0)


def tell(played: list[Played], seconds: float) -> None:
    """Print the counts."""
    drawn, befallen = drawn_and_befallen(played)
    laps = sum((account.laps for _, account in played), Counter[str]())
    accounts = [account for _, account in played]
    answers = sum(each.answers for each in accounts)
    disqualified = sum(each.disqualified for each in accounts)
    wrong = sum(bool(each.wrong) for each in accounts)
    print(f"{len(played)} episodes in {seconds:.0f} s: {wrong} went wrong")
    faults = [f"{name} {befallen[name]} of {times}" for name, times in drawn.most_common()]
    print(f"faults that befell the race: {', '.join(faults)}")
    print(f"laps: {', '.join(f'{name} {times}' for name, times in laps.most_common())}")
    print(f"{answers:,} answers, each right and each once; {disqualified} disqualified by a fault")
    for fault in unseen(played):
        print(f"{fault}: drawn {drawn[fault]} times, and never befell a race; nothing is shown about it")


def drawn_and_befallen(played: list[Played]) -> tuple[Counter[str], Counter[str]]:
    """How often each fault was drawn, and how often it happened."""
    drawn = Counter(episode.fault for episode, _ in played)
    return drawn, Counter(episode.fault for episode, account in played if account.befell)


def unseen(played: list[Played]) -> list[str]:
    """The faults that were drawn often enough, but never happened."""
    drawn, befallen = drawn_and_befallen(played)
    return [fault for fault, times in drawn.items() if times >= ENOUGH and not befallen[fault]]


if __name__ == "__main__":
    main()
