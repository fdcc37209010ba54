"""The kernels side by side: one group for each number, python beside held, released and fast."""

import pytest

from primerace.kernels import KERNELS

# How often a round calls with each number: a single short call is lost in the noise of the clock.
CALLS = {
    "even": [2**62] * 10_000,
    "small prime": [65537] * 1000,
    "prime of 37 bits": [99999999977],
    "prime of 45 bits": [25000000000013],
}


@pytest.mark.parametrize("kernel", list(KERNELS))
@pytest.mark.parametrize("number", list(CALLS))
def test_kernel(benchmark, number, kernel):
    benchmark.group = f"{number}, {len(CALLS[number])} calls"
    is_prime, numbers = KERNELS[kernel], CALLS[number]
    answers = benchmark(lambda: [is_prime(n) for n in numbers])
    assert all(answer == (number != "even") for answer in answers)
