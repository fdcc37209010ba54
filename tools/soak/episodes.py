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
LATEST = 1.5  # seconds until a fault happens, at most
SOON = 0.3  # the same for what happens to workers: a short race is over soon
SETTLED = 0.02  # seconds after which a process that was forked to run another program does so
READY = "expected to take"  # what a program says on standard error when its warm-up is over
EARLIER = "what was in the file before"

MISCHIEF = ("raise", "exit", "unreadable")
DEADLY = {"kill a worker": signal.SIGKILL, "terminate a worker": signal.SIGTERM}
TO_WORKERS = {"stop a worker": signal.SIGSTOP, **DEADLY}
INTERRUPTS = ("interrupt", "interrupt twice")
TO_PROGRAM = {"terminate": signal.SIGTERM, "kill": signal.SIGKILL}
ENDINGS = (*INTERRUPTS, *TO_PROGRAM)
FAULTS = ("none", "full disk", "reader leaves", "time-out", *MISCHIEF, *TO_WORKERS, *ENDINGS)

IN_PROCESSES = ("processes", "process-pool", "asyncio-processes", "joblib", "dask", "celery", "rq")
"""Racers that run any function in processes: one of them takes part where the fault is one of workers."""

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


@dataclass(frozen=True)
class Ending:
    """How an episode ended.

    Args:
        pid: of the program.
        code: its exit code; None where it had to be ended because it hung.
        befell: whether the signals of the fault were sent; what lies in items and options is there anyway.
    """

    pid: int
    code: int | None
    befell: bool


def draw(seed: int, number: int, names: Sequence[str], faults: Sequence[str] = FAULTS) -> Episode:
    """Draw an episode: the same for the same arguments; `sequential` is always in it."""
    dice = random.Random(f"{seed} {number}")
    fault = dice.choice(faults)
    own = fault in MISCHIEF or dice.random() < 0.4
    numbers = [dice.randrange(10 ** dice.randint(3, 14)) for _ in range(dice.randint(1, 30))]
    items: list[Any] = numbers
    if own:
        items = [[n % 10**12, round(dice.uniform(0, 0.02), 4), None] for n in numbers]
    if fault in MISCHIEF:
        dice.choice(items)[2] = fault
    options = ["--workers", str(dice.randint(1, 4)), "--rounds", str(draw_rounds(dice, fault))]
    options += ["--seed", str(number)]
    if dice.random() < 0.7:
        options += ["--start-method", dice.choice(["fork", "forkserver", "spawn"])]
    if dice.random() < 0.2:
        options += ["--heartbeat"]
    if not own:
        options += ["--kernels", dice.choice(["held", "released", "fast", "held,released,fast"])]
    racers = draw_racers(dice, fault, names)
    delay, early = dice.uniform(0, SOON if fault in TO_WORKERS else LATEST), dice.random() < 0.2
    return Episode(number, racers, own, tuple(items), tuple(options), fault, delay, early)


def draw_rounds(dice: random.Random, fault: str) -> int:
    """A few; three where a worker is to be met, and without an end where the fault is the end."""
    if fault in ENDINGS:
        return 100_000
    return 3 if fault in TO_WORKERS else dice.randint(1, 3)


def draw_racers(dice: random.Random, fault: str, names: Sequence[str]) -> tuple[str, ...]:
    """Some of these names and `sequential`; a fault of workers takes a racer that has processes."""
    chosen = dice.sample(names, dice.randint(1, min(4, len(names))))
    with_processes = [name for name in names if name in IN_PROCESSES]
    if with_processes and fault in (*MISCHIEF, *TO_WORKERS):
        chosen[0] = dice.choice(with_processes)
    return tuple(sorted({"sequential", *chosen}))


def play(episode: Episode, scene: Scene) -> Ending:
    """Run the program and let the fault befall it."""
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
    befell = True
    if episode.fault in (*TO_WORKERS, *ENDINGS):
        befell = befall(episode, program, scene.folder / "errors")
    try:
        return Ending(program.pid, program.wait(HANGS), befell)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()
        return Ending(program.pid, None, befell)


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


def befall(episode: Episode, program: Program, errors: Path) -> bool:
    """Send the signals that this episode is about, when it is time.

    Returns:
        Whether they were sent: the program may have ended before.
    """
    sign = "" if episode.early else READY
    wait_for(lambda: sign in (text := errors.read_text()) and text, program)
    wait_for(lambda: False, program, episode.delay)
    if episode.fault in TO_WORKERS:
        return befall_worker(episode, program)
    if episode.fault in TO_PROGRAM:
        return send(program, TO_PROGRAM[episode.fault], os.kill)
    if not send(program, signal.SIGINT, os.killpg):
        return False
    if episode.fault == "interrupt":
        return True
    wait_for(lambda: False, program, episode.delay / 10)
    return send(program, signal.SIGINT, os.killpg)


def send(program: Program, number: signal.Signals, kill: Callable[[int, int], None]) -> bool:
    """Send a signal to the program or to its group; False where it has ended."""
    if program.poll() is not None:
        return False
    kill(program.pid, number)
    return True


def befall_worker(episode: Episode, program: Program) -> bool:
    """Send a signal to one of the processes under the program, as soon as there is one.

    Returns:
        Whether there was one before the program ended.
    """
    dice = random.Random(episode.number)

    def struck() -> bool:
        before = workers_of(program)
        time.sleep(SETTLED)
        workers = [each for each in workers_of(program) if each in before]
        return bool(workers) and strike(dice.choice(workers), episode.fault)

    return wait_for(struck, program)


def workers_of(program: Program) -> list[psutil.Process]:
    """The processes under it, but whoever stands by to remove a temporary folder: nobody else could."""
    with suppress(psutil.NoSuchProcess):
        return [each for each in descendants(program.pid) if "sweeper" not in each.cmdline()]
    return []


def strike(worker: psutil.Process, fault: str) -> bool:
    """Do to a worker what the fault says; False where it has just ended."""
    try:
        worker.send_signal(TO_WORKERS[fault])
    except psutil.NoSuchProcess:
        return False
    if fault not in DEADLY:
        time.sleep(0.5)
        with suppress(psutil.NoSuchProcess):
            worker.resume()
    return True


def wait_for(condition: Callable[[], object], program: Program, seconds: float = HANGS) -> bool:
    """Whether the condition comes true before the time is over and before the program has ended."""
    deadline = time.monotonic() + seconds
    while program.poll() is None and time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False
