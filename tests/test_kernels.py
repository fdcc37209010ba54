"""The kernels of the experiment: three twins that agree on every answer and every exception."""

import pickle
import subprocess
import sys
import threading
import time
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import isqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from primes import MIDDLE_PRIMES, sieve
from watching import interrupt, start

from primerace import kernels, machine
from primerace.job import BOOK, QUICK

LIMIT = 10**6
PRIME = sieve(LIMIT)
COMPILED = ("held", "released")
TWINS = ("python", *COMPILED)
LONG_CALL = 2**64 - 59  # the largest prime of 64 bits: seconds of trial division in C, minutes in Python


@pytest.fixture(params=list(kernels.KERNELS))
def kernel(request):
    return kernels.KERNELS[request.param]


@pytest.fixture(params=TWINS)
def twin(request):
    return kernels.KERNELS[request.param]


@pytest.fixture(params=COMPILED)
def compiled(request):
    return kernels.KERNELS[request.param]


class Index:
    def __init__(self, value):
        self.value = value

    def __index__(self):
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


class IntSubclass(int):
    """Its own idea of order and remainder must not matter."""

    def __lt__(self, other):
        return True

    def __mod__(self, other):
        return 0


def outcome(function, argument):
    """The answer, or the exception's type and message."""
    try:
        return function(argument)
    except Exception as error:
        return type(error), str(error)


def test_registry_is_described():
    assert kernels.KERNELS.keys() == kernels.SUMMARIES.keys()
    assert [getattr(kernels, name) for name in kernels.KERNELS] == list(kernels.KERNELS.values())
    assert kernels.KERNELS.keys() >= set(TWINS)


def test_every_number_to_ten_thousand(kernel):
    assert [n for n in range(-50, 10_000) if kernel(n)] == [n for n in range(10_000) if PRIME[n]]


def test_every_number_below_a_million(compiled):
    assert [n for n in range(LIMIT) if compiled(n)] == [n for n in range(LIMIT) if PRIME[n]]


@given(st.integers(0, LIMIT - 1))
def test_sieve_agrees(n):
    assert [function(n) for function in kernels.KERNELS.values()] == [bool(PRIME[n])] * len(kernels.KERNELS)


@given(st.sampled_from(MIDDLE_PRIMES), st.sampled_from(MIDDLE_PRIMES))
def test_products_of_two_primes_are_composite(p, q):
    assert not kernels.held(p * q)
    assert not kernels.released(p * q)


@given(st.integers(0, 2**64 - 1).filter(lambda n: n < 2**44 or any(n % p == 0 for p in range(2, 1000))))
def test_kernels_agree_on_any_size(n):
    assert len({function(n) for function in kernels.KERNELS.values()}) == 1


@pytest.mark.parametrize("sample", [BOOK, QUICK], ids=["book", "quick"])
def test_samples(compiled, sample):
    assert {n: compiled(n) for n in sample} == sample


@pytest.mark.parametrize("p", MIDDLE_PRIMES)
def test_squares_of_primes_and_their_neighbours(kernel, p):
    """A square root one too small would call p*p prime."""
    assert kernel(p)
    assert not kernel(p * p)
    assert not kernel(p * p - 1)
    assert not kernel(p * (p + 2))


@pytest.mark.parametrize("p", [94906249, 100000007])
def test_square_root_beyond_exact_doubles(compiled, p):
    """These squares have more than 53 bits."""
    assert compiled(p)
    assert not compiled(p * p)


def test_square_root_near_its_limit():
    assert not kernels.released((2**31 - 1) ** 2)


@pytest.mark.parametrize(
    "n", [2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1, 2**62 + 1]
)
def test_powers_of_two_and_neighbours(kernel, n):
    assert not kernel(n)


def test_squares_around_the_largest_root(compiled):
    for root in (2**32 - 1, 2**32 - 2, 2**32 - 3):
        assert not compiled(root * root)
    assert isqrt(2**64 - 1) == 2**32 - 1


ANSWERED = [
    (True, False),
    (False, False),
    (2, True),
    (3, True),
    (0, False),
    (1, False),
    (-1, False),
    (-7, False),
    (-(2**64), False),
    (-(10**100), False),
    (2**64 - 1, False),
    (np.int8(7), True),
    (np.int8(-7), False),
    (np.uint8(251), True),
    (np.int64(97), True),
    (np.uint64(2**64 - 1), False),
    (np.int32(91), False),
    (Index(97), True),
    (Index(True), False),
    (IntSubclass(97), True),
    (Index(np.uint16(65521)), True),
]


