/* The strong test and the extra strong Lucas test for n < 2^50, in double precision, four numbers a vector.

   a b = h + l exactly with h = fl(a b) and l = fma(a, b, -h); with q = h / n rounded to an integer, a b - q n
   is (h - q n) + l. These are six instructions, four of them on the multipliers, where a two-digit Montgomery
   product of AVX2's 32-bit multiplications takes 32 or more: below 2^50 this is three to four times as fast.

   Why it is exact. Let n < 2^50 and let a and b be integers with |a b| <= 2 n^2, so that |a b| < 2^101 and
   |a b / n| < 2^51. Let u = 2^-53.
   - `inverse` is (1 + d) / n and h is a b (1 + e) with |d|, |e| <= u. fma(h, inverse, 3 * 2^51) rounds the
     exact h * inverse once, and to a multiple of 1, since the sum is in [2^52, 2^53]. Hence
         |a b - q n| <= n (1/2 + |a b| / n (2 u + u^2)).                                             (1)
   - As n <= 2^50 - 1, the last term is at most (2^51 - 2) (2^-52 + 2^-106) < 1/2: |a b - q n| < n.
   - l is an integer, |l| <= 2^101 u = 2^48, and h - q n = (a b - q n) - l is an integer below 2^51 in
     absolute value. So the fma that computes it and the sums with l and a constant of up to 2^50 are exact.

   The strong test multiplies a and 2 a, or a and a, |a| < n, and the results are again below n. For n < 2^32
   its base is below 2^16, |a b| <= 2^16 n^2 < 2^80 and |a b / n| < 2^48: by (1) the results are at most
   n (1/2 + 2^-4 + 2^-58). The Lucas test multiplies |a|, |b| <= 0.6 n and subtracts c = 2 or c = P < n^(1/2)
   (see avx2_parameter.h), n > 2^32: by (1) the results are at most n (1/2 + 0.36 / 4 + 2^-16 + 2^-50),
   again below 0.6 n.

   All this holds in the default rounding mode. All values are integers below 2^102 or inverses of some:
   nothing overflows, underflows or is invalid. The only floating-point flag raised is `inexact`, which NumPy
   ignores. */
#ifndef PRIMERACE_AVX2_DOUBLE_H
#define PRIMERACE_AVX2_DOUBLE_H

#include "../tables.h"
#include "avx2_parameter.h"

/* Chains side by side: each waits some 20 cycles for a step that keeps the multipliers busy for 2 or 3. */
enum { STRONG_50_VECTORS = 8, LUCAS_50_VECTORS = 6 };

struct field {
    __m256d n, inverse;
};

static inline AVX2 __m256d splat_double(double x)
{
    return _mm256_set1_pd(x);
}

/* Exact below 2^52: the representation of 2^52 + x is that of 2^52 with x as the significand. */
static inline AVX2 __m256d to_double(__m256i x)
{
    __m256d power = splat_double(0x1p52);
    return _mm256_sub_pd(_mm256_or_pd(_mm256_castsi256_pd(x), power), power);
}

static inline AVX2 struct field field_of(const uint64_t n[4])
{
    __m256d modulus = to_double(load(n));
    return (struct field){modulus, _mm256_div_pd(splat_double(1), modulus)};
}

/* A number congruent to a b - c. */
static inline AVX2 __m256d multiply_subtract(__m256d a, __m256d b, __m256d c, const struct field *f)
{
    __m256d integers = splat_double(0x1.8p52);
    __m256d high = _mm256_mul_pd(a, b), low = _mm256_fmsub_pd(a, b, high);
    __m256d quotient = _mm256_sub_pd(_mm256_fmadd_pd(high, f->inverse, integers), integers);
    return _mm256_add_pd(_mm256_fnmadd_pd(quotient, f->n, high), _mm256_sub_pd(low, c));
}

static inline AVX2 __m256d multiply(__m256d a, __m256d b, const struct field *f)
{
    return multiply_subtract(a, b, _mm256_setzero_pd(), f);
}

