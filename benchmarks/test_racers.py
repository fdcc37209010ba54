"""The racers side by side: one group for each kernel, each with two warm workers on the sample quick."""

import pytest

from primerace.job import Job
from primerace.kernels import KERNELS
from primerace.racers import RACERS

JOB = Job.sample("quick")
LONG = 5_000_111_000_222_021  # a prime: 35 million divisions


@pytest.mark.parametrize("racer", list(RACERS))
@pytest.mark.parametrize("kernel", ["python", "held", "released"])
def test_racer(benchmark, racer, kernel):
    runner = RACERS[racer]().for_kernel(kernel)
    reason = runner.available() or (
        f"takes no kernel {kernel}" if runner.kernels is not None and kernel not in runner.kernels else None
    )
    if reason:
        pytest.skip(reason)
    benchmark.group = f"quick, kernel {kernel}"
    with runner.start(1 if runner.single else 2) as crew:
        outcomes = benchmark.pedantic(
            lambda: list(crew.run(KERNELS[kernel], JOB.items)), rounds=5, warmup_rounds=1
        )
    answers = {outcome.index: outcome.answer for outcome in outcomes}
    assert tuple(answers[index] for index in range(len(JOB.items))) == JOB.expected


@pytest.mark.parametrize("racer", ["sequential", "split"])
@pytest.mark.parametrize("kernel", ["python", "released"])
def test_latency_of_one_number(benchmark, racer, kernel):
    """One prime alone, whose divisors two workers divide."""
    benchmark.group = f"one number, kernel {kernel}"
    with RACERS[racer]().for_kernel(kernel).start(2) as crew:
        (outcome,) = benchmark.pedantic(
            lambda: list(crew.run(KERNELS[kernel], [LONG])), rounds=5, warmup_rounds=1
        )
    assert outcome.answer
