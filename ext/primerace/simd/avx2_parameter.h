/* The parameter P of the Lucas test for eight numbers at a time: the first P = 3, 4, 5, ... for which the
   Jacobi symbol of P^2 - 4 and n is -1.

   P^2 - 4 = (P - 2)(P + 2), and when a P is tried the symbols of all primes seen before are 1, so that one
   new prime q decides for each:
       P   3   4   5   6   9   11   15   17     (7, 8, 10, 12, 13, 14, 16 have only primes seen before)
       D   5  12  21  32  77  117  221  285
       q   5   3   7   2  11   13   17   19
   This settles all but one n in 256, which are left to the scalar search. By reciprocity the symbol (q/n) of
   an odd prime q is (n/q), negated if q = n = 3 (mod 4).

   P is below the root of n: let q > 3 be the least prime with (q/n) = -1, where no smaller prime divides n,
   and m = ceil(n / q). The primes in 0 < m q - n < q have symbol 1, so (m/n) = (q/n) (m q - n / n) = -1,
   m >= q and q^2 < n + q. And P <= q - 2, as its D is (q - 4) q.

   (n/q) without a division: as in trial division the 16-bit digits of n give a w congruent to n, and
   w < 2^17 q + q < 2^22. With C = ceil(2^32 / q), w C mod 2^32 exceeds r 2^32 / q, where r = w mod q, by less
   than w. Its top five bits are floor(32 r / q): the fractional part of 32 r / q is at most 1 - 1/19, and the
   error, w / 2^27 < 1/32, does not carry. As 32 / q > 1 they are different for each r and select a bit of a
   word that holds the symbols: seven instructions for eight numbers. */
#ifndef PRIMERACE_AVX2_PARAMETER_H
#define PRIMERACE_AVX2_PARAMETER_H

#include "../lucas.h"
#include "avx2_trial.h"

struct symbol {
    struct modulus q;
    uint32_t reciprocal, nonresidues;
};

#define BIT(r, q) (0x80000000u >> 32 * (r) / (q))
#define SYMBOL(q, nonresidues) {MODULUS(q##u), UINT32_MAX / q + 1, nonresidues}

static const struct symbol symbol_3 = SYMBOL(3, BIT(2, 3));
static const struct symbol symbol_5 = SYMBOL(5, BIT(2, 5) | BIT(3, 5));
static const struct symbol symbol_7 = SYMBOL(7, BIT(3, 7) | BIT(5, 7) | BIT(6, 7));
static const struct symbol symbol_11 =
    SYMBOL(11, BIT(2, 11) | BIT(6, 11) | BIT(7, 11) | BIT(8, 11) | BIT(10, 11));
static const struct symbol symbol_13 =
    SYMBOL(13, BIT(2, 13) | BIT(5, 13) | BIT(6, 13) | BIT(7, 13) | BIT(8, 13) | BIT(11, 13));
static const struct symbol symbol_17 =
    SYMBOL(17, BIT(3, 17) | BIT(5, 17) | BIT(6, 17) | BIT(7, 17) | BIT(10, 17) | BIT(11, 17) | BIT(12, 17) |
                   BIT(14, 17));
static const struct symbol symbol_19 =
    SYMBOL(19, BIT(2, 19) | BIT(3, 19) | BIT(8, 19) | BIT(10, 19) | BIT(12, 19) | BIT(13, 19) | BIT(14, 19) |
                   BIT(15, 19) | BIT(18, 19));

#undef BIT
#undef SYMBOL

/* The sign of each 32-bit lane tells whether (n/q) is -1. */
static inline AVX2 __m256i nonresidue(struct digits_16 n, const struct symbol *s)
{
    __m256i fraction = _mm256_mullo_epi32(residue_plus(0, n, &s->q), splat_32(s->reciprocal));
    return _mm256_sllv_epi32(splat_32(s->nonresidues), _mm256_srli_epi32(fraction, 27));
}

/* p where the sign of the lane is set, otherwise the old one. */
static inline AVX2 __m256i choose(__m256i old, uint32_t p, __m256i sign)
{
    __m256 chosen = _mm256_castsi256_ps(splat_32(p));
    return _mm256_castps_si256(_mm256_blendv_ps(_mm256_castsi256_ps(old), chosen, _mm256_castsi256_ps(sign)));
}

static inline AVX2 __m256i parameters_to_17(struct digits_16 n)
{
    __m256i is_3_mod_4 = _mm256_slli_epi32(n.low, 30);
    __m256i is_3_or_5_mod_8 = _mm256_slli_epi32(_mm256_xor_si256(n.low, _mm256_slli_epi32(n.low, 1)), 29);
    __m256i p = _mm256_setzero_si256();
    p = choose(p, 17, _mm256_xor_si256(nonresidue(n, &symbol_19), is_3_mod_4));
    p = choose(p, 15, nonresidue(n, &symbol_17));
    p = choose(p, 11, nonresidue(n, &symbol_13));
    p = choose(p, 9, _mm256_xor_si256(nonresidue(n, &symbol_11), is_3_mod_4));
    p = choose(p, 6, is_3_or_5_mod_8);
    p = choose(p, 5, _mm256_xor_si256(nonresidue(n, &symbol_7), is_3_mod_4));
    p = choose(p, 4, _mm256_xor_si256(nonresidue(n, &symbol_3), is_3_mod_4));
    return choose(p, 3, nonresidue(n, &symbol_5));
}

/* p[i] becomes the parameter of n[i], which has no prime factor up to 23, for i < lanes, a multiple of 8.
   Returns the set of those that have one; the others, squares for instance, are composite. */
static inline AVX2 uint32_t choose_parameters(const uint64_t *n, int lanes, uint32_t *p)
{
    uint32_t found = 0;
    for (int i = 0; i < lanes; i += 8)
        _mm256_storeu_si256((__m256i *)(p + i), parameters_to_17(digits_of(n + i)));
    for (int i = 0; i < lanes; i++) {
        if (p[i] == 0)
            p[i] = (uint32_t)large_lucas_parameter(n[i]);
        found |= (uint32_t)(p[i] != 0) << i;
    }
    return found;
}

#endif
