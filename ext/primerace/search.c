/* The search for the next prime.

   Near 2^64 one odd number in 22 is prime, and trial division leaves five of the 22. All but the last one
   fail the strong test, so that the speculation of single.c, which begins the Lucas test along with it, does
   not pay. Four strong tests are interleaved instead, and what passes takes the Lucas test alone: 1.4 times
   as fast as one number after another, which is best for small numbers. */
#include "search.h"
#include "isprime.h"
#include "lanes.h"
#include "lucas.h"
#include "trial.h"

enum { LANES = 4 };

/* The first prime and the next three candidates are no farther than MARGIN: all primes above TINY are
   candidates, and below 2^64 they are at most 1550 apart (OEIS A005250). */
enum { MARGIN = 1 << 13 };

/* Collects the next candidates from n on and returns where they end. */
static uint64_t collect(uint64_t n, int64_t step, struct candidate *c)
{
    for (int count = 0; count < LANES; n += (uint64_t)step)
        if (!has_small_factor(n))
            c[count++] = candidate_of(n);
    return n;
}

static bool lucas_test(const struct candidate *c)
{
    uint64_t p = lucas_parameter(c->n);
    if (p == 0)
        return false;
    int steps = lucas_steps(c->n);
    struct lucas_chain chain = lucas_start(p, c->n, c->one, steps);
    for (; steps > 0; steps--)
        lucas_step(&chain, c->n, c->inverse);
    return lucas_verdict(&chain, c->n, c->inverse);
}

static uint64_t first_large_prime(uint64_t n, int64_t step)
{
    for (;;) {
        struct candidate candidates[LANES];
        uint8_t passes[LANES];
        n = collect(n, step, candidates);
        strong_tests(LANES, candidates, passes);
        for (int i = 0; i < LANES; i++)
            if (passes[i] && lucas_test(&candidates[i]))
                return candidates[i].n;
    }
}

uint64_t first_prime(uint64_t n, int64_t step)
{
    while (n >> 32 == 0 || n > UINT64_MAX - MARGIN) {
        if (is_prime_64(n))
            return n;
        n += (uint64_t)step;
    }
    return first_large_prime(n, step);
}