static inline AVX2 __m256d equal(__m256d a, __m256d b)
{
    return _mm256_cmp_pd(a, b, _CMP_EQ_OQ);
}

/* The set of the lanes where the mask is set, as vector v of its group. */
static inline AVX2 uint32_t lanes_of(__m256d mask, int v)
{
    return (uint32_t)_mm256_movemask_pd(mask) << 4 * v;
}

/* Is x, |x| < n, congruent to c, 0 < c < n? */
static inline AVX2 __m256d congruent(__m256d x, __m256d c, const struct field *f)
{
    return _mm256_or_pd(equal(x, c), equal(x, _mm256_sub_pd(c, f->n)));
}

static inline AVX2 __m256d is_minus_one(__m256d x, const struct field *f)
{
    return congruent(x, _mm256_sub_pd(f->n, splat_double(1)), f);
}

/* x times the base where the sign of the bits is set. */
static inline AVX2 __m256d raise(__m256d x, __m256d base, __m256i bits)
{
    return _mm256_mul_pd(x, _mm256_blendv_pd(splat_double(1), base, _mm256_castsi256_pd(bits)));
}

/* The same for base 2 leaves the multipliers alone: 1 is added to the exponent of x, which is not 0. */
static inline AVX2 __m256d raise_2(__m256d x, __m256i bits)
{
    __m256i one = _mm256_and_si256(_mm256_srli_epi64(bits, 11), splat(UINT64_C(1) << 52));
    return _mm256_castsi256_pd(_mm256_add_epi64(_mm256_castpd_si256(x), one));
}

/* The strong test, given power[] = base^(e.odd >> bits). */
static inline AVX2 uint32_t strong_double(const uint64_t *n, const __m256d *base, __m256d *power,
                                          const struct exponents *e, int bits)
{
    struct field f[STRONG_50_VECTORS];
    __m256i exponent[STRONG_50_VECTORS];
    __m256d one = splat_double(1);
    for (int v = 0; v < STRONG_50_VECTORS; v++) {
        f[v] = field_of(n + 4 * v);
        exponent[v] = _mm256_sll_epi64(load(e->odd + 4 * v), _mm_cvtsi32_si128(64 - bits));
    }
    for (int i = 0; i < bits; i++) {
#pragma GCC unroll 8
        for (int v = 0; v < STRONG_50_VECTORS; v++) {
            __m256d raised = base ? raise(power[v], base[v], exponent[v]) : raise_2(power[v], exponent[v]);
            power[v] = multiply(power[v], raised, &f[v]);
            exponent[v] = _mm256_add_epi64(exponent[v], exponent[v]);
        }
    }

    uint32_t passed = 0;
    for (int v = 0; v < STRONG_50_VECTORS; v++)
        passed |= lanes_of(_mm256_or_pd(congruent(power[v], one, &f[v]), is_minus_one(power[v], &f[v])), v);
    uint32_t open = first_lanes(4 * STRONG_50_VECTORS) & ~passed;
    for (int twos = 1; open &= ~e->lanes_with[twos]; twos++) {
        for (int v = 0; v < STRONG_50_VECTORS; v++) {
            power[v] = multiply(power[v], power[v], &f[v]);
            passed |= lanes_of(is_minus_one(power[v], &f[v]), v) & open;
        }
    }
    return passed;
}

/* n < 2^32 without a prime factor up to 13: prime exactly if it passes with the base of the table. */
static AVX2 uint32_t strong_32(const uint64_t *n)
{
    struct exponents e = exponents_of(n, 4 * STRONG_50_VECTORS, -1);
    double bases[4 * STRONG_50_VECTORS];
    for (int i = 0; i < 4 * STRONG_50_VECTORS; i++)
        bases[i] = base_32((uint32_t)n[i]);
    __m256d base[STRONG_50_VECTORS], power[STRONG_50_VECTORS];
    for (int v = 0; v < STRONG_50_VECTORS; v++) {
        base[v] = _mm256_loadu_pd(bases + 4 * v);
        power[v] = splat_double(1);
    }
    return strong_double(n, base, power, &e, e.bits);
}

