"""What `_ufunc` and `_native` call: the one copy of the C code, and the instruction set in use, live in `_isprime`."""

from libc.stdint cimport uint8_t, uint64_t

cdef void answer_block(const uint64_t *n, size_t count, uint8_t *answers) noexcept nogil
cdef bint answer_integer(object n) except -1
cdef bint answer_word(uint64_t n) noexcept nogil
