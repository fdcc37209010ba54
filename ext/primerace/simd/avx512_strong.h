/* The strong tests of a group of numbers.

   A prime n = 2^s d + 1, d odd, has b^d = 1 or b^(2^i d) = -1 (mod n) for some i < s. So its power of b
   with the exponent e = (n - 1) / 2 is 1 or -1, which very few composites share. Only where it is 1 and e
   is even are the powers before it looked up: b^(e / 2), b^(e / 4), ... down to the first that is not 1. */
#ifndef PRIMERACE_AVX512_STRONG_H
#define PRIMERACE_AVX512_STRONG_H

#include "avx512_montgomery.h"

enum { STRONG_VECTORS = 6, STRONG_GROUP = 8 * STRONG_VECTORS };

/* [i][v]: b^(e / 2^i) for the numbers of vector v, where 2^i divides e. */
typedef struct residue strong_history[HISTORY][STRONG_VECTORS];

/* A power of the history, in (-2 n, 2 n) with one digit and in (0, 3 n) with two, brought to [0, n). */
INLINE u64x8 canonical_power(struct residue x, u64x8 n, int digits)
{
    if (digits == 2)
        return canonical_2(x, n);
    u64x8 twice = add(n, n);
    return subtract_once(subtract_once(add(x.low, twice), twice), n);
}

/* The numbers that pass, given those whose b^e is 1 and those where it is -1. The group is looked at as a
   whole, since it cannot be foreseen which vectors need it. */
INLINE uint64_t strong_verdict(const uint64_t *numbers, const uint64_t *ones, uint64_t plus, uint64_t minus,
                               const strong_history history, int digits, int vectors)
{
    uint64_t pass = plus | minus, open = plus;
    for (int i = 1; i < HISTORY && open; i++) {
        uint64_t even = 0;
        plus = minus = 0;
        EACH_VECTOR {
            u64x8 n = load(numbers + 8 * v), one = load(ones + 8 * v);
            u64x8 x = canonical_power(history[i][v], n, digits);
            even |= (uint64_t)_mm512_testn_epi64_mask(n, all(UINT64_C(1) << i)) << 8 * v;
            plus |= (uint64_t)_mm512_cmpeq_epi64_mask(x, one) << 8 * v;
            minus |= (uint64_t)_mm512_cmpeq_epi64_mask(x, subtract(n, one)) << 8 * v;
        }
        open &= even;
        pass &= ~open | plus | minus;
        open &= plus;
    }
    return pass;
}

/* x without its sign: that of a power is lost by the next squaring anyway. */
INLINE u64x8 absolute(u64x8 x)
{
    u64x8 sign = _mm512_srai_epi64(x, 63);
    return subtract(_mm512_xor_si512(x, sign), sign);
}

/* Base 2, for 2^32 < n < 2^50 with one digit and 2^50 < n < 2^64 with two.

   The power is 2^-e, as good as 2^e since 1 and -1 are their own inverses, and has a free start: 2^j is
   the Montgomery form of 2^j / R. Let t = floor((e - 1) / 2^k) + 1, where k leaves e - 1 its top 5 or 6
   bits. Then -e = c - t 2^k with c in [0, 2^k), and the chain goes from 2^-t on, a squaring for each of
   the k bits of c and a doubling for each that is set. With two digits the doublings of WINDOW bits are
   one shift, which saves a tenth of the step.

   One digit: |x| < 2 n, or x is the start, at most 2^35. So x^2 < n R, and what is left of it is in (-n, n).
   Two digits: x < 2^72, as the start is at most 2^71. So a squaring leaves a number in (0, n + 2^40), which a
   shift by up to 7 bits keeps below 2^72; at the end, with shifts by one bit, it is below 3 n. */
struct strong_chain {
    struct modulus m;
    struct residue x;
    u64x8 bits; /* of c, those to come from the top of the word on */
    u64x8 k;
};

enum { WINDOW = 3 };

INLINE struct strong_chain strong_start(u64x8 n, int digits)
{
    u64x8 e = _mm512_srli_epi64(n, 1), less = subtract(e, all(1));
    u64x8 k = subtract(all(digits == 1 ? 64 - 5 : 64 - 6), _mm512_lzcnt_epi64(less));
    u64x8 t = add(_mm512_srlv_epi64(less, k), all(1));
    return (struct strong_chain){
        .m = modulus_of(n),
        .x = power_of_two(subtract(all(digits == 1 ? 52 : 104), t)),
        .bits = subtract(_mm512_sllv_epi64(t, k), e),
        .k = k,
    };
}

INLINE struct residue strong_square(const struct strong_chain *chain)
{
    return square_2(chain->x, (struct residue){chain->m.low, chain->m.high}, &chain->m);
}

/* One squaring, and the doublings for the next bits of c, as many as width says. */
INLINE struct residue strong_step(struct strong_chain *chain, unsigned width, int digits)
{
    u64x8 doublings = _mm512_srli_epi64(chain->bits, 64 - width);
    for (unsigned i = 0; i < width; i++)
        chain->bits = add(chain->bits, chain->bits);
    struct residue x = chain->x;
    if (digits == 1) {
        u64x8 a = absolute(x.low);
        x.low = _mm512_sllv_epi64(multiply_1(a, a, all(0), &chain->m), doublings);
        return x;
    }
    x = strong_square(chain);
    return carry((struct residue){_mm512_sllv_epi64(x.low, doublings), _mm512_sllv_epi64(x.high, doublings)});
}