@pytest.mark.parametrize(("argument", "answer"), ANSWERED, ids=lambda value: repr(value)[:30])
@pytest.mark.filterwarnings("ignore:.*__index__ returned non-int:DeprecationWarning")
def test_whatever_is_an_integer_is_answered(kernel, argument, answer):
    if isinstance(argument, Index) and isinstance(argument.value, np.generic):
        assert outcome(kernel, argument)[0] is TypeError  # __index__ must return an int
    else:
        assert kernel(argument) is answer


REFUSED = [2.0, 7.5, float("nan"), float("inf"), "7", b"7", None, 7j, Decimal(7), Fraction(7), [7], (7,), {7}]
REFUSED += [np.float64(7), np.array([7, 9]), np.datetime64("2024-01-01"), object(), range(7)]


@pytest.mark.parametrize("argument", REFUSED, ids=lambda value: type(value).__name__)
def test_whatever_is_no_integer_is_a_type_error(twin, argument):
    kind, message = outcome(twin, argument)
    assert kind is TypeError
    assert (kind, message) == outcome(kernels.python, argument)
    if not isinstance(argument, np.ndarray):
        assert type(argument).__name__.rsplit(".")[-1] in message


@pytest.mark.parametrize("error", [ValueError("no"), ZeroDivisionError("x"), OverflowError("mine")])
def test_errors_of_index_are_passed_on(kernel, error):
    assert outcome(kernel, Index(error)) == (type(error), str(error))


def test_exactly_one_positional_argument(twin):
    for arguments, keywords in [((), {}), ((1, 2), {}), ((), {"n": 7})]:
        with pytest.raises(TypeError):
            twin(*arguments, **keywords)


@pytest.mark.parametrize("n", [2**64, 2**64 + 13, 2**127, 10**100])
def test_compiled_range_ends_at_64_bits(compiled, n):
    with pytest.raises(OverflowError, match=rf"n < 2\*\*64, but n has {n.bit_length()} bits.*python"):
        compiled(n)


def test_python_has_no_limit():
    assert not kernels.python(2**64)
    assert not kernels.python(3 * (2**127 - 1))


def test_survives_pickle(kernel):
    assert pickle.loads(pickle.dumps(kernel)) is kernel


@pytest.mark.thread_unsafe
@pytest.mark.parametrize("module", ["primerace", "primerace.kernels", "primerace.racers", "primerace.job"])
def test_import_without_numpy(module):
    code = f"import sys, {module}; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.thread_unsafe
@pytest.mark.skipif(not machine.gil_enabled(), reason="there is no GIL here to hold")
def test_released_lets_other_threads_run_and_held_does_not():
    """A thread beats while the main thread divides; the holder gives it no turn at all.

    The beats of a call can't be counted: it gives the GIL away as soon as it returns, and on a busy machine
    the main thread gets its core back, and reads the clock, only many beats later. But no gap between beats
    can be shorter than the call computed without giving the GIL away.
    """

    def longest_gap(function):
        """As a share of the processor seconds of a call."""
        marks = [time.perf_counter()]
        done = threading.Event()

        def beat():
            while not done.wait(0.001):
                marks.append(time.perf_counter())

        thread = threading.Thread(target=beat)
        thread.start()
        begin = time.thread_time()
        function(9999999999999917)
        computed = time.thread_time() - begin
        done.set()
        thread.join()
        marks.append(time.perf_counter())
        return max(after - before for before, after in pairwise(marks)) / computed

    assert longest_gap(kernels.held) > 0.9
    assert min(longest_gap(kernels.released) for _ in range(3)) < 0.5  # a beat can wait for a core, too


INTERRUPTED = """
import sys, time
from primerace import kernels
kernel = kernels.KERNELS[sys.argv[1]]
print("begin", flush=True)
try:
    kernel({n})
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.thread_unsafe
@pytest.mark.parametrize("name", TWINS)
def test_interrupt_stops_a_long_call(name):
    """The promise is 0.2 s; a busy machine gets two."""
    process = start("-c", INTERRUPTED.format(n=LONG_CALL), name)
    assert process.stdout.readline() == "begin\n"
    time.sleep(0.1)
    sent = time.monotonic()
    interrupt(process)
    assert process.stdout.readline() == "interrupted\n"
    assert time.monotonic() - sent < 2
    assert process.communicate(timeout=10) == ("", "")


def test_threads_get_answers_too(compiled):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(compiled(25000000000013))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 4
