/* The one strong test that decides an odd n < 2^32 without a prime factor up to 13: its base comes from a
   table.

   With n < 2^32 and radix R = 2^64 a residue may keep its sign: x is in (-n, n), its square fits one word,
   and T = x^2 base still is below n R. With n * inverse = 1 (mod R) the step is
       x := floor(T / R) - floor((T * inverse mod R) n / R),   = T / R (mod n),
   where the first term is below both 2^16, as base is, and n: for n < 2^16 it is 0. The second term is in
   [0, n), so x stays in (-n, n) without a correction. A step waits for three multiplications and one
   subtraction. */
#ifndef PRIMERACE_STRONG_32_H
#define PRIMERACE_STRONG_32_H

#include "montgomery.h"
#include "tables.h"

#include <stdbool.h>

struct strong_chain_32 {
    uint64_t x;          /* base^k in Montgomery form, in (-n, n), where k has the first bits of d */
    uint64_t bits;       /* the other bits of d, from the top of the word on; n - 1 = 2^s d with d odd */
    uint64_t factor[2]; /* 1 and base, */
    uint64_t inverse[2];/* both times the inverse of n */
};

/* The number of bits of d: no chain may take fewer steps. */
static inline int strong_steps_32(uint64_t n)
{
    return 64 - __builtin_clzll(n - 1) - __builtin_ctzll(n - 1);
}

/* Starts with k = 0, which leading zeros of d leave as it is. One is R mod n. */
static inline struct strong_chain_32 strong_start_32(uint64_t n, uint64_t inverse, uint64_t one, int steps)
{
    uint64_t base = base_32((uint32_t)n);
    return (struct strong_chain_32){
        .x = one,
        .bits = (n - 1) >> __builtin_ctzll(n - 1) << (64 - steps),
        .factor = {1, base},
        .inverse = {inverse, base * inverse},
    };
}

static inline uint64_t reduce_32(uint64_t square, uint64_t factor, uint64_t factor_inverse, uint64_t n)
{
    return high_word((product)square * factor) - high_word((product)(square * factor_inverse) * n);
}

/* From k to 2 k + the next bit. */
static inline void strong_step_32(struct strong_chain_32 *chain, uint64_t n)
{
    uint64_t bit = chain->bits >> 63;
    chain->bits <<= 1;
    chain->x = reduce_32(chain->x * chain->x, chain->factor[bit], chain->inverse[bit], n);
}

/* The verdict when k = d and x is base^d. */
static inline bool strong_verdict_32(uint64_t x, uint64_t n, uint64_t inverse, uint64_t one)
{
    if (x == one || x == one - n)
        return true;
    for (int twos = __builtin_ctzll(n - 1); twos > 1 && x != n - one && x != -one; twos--)
        x = reduce_32(x * x, 1, inverse, n);
    return x == n - one || x == -one;
}

#endif
