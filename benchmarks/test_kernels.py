"""The kernels side by side: one group for each number, python beside held, released and fast."""

import pytest

from primerace.kernels import KERNELS

NUMBERS = {
    "small prime": 65537,
    "prime of 37 bits": 99999999977,
    "prime of 45 bits": 25000000000013,
    "even": 2**62,
}


@pytest.mark.parametrize("kernel", list(KERNELS))
@pytest.mark.parametrize("number", list(NUMBERS))
def test_kernel(benchmark, number, kernel):
    benchmark.group = number
    n = NUMBERS[number]
    assert benchmark(KERNELS[kernel], n) == (n % 2 == 1)
