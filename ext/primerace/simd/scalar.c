/* The block function that runs everywhere. Nine numbers of ten fall to trial division, so it goes by stages,
   each of which keeps only what the next one needs: no branch depends on a number, and the costly tests run
   on full groups of survivors (interleaved.c). Compared with one number after another, random numbers take
   half the time, composites without small factors a third, and primes nine tenths: the tests of a single
   prime fill the pipelines by themselves. */
#include "../interleaved.h"
#include "../isprime.h"
#include "../trial.h"

#include <string.h>

enum { CHUNK = 512, FIRST_PRIMES = 8 };

/* Up to this many numbers, or survivors of trial division, take less time one by one than in groups. */
enum { FEW = 16, FEW_SURVIVORS = 4 };

struct survivors {
    uint64_t n[CHUNK];
    uint16_t index[CHUNK];
    size_t count;
};

static inline void keep(struct survivors *s, uint64_t n, uint16_t index, bool condition)
{
    s->n[s->count] = n;
    s->index[s->count] = index;
    s->count += condition;
}

/* Settles the tiny numbers; keeps the other odd ones that none of the first odd primes divides. */
static void filter(const uint64_t *n, size_t count, bool *prime, struct survivors *kept)
{
    kept->count = 0;
    for (size_t i = 0; i < count; i++) {
        prime[i] = n[i] < TINY && is_tiny_prime(n[i]);
        keep(kept, n[i], i, n[i] % 2 && n[i] >= TINY && !any_divides(0, FIRST_PRIMES, n[i]));
    }
}

/* The rest of trial division, and the split by the test that comes next. */
static void sift(const struct survivors *kept, struct survivors *small, struct survivors *large)
{
    small->count = large->count = 0;
    for (size_t i = 0; i < kept->count; i++) {
        uint64_t n = kept->n[i];
        bool survives = !any_divides(FIRST_PRIMES, TRIAL_PRIMES, n);
        keep(small, n, kept->index[i], survives && !(n >> 32));
        keep(large, n, kept->index[i], survives && n >> 32);
    }
}

static void one_by_one(const uint64_t *n, size_t count, uint8_t *prime)
{
    for (size_t i = 0; i < count; i++)
        prime[i] = is_prime_64(n[i]);
}

typedef void tests_function(const uint64_t *n, size_t count, uint8_t *prime);

static void test(tests_function *tests, const struct survivors *s, uint8_t *out)
{
    uint8_t prime[CHUNK];
    (s->count > FEW_SURVIVORS ? tests : one_by_one)(s->n, s->count, prime);
    for (size_t i = 0; i < s->count; i++)
        out[s->index[i]] = prime[i];
}

static void block_chunk(const uint64_t *n, size_t count, uint8_t *out)
{
    struct survivors kept, small, large;
    bool prime[CHUNK];
    filter(n, count, prime, &kept);
    sift(&kept, &small, &large);
    memcpy(out, prime, count);
    test(strong_tests_32, &small, out);
    test(baillie_psw_tests, &large, out);
}

void block_scalar(const uint64_t *n, size_t count, uint8_t *out)
{
    if (count <= FEW)
        one_by_one(n, count, out);
    else
        for (size_t i = 0; i < count; i += CHUNK)
            block_chunk(n + i, count - i < CHUNK ? count - i : CHUNK, out + i);
}
