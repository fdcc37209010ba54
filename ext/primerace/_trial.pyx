# cython: language_level=3, cdivision=True, binding=False, embedsignature=True, embedsignature.format=clinic
# cython: freethreading_compatible=True
# cython: subinterpreters_compatible=own_gil
"""Trial division, compiled once and given two faces: one holds the GIL, one releases it.

Both faces run the same C function, `trial_slice`, so any difference between them is the GIL and nothing
else. Each also does a part of its work alone, for those who divide one number's divisors among workers.
A call divides in slices and looks for signals between them, so that Ctrl-C stops a long call. Python
handles signals in its main thread alone: in other threads `released` does not take the GIL back to look.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport sqrt
from libc.stdint cimport uint64_t

cdef extern from "Python.h":
    object PyNumber_Index(object)
    unsigned long long PyLong_AsUnsignedLongLong(object) except? <unsigned long long>-1

# A slice of divisions takes 2 to 40 ms on machines of the last fifteen years: far below the 0.2 s
# within which Ctrl-C has to work, far above the cost of a look for signals.
cdef enum:
    SLICE = 1 << 20


cdef uint64_t integer_sqrt(uint64_t n) noexcept nogil:
    """The floor of the square root of n > 0. The rounded double is at most one off, so one step mends it."""
    cdef uint64_t root = <uint64_t>sqrt(<double>n)
    if root > n // root:
        return root - 1
    if root + 1 <= n // (root + 1):
        return root + 1
    return root


cdef Trial begin_trial(uint64_t n) noexcept nogil:
    cdef Trial trial
    trial.n = n
    trial.divisor = 3
    trial.prime = n == 2 or (n > 2 and n % 2 == 1)
    trial.root = integer_sqrt(n) if trial.prime else 0
    return trial


cdef bint trial_slice(Trial *trial) noexcept nogil:
    """Divide by the next SLICE odd numbers; True as soon as the answer is known."""
    cdef uint64_t n = trial.n
    cdef uint64_t divisor = trial.divisor
    cdef uint64_t last = min(trial.root, divisor + 2 * (SLICE - 1))
    while divisor <= last:
        if n % divisor == 0:
            trial.prime = False
            return True
        divisor += 2
    trial.divisor = divisor
    return divisor > trial.root


cdef Trial begin_range(object n, object first, object last) except *:
    """The part of n's trial from `first` to `last`; it knows of no other divisors, not even of 2."""
    cdef Trial trial
    trial.n = to_uint64(n)
    trial.divisor = to_uint64(first)
    trial.root = min(to_uint64(last), integer_sqrt(trial.n)) if trial.n else 0
    trial.prime = True
    if trial.divisor % 2 == 0:
        raise ValueError(f"the first divisor is a positive odd number, not {first}")
    return trial


cdef bint finish_held(Trial *trial) except -1:
    """Keep the GIL to the end; True where no divisor was found."""
    while not trial_slice(trial):
        PyErr_CheckSignals()
    return trial.prime


cdef bint finish_released(Trial *trial) except -1:
    """Release the GIL, and take it back only to look for signals; True where no divisor was found."""
    cdef bint done
    with nogil:
        done = trial_slice(trial)
    if not done and not in_main_thread():
        with nogil:
            while not done:
                done = trial_slice(trial)
    while not done:
        PyErr_CheckSignals()
        with nogil:
            done = trial_slice(trial)
    return trial.prime


cdef bint in_main_thread():
    from threading import current_thread, main_thread
    return current_thread() is main_thread()


cdef uint64_t to_uint64(object n) except? <uint64_t>-1:
    """n as operator.index sees it; 0, which is not prime either, stands for every negative number."""
    n = PyNumber_Index(n)
    try:
        return PyLong_AsUnsignedLongLong(n)
    except OverflowError:
        if n < 0:
            return 0
        raise OverflowError(
            f"the compiled trial division takes n < 2**64, but n has {n.bit_length()} bits; "
            "primerace.kernels.python has no limit"
        ) from None


def held(n, /):
    """Trial division in C that keeps the GIL: no other thread of Python runs until it returns.

    Args:
        n: an integer below 2**64, as `operator.index` accepts it; negative numbers are not prime.

    Returns:
        bool: True where n is prime.

    Raises:
        TypeError: n is not an integer; the message names its type.
        OverflowError: n >= 2**64.

    The method is division by 2 and by every odd number up to the integer square root.

    >>> held(97), held(91)
    (True, False)
    """
    cdef Trial trial = begin_trial(to_uint64(n))
    return finish_held(&trial)


def released(n, /):
    """Trial division in C that releases the GIL: other threads run on meanwhile.

    Args:
        n: an integer below 2**64, as `operator.index` accepts it; negative numbers are not prime.

    Returns:
        bool: True where n is prime.

    Raises:
        TypeError: n is not an integer; the message names its type.
        OverflowError: n >= 2**64.

    The method is division by 2 and by every odd number up to the integer square root. The GIL is
    taken back only to look for signals, again and again in the main thread, once elsewhere.

    >>> released(97), released(91)
    (True, False)
    """
    cdef Trial trial = begin_trial(to_uint64(n))
    return finish_released(&trial)


def held_no_divisor(n, first, last, /):
    """A part of `held`: tell whether none of first, first + 2, ... up to last divides n.

    Args:
        n: the dividend; first: an odd number; last: where to end, at the latest at the square root of n. All
            are integers below 2**64, as `held` takes them.

    Returns:
        bool: True where none does.

    Raises:
        TypeError: one of them is not an integer.
        OverflowError: one of them is not below 2**64.
        ValueError: first is not a positive odd number.

    >>> held_no_divisor(91, 3, 5), held_no_divisor(91, 3, 7)
    (True, False)
    """
    cdef Trial trial = begin_range(n, first, last)
    return finish_held(&trial)


def released_no_divisor(n, first, last, /):
    """A part of `released`: tell whether none of first, first + 2, ... up to last divides n.

    Args:
        n: the dividend; first: an odd number; last: where to end, at the latest at the square root of n. All
            are integers below 2**64, as `released` takes them.

    Returns:
        bool: True where none does.

    Raises:
        TypeError: one of them is not an integer.
        OverflowError: one of them is not below 2**64.
        ValueError: first is not a positive odd number.

    >>> released_no_divisor(91, 3, 5), released_no_divisor(91, 3, 7)
    (True, False)
    """
    cdef Trial trial = begin_range(n, first, last)
    return finish_released(&trial)
