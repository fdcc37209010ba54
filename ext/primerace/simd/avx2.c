/* The block function for processors with AVX2 and FMA.

   Four numbers of five fall to trial division and most of the rest to the first test, so the numbers go by
   stages, each of which packs what it can not settle for the next one: all stages work on full vectors. The
   tests differ with the size of n: double precision below 2^50 (avx2_double.h), Montgomery arithmetic in
   32-bit digits above (avx2_montgomery.h). Each test interleaves the chains of several vectors, because one
   chain would wait for its own results most of the time.

   Of the time of the portable block, random odd 32-bit numbers take a quarter, 50-bit primes a fifth, random
   odd 64-bit numbers 0.55 and 64-bit primes 0.7 (measured on Zen 4). */
#if defined(__x86_64__)
#include "../interleaved.h"
#include "../isprime.h"
#include "avx2_double.h"
#include "avx2_montgomery.h"
#include "avx2_trial.h"
#include "avx2_vector.h"

#include <string.h>

enum {
    SMALL_BLOCK = 8, /* Up to here the portable block is as fast. */
    SINGLES = 3,     /* Up to here one number after another beats the interleaved scalar tests, */
    MOST_FEW = 14,   /* and up to here these beat the vector tests of 64-bit numbers. */
};

/* The set of those of n[0..lanes-1] that pass. A group of vectors takes the same time however empty it is, so
   `few` numbers are left to the scalar tests. */
struct test {
    uint32_t (*passing)(const uint64_t *n);
    size_t lanes, few;
};

/* What the numbers from 2^low_bits to 2^high_bits undergo. The costlier the tests, the further trial division
   pays. */
static const struct range {
    int low_bits, high_bits;
    size_t trial_pairs;
    struct test tests[2];
} ranges[] = {
    {TINY_BITS, 32, 8, {{strong_32, 4 * STRONG_50_VECTORS, SINGLES}}},
    {32, 50, 10, {{strong_50, 4 * STRONG_50_VECTORS, SINGLES}, {lucas_50, 4 * LUCAS_50_VECTORS, SINGLES}}},
    {50, 64, 16, {{strong_64, 4 * STRONG_64_VECTORS, MOST_FEW}, {lucas_64, 4 * LUCAS_64_VECTORS, 7}}},
};

/* The set of the lanes below 2^bits. A shift by 64 gives 0. */
static inline AVX2 unsigned below(__m256i x, int bits)
{
    __m256i rest = _mm256_srl_epi64(x, _mm_cvtsi32_si128(bits));
    return signs(_mm256_cmpeq_epi64(rest, _mm256_setzero_si256()));
}

static inline AVX2 unsigned within(__m256i x, const struct range *r)
{
    return below(x, r->high_bits) & ~below(x, r->low_bits);
}

static inline AVX2 unsigned odd(__m256i x)
{
    return signs(_mm256_slli_epi64(x, 63));
}

/* Settles the tiny ones of n[0..7] and appends the odd ones without a small factor. */
static inline AVX2 void filter_8(const uint64_t n[8], size_t index, struct candidates *open, uint8_t *prime)
{
    __m256i a = load(n), b = load(n + 4), position = plus(splat(index), _mm256_setr_epi64x(0, 1, 2, 3));
    unsigned tiny = below(a, TINY_BITS) | below(b, TINY_BITS) << 4;
    unsigned kept = (odd(a) | odd(b) << 4) & coprime_to_23(n) & ~tiny;
    append(open, a, position, kept & 15);
    append(open, b, plus(position, splat(4)), kept >> 4);
    for (; tiny; tiny &= tiny - 1) {
        int i = __builtin_ctz(tiny);
        prime[index + i] = is_prime_64(n[i]);
    }
}

static AVX2 void filter(const uint64_t *n, size_t count, struct candidates *open, uint8_t *prime)
{
    size_t i = 0;
    open->count = 0;
    for (; i + 8 <= count; i += 8)
        filter_8(n + i, i, open, prime);
    if (i < count) {
        uint64_t rest[8] = {0};
        memcpy(rest, n + i, (count - i) * sizeof *n);
        filter_8(rest, i, open, prime);
    }
}

/* Fills the last group: a whole number of groups is tested. */
static inline void pad(struct candidates *list, uint64_t n)
{
    for (size_t i = 0; i < MOST_LANES; i++)
        list->n[list->count + i] = n;
}

/* Appends to `part` the numbers within the range that have no factor among the next primes. `open` is padded
   with 0. */
static AVX2 void sift(const struct candidates *open, const struct range *r, struct candidates *part)
{
    part->count = 0;
    for (size_t i = 0; i < open->count; i += 8) {
        __m256i a = load(open->n + i), b = load(open->n + i + 4);
        unsigned kept = within(a, r) | within(b, r) << 4;
        if (kept)
            kept &= coprime_above_23(open->n + i, r->trial_pairs);
        append(part, a, load(open->index + i), kept & 15);
        append(part, b, load(open->index + i + 4), kept >> 4);
    }
}

static AVX2 void keep_passing(struct candidates *list, const struct test *test)
{
    size_t count = list->count;
    pad(list, list->n[0]);
    list->count = 0;
    for (size_t i = 0; i < count; i += test->lanes) {
        uint32_t passing = test->passing(list->n + i);
        if (count - i < test->lanes)
            passing &= first_lanes(count - i);
        for (size_t j = 0; j < test->lanes; j += 4)
            append(list, load(list->n + i + j), load(list->index + i + j), passing >> j & 15);
    }
}

static void test_few(const struct candidates *part, uint8_t *prime)
{
    uint8_t passed[MOST_FEW];
    if (part->count > SINGLES)
        baillie_psw_tests(part->n, part->count, passed);
    else
        for (size_t i = 0; i < part->count; i++)
            passed[i] = is_prime_64(part->n[i]);
    for (size_t i = 0; i < part->count; i++)
        prime[part->index[i]] = passed[i];
}

static AVX2 void run_tests(struct candidates *part, const struct test tests[2], uint8_t *prime)
{
    for (int i = 0; i < 2 && tests[i].passing; i++) {
        if (part->count <= tests[i].few) {
            test_few(part, prime);
            return;
        }
        keep_passing(part, &tests[i]);
    }
    for (size_t i = 0; i < part->count; i++)
        prime[part->index[i]] = 1;
}

static AVX2 void block_chunk(const uint64_t *n, size_t count, uint8_t *out)
{
    struct candidates open, part;
    uint8_t prime[CHUNK + 8];
    memset(prime, 0, count + 8);
    filter(n, count, &open, prime);
    pad(&open, 0);
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        sift(&open, &ranges[i], &part);
        run_tests(&part, ranges[i].tests, prime);
    }
    memcpy(out, prime, count);
}

void block_avx2(const uint64_t *n, size_t count, uint8_t *out)
{
    if (count <= SMALL_BLOCK) {
        block_scalar(n, count, out);
        return;
    }
    for (size_t i = 0; i < count; i += CHUNK)
        block_chunk(n + i, count - i < CHUNK ? count - i : CHUNK, out + i);
}

#endif
