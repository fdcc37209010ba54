/* The tests of single.c for many numbers: several chains side by side, for throughput. */
#ifndef PRIMERACE_INTERLEAVED_H
#define PRIMERACE_INTERLEAVED_H

#include <stddef.h>
#include <stdint.h>

/* prime[i] becomes 1 if n[i] is prime, else 0, for odd n[i] < 2^32 without a prime factor up to 13. */
void strong_tests_32(const uint64_t *n, size_t count, uint8_t *prime);

/* The same for odd n[i] < 2^64 - 1 without a prime factor up to 7. */
void baillie_psw_tests(const uint64_t *n, size_t count, uint8_t *prime);

#endif
