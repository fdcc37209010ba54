/* The contract between the primality tests in C and everything that calls them.

   A block function answers for many numbers at once: that is where the speed is, since the tests of
   independent numbers fill the pipelines that a single number's chain of multiplications leaves idle.
   Each instruction set has one file in simd/ with one block function; isprime.c lists them, best first,
   and picks the first that this CPU supports. All of them give the same answers. */
#ifndef PRIMERACE_ISPRIME_H
#define PRIMERACE_ISPRIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* out[i] becomes 1 where n[i] is prime and 0 elsewhere. Neither pointer need be aligned beyond its type,
   and out may be the memory of n itself: out[i] is written only after n[0..i] has been read for the last time. */
typedef void block_function(const uint64_t *n, size_t count, uint8_t *out);

struct instruction_set {
    const char *name;
    bool (*supported)(void);
    block_function *block;
};

/* Best first; the last one, "scalar", runs everywhere. */
extern const struct instruction_set instruction_sets[];
extern const size_t instruction_set_count;

/* The instruction set in use: the best that this CPU has, until select_instruction_set changes it. */
const struct instruction_set *current_instruction_set(void);
void select_instruction_set(const struct instruction_set *set);

/* One number, by the path with the least latency. */
bool is_prime_64(uint64_t n);

/* The block functions, one in each file of simd/. */
block_function block_scalar, block_avx2, block_avx512ifma;

#endif
