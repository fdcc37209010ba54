# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False, binding=False
# cython: freethreading_compatible=True
"""OpenMP threads over numbers in memory: one call for all of them, and no Python inside.

Each number is tested by the C function that the kernels `released` and `fast` call, and timed by the clocks
that time the other racers: wall time, and the processor time of the thread. The threads take numbers one by
one, as workers take items from a queue. Without OpenMP the same code compiles to one thread, and says so.
"""

from cython.parallel cimport prange, threadid
from libc.stdint cimport int32_t, uint8_t, uint64_t
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, clockid_t, timespec

from primerace._isprime cimport answer_word
from primerace._trial cimport Trial, begin_trial, trial_slice

cdef extern from * nogil:
    """
    #ifdef _OPENMP
    #include <omp.h>
    #define PRIMERACE_OPENMP 1
    #else
    #define PRIMERACE_OPENMP 0
    #endif
    #define raised(flag) __atomic_load_n(flag, __ATOMIC_RELAXED)

    static int threads_given(int workers) {
        int given = 1;
    #ifdef _OPENMP
        omp_set_dynamic(0);
        #pragma omp parallel num_threads(workers)
        #pragma omp single
        given = omp_get_num_threads();
    #endif
        return given;
    }
    """
    const bint PRIMERACE_OPENMP
    int threads_given(int workers)
    bint raised(const uint8_t *flag)

cdef extern from "time.h" nogil:
    const clockid_t CLOCK_THREAD_CPUTIME_ID

cdef enum Kernel:
    NOTHING, RELEASED, FAST

KERNELS = {"nothing": NOTHING, "released": RELEASED, "fast": FAST}


def has_openmp():
    """Tell whether this module was built with OpenMP."""
    return PRIMERACE_OPENMP


def team(int workers):
    """Tell how many threads OpenMP gives to this thread where it asks for so many.

    From now on it gives this thread no fewer because the machine is busy (OMP_DYNAMIC). It still does where
    OMP_THREAD_LIMIT says so.

    Raises:
        ValueError: there is no worker.
    """
    if workers < 1:
        raise ValueError(f"there must be at least one worker, not {workers}")
    cdef int given
    with nogil:
        given = threads_given(workers)
    return given


cdef double seconds_of(clockid_t clock) noexcept nogil:
    cdef timespec now
    clock_gettime(clock, &now)
    return now.tv_sec + 1e-9 * now.tv_nsec


cdef bint divide(uint64_t n, const uint8_t *stop) noexcept nogil:
    """Trial division as `released` does it, given up between two slices where the flag is raised."""
    cdef Trial trial = begin_trial(n)
    while not trial_slice(&trial):
        if raised(stop):
            return False
    return trial.prime


cdef bint answer(Kernel kernel, uint64_t n, const uint8_t *stop) noexcept nogil:
    if kernel == RELEASED:
        return divide(n, stop)
    if kernel == FAST:
        return answer_word(n)
    return False


def run(
    str kernel not None,
    const uint64_t[::1] numbers not None,
    int workers,
    const uint8_t[::1] stop not None,
    uint8_t[::1] answers not None,
    double[::1] wall not None,
    double[::1] cpu not None,
    double[::1] started not None,
    int32_t[::1] worker not None,
):
    """Test every number, in threads that take one after the other, without the GIL.

    Args:
        kernel: 'released', 'fast', or 'nothing', which measures handing out alone.
        numbers: uint64, what to test.
        workers: how many threads.
        stop: one byte; the rest is given up as soon as it is not 0.
        answers: uint8 for each number, becomes 1 where it is prime and 0 elsewhere.
        wall, cpu: float64 for each number, become the seconds that it took on the clock and on the processor.
        started: float64 for each number, becomes the seconds from the call to its turn.
        worker: int32 for each number, becomes the number of the thread, from 0.

    Raises:
        KeyError: there is no such kernel.
        ValueError: the arrays are not of one length, `stop` is empty, or there is no worker.
    """
    cdef Kernel chosen = KERNELS[kernel]
    cdef Py_ssize_t count = numbers.shape[0], i
    if not (answers.shape[0] == wall.shape[0] == cpu.shape[0] == started.shape[0] == worker.shape[0] == count):
        raise ValueError(f"all arrays have as many elements as there are numbers, which is {count}")
    if workers < 1:
        raise ValueError(f"there must be at least one worker, not {workers}")
    if stop.shape[0] < 1:
        raise ValueError("stop is empty, but its first element is the flag")
    cdef const uint8_t *flag = &stop[0]
    cdef double begin = seconds_of(CLOCK_MONOTONIC), cpu_begin
    for i in prange(count, nogil=True, schedule="dynamic", chunksize=1, num_threads=workers):
        if not raised(flag):
            started[i] = seconds_of(CLOCK_MONOTONIC) - begin
            cpu_begin = seconds_of(CLOCK_THREAD_CPUTIME_ID)
            answers[i] = answer(chosen, numbers[i], flag)
            cpu[i] = seconds_of(CLOCK_THREAD_CPUTIME_ID) - cpu_begin
            wall[i] = seconds_of(CLOCK_MONOTONIC) - begin - started[i]
            worker[i] = threadid()
