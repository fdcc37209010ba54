/* Trial division by the first odd primes, and the numbers that it settles. */
#ifndef PRIMERACE_TRIAL_H
#define PRIMERACE_TRIAL_H

#include "tables.h"

enum { TINY = 128, TRIAL_PRIMES = 30 }; /* the odd primes below TINY */

static inline bool divides(const struct small_prime *p, uint64_t n)
{
    return n * p->inverse <= p->limit;
}

/* Does one of the primes from index `first` up to, not including, `end` divide n? No branch depends on n. */
static inline bool any_divides(int first, int end, uint64_t n)
{
    bool any = false;
    for (int i = first; i < end; i++)
        any |= divides(&small_primes[i], n);
    return any;
}

/* In groups that double: most numbers stop early, and the branch predictor has little to miss. */
static inline bool has_small_factor(uint64_t n)
{
    return any_divides(0, 1, n) || any_divides(1, 2, n) || any_divides(2, 4, n) || any_divides(4, 8, n) ||
           any_divides(8, 16, n) || any_divides(16, TRIAL_PRIMES, n);
}

#endif
