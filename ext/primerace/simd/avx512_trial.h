/* Trial division of vectors of numbers by the small odd primes.

   p divides x < 2^52 exactly if x / p modulo 2^52, one multiplication, is at most (2^52 - 1) / p. The sum
   of that multiplication takes the comparison along: it starts from the complement of the limit, so that
   its sign tells. Numbers of 64 bits are first folded to 52, once for as many primes as have a product
   below 2^38. */
#ifndef PRIMERACE_AVX512_TRIAL_H
#define PRIMERACE_AVX512_TRIAL_H

#include "avx512_montgomery.h"

#include "../tables.h"

enum { TRIAL_VECTORS = 8, TRIAL_GROUP = 8 * TRIAL_VECTORS };

/* Consecutive primes of small_primes, an even number of them. */
struct prime_group {
    int end;          /* the index after the last one */
    uint64_t residue; /* 2^51 modulo the product, which is below 2^38 */
};

#define RESIDUE(product) ((UINT64_C(1) << 51) % (product))

enum { PRIME_GROUPS = 9 };

static const struct prime_group prime_groups[PRIME_GROUPS] = {
    {10, RESIDUE(UINT64_C(3) * 5 * 7 * 11 * 13 * 17 * 19 * 23 * 29 * 31)},
    {16, RESIDUE(UINT64_C(37) * 41 * 43 * 47 * 53 * 59)},
    {22, RESIDUE(UINT64_C(61) * 67 * 71 * 73 * 79 * 83)},
    {26, RESIDUE(UINT64_C(89) * 97 * 101 * 103)},
    {30, RESIDUE(UINT64_C(107) * 109 * 113 * 127)},
    {34, RESIDUE(UINT64_C(131) * 137 * 139 * 149)},
    {38, RESIDUE(UINT64_C(151) * 157 * 163 * 167)},
    {42, RESIDUE(UINT64_C(173) * 179 * 181 * 191)},
    {46, RESIDUE(UINT64_C(193) * 197 * 199 * 211)},
};

/* x modulo a product of primes, up to a multiple of it: 2^51 is replaced by its residue. With 13 bits above
   2^51 the sum is below 2^51 + 2^13 2^38 = 2^52. */
INLINE u64x8 fold(u64x8 x, uint64_t residue)
{
    u64x8 high = _mm512_srli_epi64(x, 51), low = _mm512_and_si512(x, all((UINT64_C(1) << 51) - 1));
    return multiply_low(low, high, all(residue));
}

/* Negative where p divides x < 2^52. */
INLINE u64x8 divides(const struct small_prime *p, u64x8 x)
{
    return multiply_low(all(~(p->limit >> 12)), x, all(p->inverse));
}

/* Sets the sign of divided[v] where one of the primes of these groups divides x[v]. */
INLINE void divide_by_groups(const u64x8 *x, u64x8 *divided, int first, int end)
{
    enum { vectors = TRIAL_VECTORS, OR = 0xfe };
    int p = first ? prime_groups[first - 1].end : 0;
    for (int group = first; group < end; group++) {
        u64x8 folded[TRIAL_VECTORS];
        EACH_VECTOR
            folded[v] = fold(x[v], prime_groups[group].residue);
        for (; p < prime_groups[group].end; p += 2) {
            const struct small_prime *a = &small_primes[p], *b = &small_primes[p + 1];
            EACH_VECTOR
                divided[v] = _mm512_ternarylogic_epi64(divided[v], divides(a, folded[v]),
                                                       divides(b, folded[v]), OR);
        }
    }
}

#endif
