/* The strong test with base 2, a chain of one squaring a bit.

   A prime n = 2^s d + 1, d odd, has 2^d = 1 or 2^(2^i d) = -1 (mod n) for some i < s, and as 1 and -1 are
   their own inverses, the same holds for 2^-d. Negative powers are cheap: since 2^j stands for 2^(j - 64)
   in Montgomery form, a shift by j and a reduction multiply by any of 2^-64 ... 2^-1. So d is written in
   base 64 with the digits 1 ... 64, and after every six squarings one such shift replaces the doublings
   that the bits would ask for. */
#ifndef PRIMERACE_STRONG_H
#define PRIMERACE_STRONG_H

#include "montgomery.h"

#include <stdbool.h>

enum { DIGIT_BITS = 6 };

struct digits {
    uint64_t low; /* each digit minus 1, six bits apiece, the last one lowest */
    int count;
};

/* The digits of d. m digits from 1 to 64 make the numbers from ones = 1 + 64 + ... + 64^(m - 1) to 64 ones;
   such a number has the common base-64 digits of its difference to ones, plus 1 each. With 64^m > d >=
   64^(m - 1), m digits are enough, and at most one too many. */
static inline struct digits strong_digits(uint64_t n)
{
    uint64_t d = (n - 1) >> __builtin_ctzll(n - 1);
    int count = (63 - __builtin_clzll(d)) / DIGIT_BITS + 1;
    uint64_t ones = UINT64_C(0x1041041041041041) >> (60 - DIGIT_BITS * (count - 1));
    bool fewer = d < ones;
    return (struct digits){d - (ones >> (fewer ? DIGIT_BITS : 0)), count - fewer};
}

/* x / 2^digit modulo n, for the digit at the given place; places in front of the first digit keep x. */
static inline uint64_t strong_shift(uint64_t x, struct digits digits, int place, uint64_t n, uint64_t inverse)
{
    int less = digits.low >> DIGIT_BITS * place & 63;
    uint64_t shifted = reduce(x >> 1 >> less, x << (63 - less), n, inverse);
    return place < digits.count ? shifted : x;
}

/* The verdict when x is 2^-d; one is R mod n. */
static inline bool strong_verdict(uint64_t x, uint64_t n, uint64_t inverse, uint64_t one)
{
    if (x == one)
        return true;
    for (int twos = __builtin_ctzll(n - 1); twos > 1 && x != n - one; twos--)
        x = square(x, n, inverse);
    return x == n - one;
}

#endif
