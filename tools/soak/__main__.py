"""Random races with random faults, for as long as one likes: nothing is lost, nothing is left running.

Run by `nox -s soak`. Each episode is a program of its own: a race of random racers, workers, items and
options, and one fault: a worker is killed, terminated or stopped for a while, a function raises, ends its
process or returns what can't be read, the program gets SIGINT (once or twice), SIGTERM or SIGKILL, the disk
is full, the reader leaves, a time-out is over. When the program has ended, every item of every lap must have
its right answer, every disqualification must name its cause, the exit code must say how it ended, and no
process, temporary file or shared memory may be left. The seed repeats what is drawn; when a signal arrives is
up to the machine.
"""

import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import count
from pathlib import Path
from threading import Event

import click
from episodes import FAULTS, Episode, draw, play
from judging import Account, judge
from leftovers import Scene

from primerace.racers import RACERS

HERE = [name for name, racer in RACERS.items() if racer().available() is None]

Played = tuple[Episode, Account]


def perform(episode: Episode, base: Path) -> Account:
    """Play an episode in a folder of its own, which is kept where something was wrong."""
    folder = base / str(episode.number)
    folder.mkdir()
    scene = Scene(str(folder), folder)
    pid, code = play(episode, scene)
    left = scene.leftovers(pid, files_too=episode.fault != "kill")
    scene.clear()
    account = judge(episode, code, folder)
    account.wrong += [f"left: {each}" for each in left]
    if account.wrong:
        print(f"{episode}: {'; '.join(account.wrong)}; see {folder}", flush=True)
    else:
        shutil.rmtree(folder)
    return account


def play_on(episodes: Iterator[Episode], over: Event, base: Path) -> list[Played]:
    """Play the next episode, and the next, until it is over."""
    played = []
    for episode in episodes:
        played.append((episode, perform(episode, base)))
        if over.is_set():
            break
    return played


def names(context: click.Context, parameter: click.Parameter, value: str) -> list[str]:
    """Names that are separated by commas."""
    return value.split(",")


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
@click.option("--racers", callback=names, default=",".join(HERE), help="Of these. [default: all]")
@click.option("--faults", callback=names, default=",".join(FAULTS), help="Of these. [default: all]")
def main(
    minutes: float, seed: int | None, only: int | None, jobs: int, racers: list[str], faults: list[str]
) -> None:
    """Play episodes until the time is over, and say what came of them."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # programs inherit it where it is ignored
    seed = random.randrange(2**32) if seed is None else seed
    print(f"seed {seed}; racers {', '.join(racers)}", flush=True)
    base = Path(tempfile.mkdtemp(prefix="soak-"))
    started = time.monotonic()
    numbers = count() if only is None else iter([only])
    episodes = map(lambda number: draw(seed, number, racers, faults), numbers)
    with ThreadPoolExecutor(jobs) as pool:
        over = Event()
        players = [pool.submit(play_on, episodes, over, base) for _ in range(jobs)]
        try:
            wait(players, 60 * minutes)
        finally:
            over.set()
    played = [each for player in players for each in player.result()]
    tell(played, time.monotonic() - started)
    if any(account.wrong for _, account in played):
        sys.exit(1)
    base.rmdir()


def tell(played: list[Played], seconds: float) -> None:
    """Print the counts."""
    faults = Counter(episode.fault for episode, _ in played)
    laps = sum((account.laps for _, account in played), Counter[str]())
    accounts = [account for _, account in played]
    answers = sum(each.answers for each in accounts)
    disqualified = sum(each.disqualified for each in accounts)
    wrong = sum(bool(each.wrong) for each in accounts)
    print(f"{len(played)} episodes in {seconds:.0f} s: {wrong} went wrong")
    print(f"faults: {', '.join(f'{name} {times}' for name, times in faults.most_common())}")
    print(f"laps: {', '.join(f'{name} {times}' for name, times in laps.most_common())}")
    print(f"{answers:,} answers, each right and each once; {disqualified} disqualified by a fault")


if __name__ == "__main__":
    main()
