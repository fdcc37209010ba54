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

#endif
