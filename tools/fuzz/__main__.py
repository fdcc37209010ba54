"""Differential fuzzing of the block functions: each instruction set against scalar, and against python-flint.

Run by `nox -s fuzz`; takes minutes. Numbers come from the families of families.py, and each batch has its own
seed. A batch is answered by scalar in one call, and by every instruction set in blocks cut at random: some a
few numbers long, at any alignment, some with the answers stored over the numbers. One batch in nine is also
compared with python-flint, one number at a time, and as views of arrays: reversed, with gaps, in foreign
byte order. Where scalar is the only instruction set, the campaign fails: none is compared with it.
"""

import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from time import perf_counter

import click
import flint
import numpy as np
from families import FAMILIES, Words
from numpy.typing import NDArray

import primerace
from primerace import _isprime, simd

Truths = NDArray[np.bool_]

PEERS = 9  # one batch in so many is compared with python-flint
MEAN_SIZE = 95_000  # numbers in a batch, about
SHARE = 1000  # batches that a process is handed at a time, at most


class Wrong(Exception):
    """An answer that differs: the message says whose, for which number, and how to see it again."""


@dataclass(frozen=True)
class Checked:
    """How many numbers were drawn, and compared: in blocks with scalar, and with python-flint."""

    drawn: int
    blocks: int
    peers: int


def check(seed: int, batch: int) -> Checked:
    """Compare all answers for a batch.

    Raises:
        Wrong: two differ.
    """
    draw = np.random.default_rng((seed, batch))
    family = FAMILIES[draw.integers(len(FAMILIES))]
    numbers = placed(family(draw), int(draw.integers(8)))
    where = f"{family.__name__}; again with python tools/fuzz --seed {seed} --batch {batch}"
    expected = run_block("scalar", numbers)
    thorough = batch % PEERS == 0
    cuts = cut(draw, len(numbers))
    others = [name for name in simd.available() if name != "scalar"]
    for name in simd.available() if thorough else others:
        compare(f"{name}, in blocks", where, numbers, in_blocks(name, numbers, cuts), expected)
    blocks = len(numbers) if others else 0
    if not thorough:
        return Checked(len(numbers), blocks, 0)
    ints = numbers.tolist()
    peer = np.fromiter((flint.fmpz(n).is_prime() for n in ints), bool, len(ints))
    compare("scalar, beside python-flint", where, numbers, expected, peer)
    alone = np.fromiter(map(primerace.is_prime, ints), bool, len(ints))
    compare("is_prime of one", where, numbers, alone, peer)
    for name in simd.available():
        for view, answers in as_views(name, numbers):
            compare(f"{name}, {view}", where, numbers, answers, peer)
    return Checked(len(numbers), blocks, len(numbers))


def placed(numbers: Words, offset: int) -> Words:
    """Copy to a place in memory that is so many words away from an aligned one."""
    memory = np.empty(len(numbers) + 16, np.uint64)
    start = -memory.ctypes.data // 8 % 8 + offset
    memory[start : start + len(numbers)] = numbers
    return memory[start : start + len(numbers)]


def cut(draw: np.random.Generator, count: int) -> list[int]:
    """Draw the ends of blocks: short ones for the first tenth of the numbers, then long ones."""
    short = draw.integers(1, 70, count // 350).cumsum()
    long = draw.integers(short[-1] if len(short) else 0, count + 1, 8)
    return sorted({0, count, *short.tolist(), *long.tolist()})


def in_blocks(name: str, numbers: Words, cuts: list[int]) -> Truths:
    """Answer block by block; every third one in the memory of its numbers."""
    answers = np.empty(len(numbers), np.bool_)
    for i, (start, end) in enumerate(zip(cuts, cuts[1:], strict=False)):
        if i % 3:
            _isprime.run_block(name, numbers[start:end], answers[start:end])
        else:
            memory = numbers[start:end].copy()
            _isprime.run_block(name, memory, memory.view(np.bool_)[: end - start])
            answers[start:end] = memory.view(np.bool_)[: end - start]
    return answers


def run_block(name: str, numbers: Words) -> Truths:
    """Answer in one call."""
    return in_blocks(name, numbers, [0, len(numbers)])


def as_views(name: str, numbers: Words) -> Iterator[tuple[str, Truths]]:
    """Yield what the ufunc answers for the same numbers, laid out in other ways."""
    gaps = np.zeros((len(numbers), 3), np.uint64)
    gaps[:, 1] = numbers
    with simd.force(name):
        yield "reversed", primerace.is_prime(numbers[::-1])[::-1]
        yield "with gaps", primerace.is_prime(gaps[:, 1])
        yield "in foreign byte order", primerace.is_prime(numbers.astype(numbers.dtype.newbyteorder()))


def compare(who: str, where: str, numbers: Words, answers: Truths, expected: Truths) -> None:
    """Insist that both are the same, as bytes too: an answer is 0 or 1.

    Raises:
        Wrong: they are not.
    """
    differing = np.flatnonzero(answers.view(np.uint8) != expected.view(np.uint8))
    if len(differing):
        n, given, wanted = (each[differing[0]] for each in (numbers, answers.view(np.uint8), expected))
        count = f"{len(differing)} of {len(numbers)} differ"
        raise Wrong(f"{who}: {n} was answered {given}, not {int(wanted)}; {count}; {where}")


def run(seed: int, count: int, jobs: int) -> Iterator[Checked]:
    """Check batches in as many processes until so many numbers are done.

    Raises:
        Wrong: two answers differ.
    """
    left, batch = count, 0
    with ProcessPoolExecutor(jobs, initializer=leave_interrupts) as pool:
        while left > 0:
            batches = min(SHARE, -(-left // MEAN_SIZE))
            for checked in pool.map(check, [seed] * batches, range(batch, batch + batches)):
                left -= checked.drawn
                yield checked
            batch += batches


def leave_interrupts() -> None:
    """Let Ctrl-C end the parent, which ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def in_words(blocks: int, peers: int) -> str:
    """What was compared, and is alike."""
    if blocks:
        return f"{blocks:,} numbers in blocks, {peers:,} of them against python-flint too: all alike"
    missing = "scalar is the only instruction set here, and no other one was compared with it"
    return f"{missing}; {peers:,} numbers against python-flint: none differs"


@click.command()
@click.option(
    "--count", type=click.IntRange(1), default=1_000_000_000, show_default=True, help="Numbers, at least."
)
@click.option("--seed", type=click.IntRange(0), help="Of all numbers; drawn if none is given.")
@click.option("--batch", type=click.IntRange(0), help="Only this batch.")
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count(), show_default=True, help="Processes.")
def main(count: int, seed: int | None, batch: int | None, jobs: int) -> None:
    """Compare every instruction set with scalar and with python-flint."""
    seed = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
    print(f"seed {seed}, {', '.join(simd.available())}", flush=True)
    started = perf_counter()
    blocks = peers = 0
    try:
        with click.progressbar(length=count, label="numbers", file=sys.stderr) as bar:
            for checked in run(seed, count, jobs) if batch is None else [check(seed, batch)]:
                blocks += checked.blocks
                peers += checked.peers
                bar.update(checked.drawn)
    except Wrong as wrong:
        print(f"\n{wrong}")
        sys.exit(1)
    print(in_words(blocks, peers))
    print(f"{perf_counter() - started:.0f} s")
    sys.exit(0 if blocks else 1)


if __name__ == "__main__":
    main()
