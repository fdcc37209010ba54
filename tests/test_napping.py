"""The napping twin of the reference algorithm: the same answers and exceptions, and naps in between."""

import asyncio
from decimal import Decimal
from math import isqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from primerace import napping, trial
from primerace.job import QUICK

PRIME = 356755276249  # 298,645 divisions


def test_answers_of_small_numbers():
    async def answers():
        return [await napping.is_prime(n) for n in range(-10, 2000)]

    assert asyncio.run(answers()) == [trial.is_prime(n) for n in range(-10, 2000)]


@given(st.integers(-(10**9), 10**9))
def test_answers(n):
    assert asyncio.run(napping.is_prime(n)) is trial.is_prime(n)


@pytest.mark.parametrize("n", list(QUICK)[:6])
def test_answers_of_the_sample(n):
    assert asyncio.run(napping.is_prime(n)) is QUICK[n]


@pytest.mark.parametrize("root", [99_991, 100_003, 199_999, 200_003, 300_007])
def test_last_divisor_beside_a_nap(root):
    """The square of a prime near a border between two naps, and its neighbours."""
    for n in (root * root, root * root - 2, root * root + 2):
        assert asyncio.run(napping.is_prime(n)) is trial.is_prime(n)


@pytest.mark.parametrize("n", [True, False, np.int64(97), np.uint8(91)])
def test_all_that_is_an_integer(n):
    assert asyncio.run(napping.is_prime(n)) is trial.is_prime(n)


@pytest.mark.parametrize("n", [7.0, "7", None, Decimal(7), 7j])
def test_all_else_is_the_same_error(n):
    with pytest.raises(TypeError) as expected:
        trial.is_prime(n)
    with pytest.raises(TypeError) as caught:
        asyncio.run(napping.is_prime(n))
    assert str(caught.value) == str(expected.value)


def test_naps_every_50_000_divisions():
    async def turns():
        task = asyncio.create_task(napping.is_prime(PRIME))
        count = 0
        while not task.done():
            await asyncio.sleep(0)
            count += 1
        assert task.result()
        return count

    divisions = isqrt(PRIME) // 2
    assert divisions // 50_000 <= asyncio.run(turns()) <= divisions // 50_000 + 3
