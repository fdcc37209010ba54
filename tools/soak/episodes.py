"""Episodes: a program that races, drawn at random, and the fault that befalls it."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from leftovers import Scene
from watching import descendants

HERE = Path(__file__).parent
HANGS = 120.0  # seconds after which a program counts as hung
READY = "expected to take"  # what a program says on standard error when its warm-up is over
EARLIER = "what was in the file before"

MISCHIEF = ("raise", "exit", "unreadable")
TO_WORKERS = {"kill a worker": signal.SIGKILL, "terminate a worker": signal.SIGTERM}
INTERRUPTS = ("interrupt", "interrupt twice")
TO_PROGRAM = {"terminate": signal.SIGTERM, "kill": signal.SIGKILL}
ENDINGS = (*INTERRUPTS, *TO_PROGRAM)
FAULTS = ("none", "stop a worker", "full disk", "reader leaves", "time-out", *MISCHIEF, *TO_WORKERS, *ENDINGS)

Program = subprocess.Popen[str]


@dataclass(frozen=True)
class Episode:
    """What is going to happen.

    Args:
        number: of the episode.
        racers: their names.
        own: whether the function of mischief.py is raced, else the kernels.
        items: of the job.
        options: more of the command line.
        fault: one of FAULTS.
        delay: seconds until it happens, from the end of the warm-up on, or where it is early from its begin.
        early: whether it happens early.
    """

    number: int
    racers: tuple[str, ...]
    own: bool
    items: tuple[Any, ...]
    options: tuple[str, ...]
    fault: str
    delay: float
    early: bool

    def __str__(self) -> str:
        return f"episode {self.number} ({self.fault}; {', '.join(self.racers)}; {' '.join(self.options)})"


def draw(seed: int, number: int, names: Sequence[str], faults: Sequence[str] = FAULTS) -> Episode:
    """Draw an episode: the same for the same arguments; `sequential` is always in it."""
    dice = random.Random(f"{seed} {number}")
    fault = dice.choice(faults)
    own = fault in MISCHIEF or dice.random() < 0.4
    racers = sorted({"sequential", *dice.sample(names, dice.randint(1, min(4, len(names))))})
    numbers = [dice.randrange(10 ** dice.randint(3, 14)) for _ in range(dice.randint(1, 30))]
    items: list[Any] = numbers
    if own:
        items = [[n % 10**12, round(dice.uniform(0, 0.02), 4), None] for n in numbers]
    if fault in MISCHIEF:
        dice.choice(items)[2] = fault
    rounds = 100_000 if fault in ENDINGS else dice.randint(1, 3)
    options = ["--workers", str(dice.randint(1, 4)), "--rounds", str(rounds), "--seed", str(number)]
    if dice.random() < 0.7:
        options += ["--start-method", dice.choice(["fork", "forkserver", "spawn"])]
    if dice.random() < 0.2:
        options += ["--heartbeat"]
    if not own:
        options += ["--kernels", dice.choice(["held", "released", "fast", "held,released,fast"])]
    delay, early = dice.uniform(0, 1.5), dice.random() < 0.2
    return Episode(number, tuple(racers), own, tuple(items), tuple(options), fault, delay, early)


def play(episode: Episode, scene: Scene) -> tuple[int, int | None]:
    """Run the program and let the fault befall it.

    Returns:
        The program's process id and exit code; None where it had to be ended because it hung.
    """
    with (scene.folder / "output").open("w") as output, (scene.folder / "errors").open("w") as errors:
        program = subprocess.Popen(
            command(episode, scene.folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if episode.fault == "reader leaves" else output,
            stderr=errors,
            env=scene.environment(),
            text=True,
            start_new_session=True,
        )
    if program.stdout is not None:
        program.stdout.close()
    if episode.fault in ENDINGS or episode.fault in TO_WORKERS or episode.fault == "stop a worker":
        befall(episode, program, scene.folder / "errors")
    try:
        return program.pid, program.wait(HANGS)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()
        return program.pid, None


def command(episode: Episode, folder: Path) -> list[str]:
    """Write the items, and compose the command line."""
    program = [sys.executable, "-m", "primerace"]
    if episode.fault == "time-out":
        seconds = f"{1 + 2 * episode.delay:.2f}"
        return [*program, "gil", f"{HERE}/mischief.py:sleep_long", "--timeout", seconds]
    items, result = folder / "items.json", folder / "race.json"
    items.write_text(json.dumps(episode.items))
    result.write_text(EARLIER)
    function = ["--function", f"{HERE}/mischief.py:work"] if episode.own else []
    target = "/dev/full" if episode.fault == "full disk" else str(result)
    racers = ["--racers", ",".join(episode.racers)]
    return [*program, "race", *racers, *function, "--items", str(items), *episode.options, "--json", target]


def befall(episode: Episode, program: Program, errors: Path) -> None:
    """Send the signal that this episode is about, when it is time."""
    sign = "" if episode.early else READY
    wait_for(lambda: sign in (text := errors.read_text()) and text, program)
    wait_for(lambda: False, program, episode.delay)
    if program.poll() is not None:
        return
    if episode.fault in TO_PROGRAM:
        program.send_signal(TO_PROGRAM[episode.fault])
    elif episode.fault in INTERRUPTS:
        os.killpg(program.pid, signal.SIGINT)
        if episode.fault == "interrupt twice":
            wait_for(lambda: False, program, episode.delay / 10)
            if program.poll() is None:
                os.killpg(program.pid, signal.SIGINT)
    else:
        befall_worker(episode, program)


def befall_worker(episode: Episode, program: Program) -> None:
    """Send a signal to one of the processes under the program, as soon as there is one.

    Whoever stands by to remove a temporary folder is spared: nobody else could.
    """
    workers: list[psutil.Process] = []

    def found() -> bool:
        with suppress(psutil.NoSuchProcess):
            workers[:] = [each for each in descendants(program.pid) if "sweeper" not in each.cmdline()]
        return bool(workers)

    wait_for(found, program, 5.0)
    if not workers:
        return
    victim = random.Random(episode.number).choice(workers)
    with suppress(psutil.NoSuchProcess):
        if episode.fault == "stop a worker":
            victim.suspend()
            time.sleep(0.5)
            victim.resume()
        else:
            victim.send_signal(TO_WORKERS[episode.fault])


def wait_for(condition: Callable[[], object], program: Program, seconds: float = HANGS) -> None:
    """Wait until the condition is true, the time is over, or the program has ended."""
    deadline = time.monotonic() + seconds
    while program.poll() is None and time.monotonic() < deadline and not condition():
        time.sleep(0.01)
