# cython: language_level=3, cdivision=True, binding=False, embedsignature=True, embedsignature.format=clinic
# cython: freethreading_compatible=True
# cython: subinterpreters_compatible=own_gil
"""The fast primality test, called with Python integers.

Integers are read here, so that a call costs no Python-level dispatcher; everything else goes on to
`primerace.arrays`, which is imported when it is first needed. This module imports no NumPy: it works in
subinterpreters too. Without Cython's `binding` the functions are plain built-in ones, which saves 6 to 10 ns
a call.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.exc cimport PyErr_Clear, PyErr_Occurred
from cpython.long cimport PyLong_Check
from cpython.number cimport PyIndex_Check, PyNumber_Index
from libc.stdint cimport int64_t, uint8_t, uint64_t

cdef extern from "Python.h":
    long long PyLong_AsLongLongAndOverflow(object, int *overflow) except? -1
    unsigned long long PyLong_AsUnsignedLongLong(object)

cdef extern from "isprime.h":
    ctypedef bint (*support_function)() noexcept nogil
    ctypedef void (*block_function)(const uint64_t *n, size_t count, uint8_t *out) noexcept nogil
    struct instruction_set:
        const char *name
        support_function supported
        block_function block
    const instruction_set instruction_sets[]
    const size_t instruction_set_count
    const instruction_set *current_instruction_set() noexcept nogil
    void select_instruction_set(const instruction_set *) noexcept nogil
    bint is_prime_64(uint64_t) noexcept nogil

cdef extern from "search.h":
    uint64_t first_prime(uint64_t n, int64_t step) noexcept nogil

cdef extern from *:
    """
    #ifdef __clang__
    #define PRIMERACE_COMPILER __VERSION__
    #else
    #define PRIMERACE_COMPILER "GCC " __VERSION__
    #endif
    """
    const char *PRIMERACE_COMPILER
    const unsigned long CYTHON_HEX_VERSION

cdef enum Magnitude:
    NEGATIVE, WORD, LARGE


cdef inline Magnitude read_integer(object n, uint64_t *value) except *:
    """Store the int n as a word if it is one."""
    cdef int overflow
    cdef long long word = PyLong_AsLongLongAndOverflow(n, &overflow)
    if overflow < 0 or word < 0 and overflow == 0:
        return NEGATIVE
    value[0] = <uint64_t>word if overflow == 0 else PyLong_AsUnsignedLongLong(n)
    if value[0] == <uint64_t>-1 and PyErr_Occurred():
        PyErr_Clear()
        return LARGE
    return WORD


cdef inline bint answer_int(object n) except -1:
    """Tell whether the int n is prime.

    The GIL is kept: below 2**64 the test takes under half a microsecond. To release and take the GIL back
    costs a fifth of that, and much more when another thread takes the chance.
    """
    cdef uint64_t value
    cdef Magnitude magnitude = read_integer(n, &value)
    if magnitude == WORD:
        return is_prime_64(value)
    return magnitude == LARGE and answer_large(n)


cdef bint answer_large(object n) except -1:
    from primerace import bigprime
    return bigprime.is_prime(n)


cdef bint answer_integer(object n) except -1:
    """Tell whether n, an integer as `operator.index` accepts it, is prime."""
    return answer_int(PyNumber_Index(n))


cdef void answer_block(const uint64_t *n, size_t count, uint8_t *answers) noexcept nogil:
    current_instruction_set().block(n, count, answers)


cdef bint answer_word(uint64_t n) noexcept nogil:
    return is_prime_64(n)


cdef bint is_integer(object n):
    """An object with an index: a NumPy integer is one, an array, which has one and a length, is not."""
    return PyIndex_Check(n) and not (hasattr(type(n), "__len__") and hasattr(type(n), "__array__"))


def is_prime(n, /, *, out=None, where=True, Py_ssize_t workers=1):
    """Tell whether n is prime, or which elements of an array are.

    Below 2**64 the answer is proven: below 2**32 by a strong test whose base comes from a table, above by
    the Baillie-PSW test (R. Baillie, S. S. Wagstaff, Lucas pseudoprimes, Math. Comp. 35, 1980), which no
    composite below 2**64 passes. Beyond 2**64 that test has no known exception. Negative numbers are not
    prime.

    Args:
        n: an integer, as `operator.index` accepts it, of any size; or an array of integers of any kind, or
            nested lists of them.
        out: for arrays, where to store the answers, as in NumPy's ufuncs.
        where: for arrays, a mask of the elements to answer for, as in NumPy's ufuncs.
        workers: for arrays, the number of threads; -1 is one for each usable core.

    Returns:
        A bool for an integer; answers of the shape and kind of the array for an array. NumPy's bool is no
        integer to `operator.index`, but an array of one element here: the answer is False.

    Raises:
        TypeError: n is not an integer or holds something else; the message names the type.
        ValueError: workers is 0 or less than -1, or out is a tuple of other than one array.

    >>> is_prime(2**61 - 1), is_prime(2**67 - 1)
    (True, False)
    >>> is_prime([[2, 3, 4], [5, 6, 7]])
    array([[ True,  True, False],
           [ True, False,  True]])
    """
    if out is None and where is True and workers == 1:
        if PyLong_Check(n):
            return answer_int(n)
        if is_integer(n):
            return answer_integer(n)
    from primerace import arrays
    return arrays.is_prime(n, out=out, where=where, workers=workers)


def next_prime(n, /):
    """Return the least prime greater than n.

    Args:
        n: an integer of any size, as `operator.index` accepts it.

    Returns:
        int: the next prime: proven below 2**64, as certain as `is_prime` is beyond.

    Raises:
        TypeError: n is not an integer; the message names its type.

    >>> next_prime(100), next_prime(-5), next_prime(2**64)
    (101, 2, 18446744073709551629)
    """
    cdef uint64_t value = 0
    n = PyNumber_Index(n)
    cdef Magnitude magnitude = read_integer(n, &value)
    if magnitude == NEGATIVE or value < 2 and magnitude == WORD:
        return 2
    if magnitude == WORD and value < 18446744073709551557U:  # the greatest prime below 2**64
        return first_prime((value + 1) | 1, 2)
    from primerace import bigprime
    return bigprime.next_prime(n)


def prev_prime(n, /):
    """Return the greatest prime less than n.

    Args:
        n: an integer greater than 2, of any size, as `operator.index` accepts it.

    Returns:
        int: the previous prime: proven below 2**64, as certain as `is_prime` is beyond.

    Raises:
        TypeError: n is not an integer; the message names its type.
        ValueError: no prime is less than n.

    >>> prev_prime(100), prev_prime(2**64)
    (97, 18446744073709551557)
    """
    cdef uint64_t value = 0
    n = PyNumber_Index(n)
    cdef Magnitude magnitude = read_integer(n, &value)
    if magnitude == WORD and value > 2:
        return 2 if value == 3 else first_prime((value - 2) | 1, -2)
    from primerace import bigprime
    return bigprime.prev_prime(n)


cdef str name_of(const instruction_set *candidate):
    return candidate.name.decode("ascii")


def available_instruction_sets():
    """Return the names of the instruction sets that this CPU has a block function for, best first."""
    cdef size_t i
    return [
        name_of(&instruction_sets[i])
        for i in range(instruction_set_count)
        if instruction_sets[i].supported()
    ]


def current_instruction_set_name():
    """Return the name of the instruction set in use."""
    return name_of(current_instruction_set())


cdef const instruction_set *find_instruction_set(str name) except NULL:
    cdef size_t i
    for i in range(instruction_set_count):
        if instruction_sets[i].supported() and name_of(&instruction_sets[i]) == name:
            return &instruction_sets[i]
    raise ValueError(
        f"there is no instruction set {name!r} here; this CPU has {', '.join(available_instruction_sets())}"
    )


def use_instruction_set(str name not None):
    """Use an instruction set from now on, in all threads.

    Raises:
        ValueError: it is unknown, or this CPU does not have it; the message lists what it has.
    """
    select_instruction_set(find_instruction_set(name))


def build_details():
    """Return what this module was compiled with: the versions of the C compiler and of Cython.

    >>> sorted(build_details())
    ['compiler', 'cython']
    """
    cdef unsigned long cython = CYTHON_HEX_VERSION
    return {
        "compiler": PRIMERACE_COMPILER.decode("utf-8"),
        "cython": f"{cython >> 24}.{cython >> 16 & 255}.{cython >> 8 & 255}",
    }


def run_block(str name not None, numbers, answers):
    """Run the block function of an instruction set on memory as it is, for the tests of block functions.

    Args:
        name: the instruction set.
        numbers: a contiguous buffer of native 64-bit words, 8-byte aligned.
        answers: a writable contiguous buffer of one byte for each word; it may be the start of `numbers`.

    Raises:
        ValueError: the instruction set is not available, or a buffer has the wrong length or alignment.
    """
    cdef const instruction_set *chosen = find_instruction_set(name)
    cdef Py_buffer source, target
    PyObject_GetBuffer(numbers, &source, PyBUF_SIMPLE)
    try:
        PyObject_GetBuffer(answers, &target, PyBUF_WRITABLE)
        try:
            if source.len != 8 * target.len or <size_t>source.buf % 8:
                raise ValueError(
                    "numbers must be aligned 64-bit words, answers a byte for each: "
                    f"there are {source.len} bytes of numbers for {target.len} answers"
                )
            chosen.block(<const uint64_t *>source.buf, <size_t>target.len, <uint8_t *>target.buf)
        finally:
            PyBuffer_Release(&target)
    finally:
        PyBuffer_Release(&source)
