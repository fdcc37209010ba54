"""What `_native` calls: the one copy of the loop lives in `_trial`."""

from libc.stdint cimport uint64_t

ctypedef struct Trial:
    uint64_t n
    uint64_t root
    uint64_t divisor
    bint prime

cdef Trial begin_trial(uint64_t n) noexcept nogil
cdef bint trial_slice(Trial *trial) noexcept nogil
