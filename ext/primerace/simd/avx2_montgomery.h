/* The strong test and the extra strong Lucas test for 2^50 < n < 2^64, four numbers a vector: Montgomery
   arithmetic with radix R = 2^64 in two 32-bit digits, the size of AVX2's multiplications.

   A product takes 10 multiplications and some 25 other instructions for four numbers, about 9 cycles, where
   four scalar products keep the only multiplier of most processors busy for 12 cycles and take 20 in
   practice.

   It is the subtractive form of ../montgomery.h, digit by digit: with T = a b = x R + t1 2^32 + t0 and
   n * inverse = 1 (mod 2^32),
       m0 = t0 inverse mod 2^32 makes T - m0 n divisible by 2^32: t0 cancels with the low digit of m0 n;
       m1 = (the next digit of T - m0 n) inverse mod 2^32 makes T - (m0 + m1 2^32) n divisible by R.
   The result is x - y, y = floor((m0 + m1 2^32) n / R), both in [0, n): one conditional addition of n ends
   it. A product of two digits plus two digits is at most (2^32 - 1)^2 + 2 (2^32 - 1) = 2^64 - 1, so that no
   such sum overflows. A multiplication takes the low digit of a lane, whatever stands above it.

   A constant c < n may be added to T: T + c <= (n - 1)^2 + n - 1 < n R. So a b + c costs two additions more
   than a b, where an addition to the result takes six instructions. */
#ifndef PRIMERACE_AVX2_MONTGOMERY_H
#define PRIMERACE_AVX2_MONTGOMERY_H

#include "avx2_parameter.h"

enum { STRONG_64_VECTORS = 4, LUCAS_64_VECTORS = 4 };

struct ring {
    __m256i n, n_high, inverse;
};

static inline AVX2 __m256i high_digit(__m256i x)
{
    return _mm256_srli_epi64(x, 32);
}

static inline AVX2 __m256i low_digit(__m256i x)
{
    return _mm256_blend_epi32(x, _mm256_setzero_si256(), 0xaa);
}

static inline AVX2 __m256i times(__m256i a, __m256i b)
{
    return _mm256_mul_epu32(a, b);
}

static inline AVX2 __m256i plus(__m256i a, __m256i b)
{
    return _mm256_add_epi64(a, b);
}

static inline AVX2 __m256i minus(__m256i a, __m256i b)
{
    return _mm256_sub_epi64(a, b);
}

/* 3 n ^ 2 is the inverse mod 2^5, and each of Newton's steps doubles the number of right bits. */
static inline AVX2 struct ring ring_of(const uint64_t n[4])
{
    struct ring r = {.n = load(n), .n_high = high_digit(load(n))};
    __m256i x = _mm256_xor_si256(times(r.n, splat(3)), splat(2));
    for (int bits = 5; bits < 32; bits *= 2)
        x = times(x, minus(splat(2), times(r.n, x)));
    r.inverse = x;
    return r;
}

/* x - y mod n for x, y in [0, n). */
static inline AVX2 __m256i difference(__m256i x, __m256i y, const struct ring *r)
{
    __m256i sign = splat(UINT64_C(1) << 63);
    __m256i borrow = _mm256_cmpgt_epi64(_mm256_xor_si256(y, sign), _mm256_xor_si256(x, sign));
    return plus(minus(x, y), _mm256_and_si256(borrow, r->n));
}

/* (x R + t1 2^32 + t0) / R mod n for x in [0, n). Only the low digits of the lanes t1 and t0 count. */
static inline AVX2 __m256i reduce_digits(__m256i x, __m256i t1, __m256i t0, const struct ring *r)
{
    __m256i m0 = times(t0, r->inverse);
    __m256i middle = plus(high_digit(times(m0, r->n)), times(m0, r->n_high));
    __m256i m1 = times(minus(t1, middle), r->inverse);
    __m256i carry = high_digit(plus(low_digit(middle), times(m1, r->n)));
    return difference(x, plus(plus(times(m1, r->n_high), high_digit(middle)), carry), r);
}

/* (a b + c) / R mod n for a, b, c in [0, n), c given as two digits. */
static inline AVX2 __m256i multiply_add(__m256i a, __m256i b, const __m256i c[2], const struct ring *r)
{
    __m256i a_high = high_digit(a), b_high = high_digit(b);
    __m256i bottom = plus(times(a, b), c[0]);
    __m256i middle = plus(plus(high_digit(bottom), times(a, b_high)), c[1]);
    __m256i middle_2 = plus(low_digit(middle), times(a_high, b));
    __m256i top = plus(plus(times(a_high, b_high), high_digit(middle)), high_digit(middle_2));
    return reduce_digits(top, middle_2, bottom, r);
}

