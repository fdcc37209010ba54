/* Montgomery arithmetic modulo an odd n < 2^64 with the radix R = 2^64: x stands for x R mod n, and a
   division becomes two multiplications. (P. L. Montgomery, Modular multiplication without trial division,
   Math. Comp. 44, 1985.)

   The subtractive form: with n * inverse = 1 (mod R) and T = high R + low, the multiple m n with m = low *
   inverse mod R has the low word `low`, so T - m n = (high - floor(m n / R)) R exactly, with no carry
   between the words. For high < n both terms lie in [0, n), and one conditional addition of n ends it. The
   high word is known several cycles before the product m n: a constant that is added to it costs no
   latency. */
#ifndef PRIMERACE_MONTGOMERY_H
#define PRIMERACE_MONTGOMERY_H

#include <stdint.h>

typedef unsigned __int128 product;

static inline uint64_t high_word(product t)
{
    return (uint64_t)(t >> 64);
}

/* a - b mod n for a, b in [0, n], in [0, n]. Whether it wraps is a toss of a coin, and a branch that is
   mispredicted half the time would more than double the time of every test: x86-64 is told to use a
   conditional move. */
static inline uint64_t subtract(uint64_t a, uint64_t b, uint64_t n)
{
#if defined(__x86_64__)
    uint64_t wrapped;
    __asm__("sub %2, %0\n\t"
            "lea (%0, %3), %1\n\t"
            "cmovb %1, %0"
            : "+&r"(a), "=&r"(wrapped)
            : "r"(b), "r"(n)
            : "cc");
    return a;
#else
    return a - b + (a < b ? n : 0);
#endif
}

/* a + b mod n for a, b in [0, n). */
static inline uint64_t add(uint64_t a, uint64_t b, uint64_t n)
{
    return subtract(a, n - b, n);
}

/* The inverse of n modulo 2^64. (3 n) ^ 2 is right in 5 bits, so n * x = 1 - e with 2^5 | e, and
   1 / (1 - e) = (1 + e)(1 + e^2)(1 + e^4)(1 + e^8) up to e^16, a multiple of 2^80: the squarings of e and the
   products overlap, where each of Newton's steps would wait for the one before. */
static inline uint64_t inverse_of(uint64_t n)
{
    uint64_t x = 3 * n ^ 2, e = 1 - n * x;
    for (int bits = 5; bits < 64; bits *= 2) {
        x *= 1 + e;
        e *= e;
    }
    return x;
}

/* R mod n for n > 1: the number 1 in Montgomery form. */
static inline uint64_t one_of(uint64_t n)
{
    return -n % n;
}

/* (high R + low) / R mod n for high in [0, n). */
static inline uint64_t reduce(uint64_t high, uint64_t low, uint64_t n, uint64_t inverse)
{
    return subtract(high, high_word((product)(low * inverse) * n), n);
}

static inline uint64_t square(uint64_t x, uint64_t n, uint64_t inverse)
{
    product t = (product)x * x;
    return reduce(high_word(t), (uint64_t)t, n, inverse);
}

#endif