/* A bit for each number that passes, and for these R mod n in ones: 2^-e itself or its negative. */
INLINE uint64_t strong_base_2(const uint64_t *numbers, uint64_t *ones, int digits, int vectors)
{
    struct strong_chain chain[STRONG_VECTORS];
    strong_history history;
    u64x8 longest = all(0), shortest = all(64);
    EACH_VECTOR {
        chain[v] = strong_start(load(numbers + 8 * v), digits);
        longest = _mm512_max_epu64(longest, chain[v].k);
        shortest = _mm512_min_epu64(shortest, chain[v].k);
    }
    int left = (int)_mm512_reduce_max_epu64(longest), common = (int)_mm512_reduce_min_epu64(shortest);
    EACH_VECTOR
        chain[v].bits = _mm512_sll_epi64(chain[v].bits, _mm_cvtsi32_si128(64 - left));
    int windows = digits == 1 ? 0 : (common - HISTORY) / WINDOW;
    int all_started = digits == 1 ? common : HISTORY + WINDOW * windows;
    for (; left > all_started; left--)
        EACH_VECTOR {
            __mmask8 started = _mm512_cmpge_epi64_mask(chain[v].k, all((uint64_t)left));
            chain[v].x = blend(chain[v].x, started, strong_step(&chain[v], 1, digits));
        }
    for (; windows; windows--, left -= WINDOW) {
        for (int i = 1; i < WINDOW; i++)
            EACH_VECTOR
                chain[v].x = carry(strong_square(&chain[v]));
        EACH_VECTOR
            chain[v].x = strong_step(&chain[v], WINDOW, digits);
    }
    for (; left > 0; left--) {
        EACH_VECTOR
            chain[v].x = strong_step(&chain[v], 1, digits);
        if (left <= HISTORY)
            EACH_VECTOR
                history[left - 1][v] = chain[v].x;
    }
    uint64_t plus = 0, minus = 0;
    EACH_VECTOR {
        u64x8 n = load(numbers + 8 * v), power = canonical_power(chain[v].x, n, digits);
        u64x8 value = from_montgomery(split(power), &chain[v].m, digits);
        __mmask8 is_minus = _mm512_cmpeq_epi64_mask(value, subtract(n, all(1)));
        plus |= (uint64_t)_mm512_cmpeq_epi64_mask(value, all(1)) << 8 * v;
        minus |= (uint64_t)is_minus << 8 * v;
        store(ones + 8 * v, _mm512_mask_sub_epi64(power, is_minus, n, power));
    }
    return strong_verdict(numbers, ones, plus, minus, history, digits, vectors);
}

/* One strong test decides n < 2^32, with a base of 16 bits that belongs to n. A step from x in (-n, n)
   multiplies |x| by |x| or by |x| base: at most n^2 2^16 < n R / 16, and what is left is in (-n, n)
   again. */
struct strong_chain_32 {
    struct modulus m;
    u64x8 x, base;
    uint8_t times_base[64]; /* the lanes with bit i of e */
};

/* From x = R mod n on: the quotient of the division is rounded down, so the remainder is exact. */
INLINE struct strong_chain_32 strong_start_32(u64x8 n, u64x8 base)
{
    __m512d quotient = _mm512_div_round_pd(_mm512_set1_pd(0x1p52), _mm512_cvtepu64_pd(n),
                                           _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
    u64x8 multiple = multiply_low(all(0), _mm512_cvttpd_epu64(quotient), n);
    u64x8 one = low_digit(subtract(all(0), multiple));
    struct strong_chain_32 chain = {.m = modulus_of(n), .x = one, .base = base};
    transpose_bits(_mm512_srli_epi64(n, 1), chain.times_base);
    return chain;
}

INLINE u64x8 strong_step_32(const struct strong_chain_32 *chain, int i)
{
    u64x8 a = absolute(chain->x);
    return multiply_1(a, _mm512_mask_mul_epu32(a, chain->times_base[i], a, chain->base), all(0), &chain->m);
}

/* A bit for each number that passes. */
INLINE uint64_t strong_32(const uint64_t *numbers, const uint64_t *bases, int vectors)
{
    struct strong_chain_32 chain[STRONG_VECTORS];
    uint64_t ones[STRONG_GROUP];
    strong_history history;
    u64x8 longest = all(0);
    EACH_VECTOR {
        u64x8 n = load(numbers + 8 * v);
        chain[v] = strong_start_32(n, load(bases + 8 * v));
        store(ones + 8 * v, chain[v].x);
        longest = _mm512_or_si512(longest, n);
    }
    for (int i = 62 - __builtin_clzll((uint64_t)_mm512_reduce_or_epi64(longest)); i >= 0; i--) {
        EACH_VECTOR
            chain[v].x = strong_step_32(&chain[v], i);
        if (i < HISTORY)
            EACH_VECTOR
                history[i][v].low = chain[v].x;
    }
    uint64_t plus = 0, minus = 0;
    EACH_VECTOR {
        u64x8 n = load(numbers + 8 * v), one = load(ones + 8 * v);
        u64x8 power = canonical_power(history[0][v], n, 1);
        plus |= (uint64_t)_mm512_cmpeq_epi64_mask(power, one) << 8 * v;
        minus |= (uint64_t)_mm512_cmpeq_epi64_mask(power, subtract(n, one)) << 8 * v;
    }
    return strong_verdict(numbers, ones, plus, minus, history, 1, vectors);
}

#endif