/* 2^32 < n < 2^50, base 2. The first five bits k of the exponent come free: k + 1023 is the exponent of the
   double 2^k. */
static AVX2 uint32_t strong_50(const uint64_t *n)
{
    struct exponents e = exponents_of(n, 4 * STRONG_50_VECTORS, -1);
    int bits = e.bits > 5 ? e.bits - 5 : 0;
    __m256d power[STRONG_50_VECTORS];
    for (int v = 0; v < STRONG_50_VECTORS; v++) {
        __m256i first = _mm256_srl_epi64(load(e.odd + 4 * v), _mm_cvtsi32_si128(bits));
        power[v] = _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_add_epi64(first, splat(1023)), 52));
    }
    return strong_double(n, NULL, power, &e, bits);
}

/* What a vector of the Lucas test holds; the names are those of ../lucas.h. */
struct lucas_chains_50 {
    __m256d squared, multiplied, p;
    __m256i swaps;
};

static inline AVX2 void lucas_step_50(struct lucas_chains_50 *c, const struct field *f)
{
    __m256d x = _mm256_blendv_pd(c->squared, c->multiplied, _mm256_castsi256_pd(c->swaps));
    c->multiplied = multiply_subtract(c->squared, c->multiplied, c->p, f);
    c->squared = multiply_subtract(x, x, splat_double(2), f);
    c->swaps = _mm256_add_epi64(c->swaps, c->swaps);
}

/* Is V_d = 2 e and V_(d+1) = P e with e = 1 or -1? */
static inline AVX2 uint32_t lucas_verdict_50(const struct lucas_chains_50 *c, const struct field *f, int v)
{
    __m256d two = splat_double(2), minus_two = _mm256_sub_pd(f->n, two), minus_p = _mm256_sub_pd(f->n, c->p);
    __m256d plus = _mm256_and_pd(congruent(c->multiplied, two, f), congruent(c->squared, c->p, f));
    __m256d minus = _mm256_and_pd(congruent(c->multiplied, minus_two, f), congruent(c->squared, minus_p, f));
    return lanes_of(_mm256_or_pd(plus, minus), v);
}

/* The extra strong Lucas test for 2^32 < n < 2^50, from k = 0 on. */
static AVX2 uint32_t lucas_50(const uint64_t *n)
{
    struct exponents e = exponents_of(n, 4 * LUCAS_50_VECTORS, 1);
    struct field f[LUCAS_50_VECTORS];
    struct lucas_chains_50 c[LUCAS_50_VECTORS];
    uint32_t p[4 * LUCAS_50_VECTORS];
    uint32_t open = choose_parameters(n, 4 * LUCAS_50_VECTORS, p), passed = 0;
    for (int v = 0; v < LUCAS_50_VECTORS; v++) {
        __m256i order = _mm256_sll_epi64(load(e.odd + 4 * v), _mm_cvtsi32_si128(64 - e.bits));
        f[v] = field_of(n + 4 * v);
        c[v].swaps = _mm256_xor_si256(order, _mm256_srli_epi64(order, 1));
        c[v].squared = splat_double(2);
        c[v].multiplied = c[v].p = _mm256_cvtepi32_pd(_mm_loadu_si128((const __m128i *)(p + 4 * v)));
    }
    for (int i = 0; i < e.bits; i++) {
#pragma GCC unroll 8
        for (int v = 0; v < LUCAS_50_VECTORS; v++)
            lucas_step_50(&c[v], &f[v]);
    }

    for (int v = 0; v < LUCAS_50_VECTORS; v++)
        passed |= lucas_verdict_50(&c[v], &f[v], v) & open;
    open &= ~passed;
    for (int twos = 1; open &= ~e.lanes_with[twos]; twos++) {
        for (int v = 0; v < LUCAS_50_VECTORS; v++) {
            passed |= lanes_of(equal(c[v].multiplied, _mm256_setzero_pd()), v) & open;
            c[v].multiplied = multiply_subtract(c[v].multiplied, c[v].multiplied, splat_double(2), &f[v]);
        }
    }
    return passed;
}

#endif
