/* The strong test with base 2 of several numbers side by side. All take as many digits of the exponent as the
   longest needs; the others begin with zeros, which change nothing. */
#ifndef PRIMERACE_LANES_H
#define PRIMERACE_LANES_H

#include "montgomery.h"
#include "strong.h"

enum { MOST_LANES = 8 };

struct candidate {
    uint64_t n, inverse, one;
};

static inline struct candidate candidate_of(uint64_t n)
{
    return (struct candidate){n, inverse_of(n), one_of(n)};
}

static inline int max(int a, int b)
{
    return a > b ? a : b;
}

/* Inlined where `lanes` is a constant, so that the compiler unrolls the loops over lanes. */
__attribute__((always_inline)) static inline void strong_tests(int lanes, const struct candidate *c,
                                                               uint8_t *passes)
{
    struct digits digits[MOST_LANES];
    uint64_t x[MOST_LANES];
    int places = 0;
    for (int i = 0; i < lanes; i++) {
        digits[i] = strong_digits(c[i].n);
        places = max(places, digits[i].count);
    }
    for (int i = 0; i < lanes; i++)
        x[i] = strong_shift(c[i].one, digits[i], places - 1, c[i].n, c[i].inverse);
    for (int place = places - 2; place >= 0; place--) {
        for (int bit = 0; bit < DIGIT_BITS; bit++)
            for (int i = 0; i < lanes; i++)
                x[i] = square(x[i], c[i].n, c[i].inverse);
        for (int i = 0; i < lanes; i++)
            x[i] = strong_shift(x[i], digits[i], place, c[i].n, c[i].inverse);
    }
    for (int i = 0; i < lanes; i++)
        passes[i] = strong_verdict(x[i], c[i].n, c[i].inverse, c[i].one);
}

#endif