static inline AVX2 __m256i square_add(__m256i a, const __m256i c[2], const struct ring *r)
{
    __m256i a_high = high_digit(a), cross = times(a, a_high);
    __m256i bottom = plus(times(a, a), c[0]);
    __m256i middle = plus(plus(high_digit(bottom), cross), c[1]);
    __m256i middle_2 = plus(low_digit(middle), cross);
    __m256i top = plus(plus(times(a_high, a_high), high_digit(middle)), high_digit(middle_2));
    return reduce_digits(top, middle_2, bottom, r);
}

/* Without a constant, the cross product of twice the weight 2^32 is added at once with the weight 2^33:
   floor(a^2 / R) is floor((floor(bottom / 2^33) + cross) / 2^31). Of the middle only the low digit is needed,
   and 2 cross may overflow. */
static inline AVX2 __m256i square_mod(__m256i a, const struct ring *r)
{
    __m256i a_high = high_digit(a), cross = times(a, a_high), bottom = times(a, a);
    __m256i half = plus(_mm256_srli_epi64(bottom, 33), cross);
    __m256i top = plus(times(a_high, a_high), _mm256_srli_epi64(half, 31));
    return reduce_digits(top, plus(plus(cross, cross), high_digit(bottom)), bottom, r);
}

static inline AVX2 __m256i multiply_mod(__m256i a, __m256i b, const struct ring *r)
{
    const __m256i zero[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    return multiply_add(a, b, zero, r);
}

/* a 2^w / R mod n for 1 <= w <= 64, without a multiplication for the product: shifts by 64 give 0. */
static inline AVX2 __m256i shift_mod(__m256i a, __m256i w, const struct ring *r)
{
    __m256i low = _mm256_sllv_epi64(a, w), high = _mm256_srlv_epi64(a, minus(splat(64), w));
    return reduce_digits(high, high_digit(low), low, r);
}

/* c R mod n for an integer c <= 2^16. With q the integer nearest to c R / n as computed, c R - q n is at most
   n (1/2 + e) in absolute value, where e < 2^-20: c R / n is below 2^30, and the relative errors of n as a
   double and of the division are below 2^-52. It is less than 2^63, so that its low 64 bits, those of - q n,
   tell it with its sign: if n (1/2 + e) >= 2^63, then R / n <= 1 + 2 e, so c R / n is within 2 e c < 1/4 of
   the integer c, q = c, and |c R - q n| < n / 4. */
static inline AVX2 __m256i in_montgomery_form(double c, const struct ring *r)
{
    __m256d scale = _mm256_set1_pd(0x1p84), unit = _mm256_set1_pd(0x1p52);
    __m256d integers = _mm256_set1_pd(0x1.8p52);
    __m256d high = _mm256_sub_pd(_mm256_or_pd(_mm256_castsi256_pd(r->n_high), scale), scale);
    __m256d low = _mm256_sub_pd(_mm256_or_pd(_mm256_castsi256_pd(low_digit(r->n)), unit), unit);
    __m256d quotient = _mm256_div_pd(_mm256_set1_pd(c * 0x1p64), _mm256_add_pd(high, low));
    __m256i q = _mm256_castpd_si256(_mm256_add_pd(quotient, integers));
    __m256i multiple = plus(times(q, r->n), _mm256_slli_epi64(times(q, r->n_high), 32));
    __m256i rest = minus(_mm256_setzero_si256(), multiple);
    __m256i negative = _mm256_cmpgt_epi64(_mm256_setzero_si256(), rest);
    return plus(rest, _mm256_and_si256(negative, r->n));
}

/* The set of the lanes where x = y, as vector v of its group. */
static inline AVX2 uint32_t equal_lanes(__m256i x, __m256i y, int v)
{
    return (uint32_t)signs(_mm256_cmpeq_epi64(x, y)) << 4 * v;
}

/* The strong test with base 2. As 1 and -1 are their own inverses, the power is taken of 1/2: six squarings
   and a division by 2^k, k the next six bits of the exponent, take the place of six squarings and doublings.
   Division of a Montgomery form by 2^k is its product with 2^(64 - k), divided by R. */
static AVX2 uint32_t strong_64(const uint64_t *n)
{
    struct exponents e = exponents_of(n, 4 * STRONG_64_VECTORS, -1);
    struct ring r[STRONG_64_VECTORS];
    __m256i one[STRONG_64_VECTORS], power[STRONG_64_VECTORS];
    for (int v = 0; v < STRONG_64_VECTORS; v++) {
        r[v] = ring_of(n + 4 * v);
        power[v] = one[v] = in_montgomery_form(1, &r[v]);
    }
    for (int bits = (e.bits - 1) / 6 * 6;; bits -= 6) {
        for (int v = 0; v < STRONG_64_VECTORS; v++) {
            __m256i k = _mm256_srl_epi64(load(e.odd + 4 * v), _mm_cvtsi32_si128(bits));
            power[v] = shift_mod(power[v], minus(splat(64), _mm256_and_si256(k, splat(63))), &r[v]);
        }
        if (bits == 0)
            break;
        for (int i = 0; i < 6; i++) {
#pragma GCC unroll 8
            for (int v = 0; v < STRONG_64_VECTORS; v++)
                power[v] = square_mod(power[v], &r[v]);
        }
    }

    uint32_t passed = 0;
    for (int v = 0; v < STRONG_64_VECTORS; v++)
        passed |= equal_lanes(power[v], one[v], v) | equal_lanes(power[v], minus(r[v].n, one[v]), v);
    uint32_t open = first_lanes(4 * STRONG_64_VECTORS) & ~passed;
    for (int twos = 1; open &= ~e.lanes_with[twos]; twos++) {
        for (int v = 0; v < STRONG_64_VECTORS; v++) {
            power[v] = square_mod(power[v], &r[v]);
            passed |= equal_lanes(power[v], minus(r[v].n, one[v]), v) & open;
        }
    }
    return passed;
}

/* What a vector of the Lucas test holds, in Montgomery form; the names are those of ../lucas.h. */
struct lucas_chains_64 {
    __m256i squared, multiplied, swaps, two, p;
    __m256i minus_two[2], minus_p[2]; /* -2 R^2 and -P R^2 mod n as digits, for multiply_add */
};

static inline AVX2 struct lucas_chains_64 start_64(__m256i p, __m256i odd, int bits, const struct ring *r)
{
    __m256i order = _mm256_sll_epi64(odd, _mm_cvtsi32_si128(64 - bits));
    __m256i to_16 = in_montgomery_form(0x1p16, r);
    __m256i to_64 = square_mod(square_mod(to_16, r), r); /* 2^64 in Montgomery form, R^2 mod n */
    struct lucas_chains_64 c;
    c.swaps = _mm256_xor_si256(order, _mm256_srli_epi64(order, 1));
    c.squared = c.two = in_montgomery_form(2, r);
    c.multiplied = c.p = multiply_mod(p, to_64, r);
    __m256i minus_two = minus(r->n, multiply_mod(c.two, to_64, r));
    __m256i minus_p = minus(r->n, multiply_mod(c.p, to_64, r));
    c.minus_two[0] = low_digit(minus_two);
    c.minus_two[1] = high_digit(minus_two);
    c.minus_p[0] = low_digit(minus_p);
    c.minus_p[1] = high_digit(minus_p);
    return c;
}

static inline AVX2 void lucas_step_64(struct lucas_chains_64 *c, const struct ring *r)
{
    __m256i x = _mm256_castpd_si256(_mm256_blendv_pd(
        _mm256_castsi256_pd(c->squared), _mm256_castsi256_pd(c->multiplied), _mm256_castsi256_pd(c->swaps)));
    c->multiplied = multiply_add(c->squared, c->multiplied, c->minus_p, r);
    c->squared = square_add(x, c->minus_two, r);
    c->swaps = plus(c->swaps, c->swaps);
}

/* Is V_d = 2 e and V_(d+1) = P e with e = 1 or -1? */
static inline AVX2 uint32_t lucas_verdict_64(const struct lucas_chains_64 *c, const struct ring *r, int v)
{
    __m256i minus_two = minus(r->n, c->two), minus_p = minus(r->n, c->p);
    return (equal_lanes(c->multiplied, c->two, v) & equal_lanes(c->squared, c->p, v)) |
           (equal_lanes(c->multiplied, minus_two, v) & equal_lanes(c->squared, minus_p, v));
}

/* The extra strong Lucas test, from k = 0 on. */
static AVX2 uint32_t lucas_64(const uint64_t *n)
{
    struct exponents e = exponents_of(n, 4 * LUCAS_64_VECTORS, 1);
    struct ring r[LUCAS_64_VECTORS];
    struct lucas_chains_64 c[LUCAS_64_VECTORS];
    uint32_t p[4 * LUCAS_64_VECTORS];
    uint32_t open = choose_parameters(n, 4 * LUCAS_64_VECTORS, p), passed = 0;
    for (int v = 0; v < LUCAS_64_VECTORS; v++) {
        r[v] = ring_of(n + 4 * v);
        __m256i parameter = _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)(p + 4 * v)));
        c[v] = start_64(parameter, load(e.odd + 4 * v), e.bits, &r[v]);
    }
    for (int i = 0; i < e.bits; i++) {
#pragma GCC unroll 8
        for (int v = 0; v < LUCAS_64_VECTORS; v++)
            lucas_step_64(&c[v], &r[v]);
    }

    for (int v = 0; v < LUCAS_64_VECTORS; v++)
        passed |= lucas_verdict_64(&c[v], &r[v], v) & open;
    open &= ~passed;
    for (int twos = 1; open &= ~e.lanes_with[twos]; twos++) {
        for (int v = 0; v < LUCAS_64_VECTORS; v++) {
            passed |= equal_lanes(c[v].multiplied, _mm256_setzero_si256(), v) & open;
            c[v].multiplied = square_add(c[v].multiplied, c[v].minus_two, &r[v]);
        }
    }
    return passed;
}

#endif
