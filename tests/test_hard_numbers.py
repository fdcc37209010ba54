"""The hard numbers are what they claim to be, by published counts and first terms and by the definitions."""

from math import isqrt

import definitions
import hard_numbers
import pytest


def test_first_terms() -> None:
    assert hard_numbers.strong_pseudoprimes(10**5)[:5] == [2047, 3277, 4033, 4681, 8321]
    assert hard_numbers.strong_lucas_pseudoprimes()[:5] == [5459, 5777, 10877, 16109, 18971]
    assert hard_numbers.extra_strong_lucas_pseudoprimes()[:5] == [989, 3239, 5777, 10877, 27971]
    assert hard_numbers.carmichael_numbers()[:5] == [561, 1105, 1729, 2465, 2821]
    assert hard_numbers.chernick_numbers()[:3] == [1729, 294409, 56052361]


@pytest.mark.parametrize(("limit", "number"), [(10**5, 16), (10**9, 1282), (10**10, 3291)])
def test_strong_pseudoprimes_are_complete(limit: int, number: int) -> None:
    """The counts of OEIS A001262 and https://ntheory.org/pseudoprimes.html."""
    assert len(hard_numbers.strong_pseudoprimes(limit)) == number


def test_strong_pseudoprimes_agree_with_the_definition() -> None:
    by_definition = hard_numbers.pseudoprimes(lambda n: definitions.is_strong_probable_prime(n, 2), 300_000)
    assert hard_numbers.strong_pseudoprimes(300_000) == by_definition


def test_extra_strong_pseudoprimes_are_almost_extra_strong() -> None:
    almost = hard_numbers.almost_extra_strong_lucas_pseudoprimes()
    assert set(hard_numbers.extra_strong_lucas_pseudoprimes()) < set(almost)
    assert almost[3] == 10469


def test_there_are_43_carmichael_numbers_below_a_million() -> None:
    assert len(hard_numbers.carmichael_numbers()) == 43


@pytest.mark.parametrize("k", range(1, 14))
def test_psi_passes_the_first_prime_bases(k: int) -> None:
    bases = hard_numbers.primes_below(42)[:k]
    assert all(definitions.is_strong_probable_prime(hard_numbers.PSI[k - 1], base) for base in bases)


def test_psi_matches_the_complete_list() -> None:
    """The first four are below 10**10, where every strong pseudoprime to base 2 is known."""
    for k in range(1, 5):
        bases = hard_numbers.primes_below(12)[:k]
        complete = hard_numbers.strong_pseudoprimes(10**10)
        passing = (n for n in complete if all(definitions.is_strong_probable_prime(n, a) for a in bases))
        assert next(passing) == hard_numbers.PSI[k - 1]


@pytest.mark.parametrize("number_of_bases", [1, 5, 10, 20, 30])
def test_arnault_composites(number_of_bases: int) -> None:
    n = hard_numbers.arnault_composite(number_of_bases)
    bases = hard_numbers.primes_below(1000)[:number_of_bases]
    assert n > 2**64
    assert all(definitions.is_strong_probable_prime(n, base) for base in bases)
    assert not definitions.is_extra_strong_lucas_probable_prime(n)


@pytest.mark.parametrize("bits", [64, 80])
def test_semiprimes_pass_one_test_and_fail_the_other(bits: int) -> None:
    for n in hard_numbers.strong_semiprimes(1 << bits):
        assert 2 ** (bits - 1) < n < 2**bits
        assert definitions.is_strong_probable_prime(n, 2)
        assert not definitions.is_extra_strong_lucas_probable_prime(n)
    for n in hard_numbers.extra_strong_lucas_semiprimes(1 << bits):
        assert 2 ** (bits - 1) < n < 2**bits
        assert definitions.is_extra_strong_lucas_probable_prime(n)
        assert not definitions.is_strong_probable_prime(n, 2)


def test_no_strong_pseudoprime_below_a_billion_is_an_extra_strong_lucas_pseudoprime() -> None:
    complete = hard_numbers.strong_pseudoprimes(10**9)
    assert not any(definitions.is_extra_strong_lucas_probable_prime(n) for n in complete)


def test_primes_below_agree_with_trial_division() -> None:
    by_division = [n for n in range(2, 3000) if all(n % d for d in range(2, isqrt(n) + 1))]
    assert hard_numbers.primes_below(3000) == by_division
    assert [n for n in range(3000) if definitions.is_prime(n)] == by_division


def test_primes_pass_every_definition() -> None:
    for n in hard_numbers.primes_below(3000)[1:]:
        assert definitions.is_strong_probable_prime(n, 2)
        assert definitions.is_strong_lucas_probable_prime(n)
        assert definitions.is_extra_strong_lucas_probable_prime(n)
