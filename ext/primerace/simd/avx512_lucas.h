/* The extra strong Lucas test of a group of numbers, all at the same pace. (The test itself: ../lucas.h.)

   Of the pair V_k, V_(k+1) one was got by squaring, the one with the even index, and the other by
   multiplying. A step takes the pair to V_2k, V_(2k+1) or to V_(2k+1), V_(2k+2): the product of the two,
   and the square of one of them. Leading zeros of the exponent leave (V_0, V_1) = (2, P) as it is, so
   exponents of any length run together, aligned at their ends. The constants -2 and -P ride on the sums
   of the products. With two digits a step has 28 multiplications, and takes the time of 31. */
#ifndef PRIMERACE_AVX512_LUCAS_H
#define PRIMERACE_AVX512_LUCAS_H

#include "avx512_montgomery.h"
#include "avx512_parameter.h"

enum { LUCAS_VECTORS = 4, LUCAS_GROUP = 8 * LUCAS_VECTORS };

struct lucas_pair {
    struct residue squared, multiplied;
};

/* For 2^32 < n < 2^50 with one digit and 2^50 < n < 2^64 with two, the exponent e = (n + 1) / 2.

   One digit: the pair is in [0, 2 n) and the addends are in (0, n]. A product is below n R, so a sum is
   in (-n, 2 n), and it is in the range of the pair again once the negative ones get n more.
   Two digits: the pair is in (0, 37 n) and the addends are in [n, 36 n]. A product is below 2^139 and what
   is left of it in (-n, 2^35), so a sum is in (0, 36 n + 2^35). */
struct lucas_chain {
    struct modulus m;
    struct lucas_pair pair;
    struct residue minus_two, minus_p;
    u64x8 p;
    uint8_t flips[64]; /* the lanes where bit i of e is not bit i + 1 */
};

/* c in Montgomery form, for c < 64: in [0, n) with one digit, in [0, c n] with two. */
INLINE struct residue small_constant(u64x8 c, u64x8 one, u64x8 n, int digits)
{
    struct residue x = {multiply_low(all(0), one, c), multiply_high(all(0), one, c)};
    if (digits == 2)
        return (struct residue){x.low, multiply_low(x.high, _mm512_srli_epi64(one, 52), c)};
    x.low = join(x);
    for (unsigned i = 6; i-- > 0;)
        x.low = subtract_once(x.low, _mm512_slli_epi64(n, i));
    return x;
}

/* -c, given c: n - c with one digit, (c + 1) n - c with two, where the low digit may be negative. */
INLINE struct residue negative(struct residue constant, u64x8 c, const struct modulus *m, int digits)
{
    if (digits == 1)
        return (struct residue){subtract(m->low, constant.low), all(0)};
    u64x8 times = add(c, all(1)), low = multiply_low(all(0), m->low, times);
    u64x8 high = multiply_low(multiply_high(all(0), m->low, times), m->high, times);
    return (struct residue){subtract(low, constant.low), subtract(high, constant.high)};
}

INLINE struct lucas_chain lucas_start(u64x8 n, u64x8 one, int digits)
{
    u64x8 e = add(_mm512_srli_epi64(n, 1), all(1)), p = lucas_parameter(n);
    struct lucas_chain chain = {
        .m = modulus_of(n),
        .pair = {small_constant(all(2), one, n, digits), small_constant(p, one, n, digits)},
        .p = p,
    };
    chain.minus_two = negative(chain.pair.squared, all(2), &chain.m, digits);
    chain.minus_p = negative(chain.pair.multiplied, p, &chain.m, digits);
    transpose_bits(_mm512_xor_si512(e, _mm512_srli_epi64(e, 1)), chain.flips);
    return chain;
}

INLINE struct residue multiply_add(struct residue a, struct residue b, struct residue addend,
                                   const struct modulus *m, int digits)
{
    if (digits == 2)
        return carry(multiply_2(a, b, addend, m));
    a.low = add_if_negative(multiply_1(a.low, b.low, addend.low, m), m->low);
    return a;
}

INLINE struct residue square_add(struct residue a, struct residue addend, const struct modulus *m, int digits)
{
    return digits == 2 ? carry(square_2(a, addend, m)) : multiply_add(a, a, addend, m, digits);
}

INLINE struct lucas_pair lucas_step(const struct lucas_chain *chain, int i, int digits)
{
    struct residue s = chain->pair.squared, p = chain->pair.multiplied;
    struct residue multiplied = multiply_add(s, p, chain->minus_p, &chain->m, digits);
    struct residue squared = square_add(blend(s, chain->flips[i], p), chain->minus_two, &chain->m, digits);
    return (struct lucas_pair){squared, multiplied};
}

/* [i][v]: the pairs of vector v for k = floor(e / 2^i). */
typedef struct lucas_pair lucas_history[HISTORY][LUCAS_VECTORS];

/* The lanes of vector v that pass: where V_k is 0 for a k of e / 2, e / 4, ..., d, the odd one, or where
   the pair of d is 2, P or -2, -P. Either makes V 2 or -2 for all the multiples of this k by powers of 2,
   up to e. So the search goes down from e as long as it meets 2 or -2, and hardly a composite gets
   beyond the first look. */
INLINE __mmask8 lucas_verdict(u64x8 n, const struct lucas_chain *chain, const lucas_history history, int v,
                              int digits)
{
    __mmask8 pass = 0, open = 0xff;
    for (int i = 0; open; i++) {
        const struct lucas_pair *pair = &history[i][v];
        __mmask8 odd = _mm512_test_epi64_mask(add(n, all(1)), all(UINT64_C(2) << i));
        u64x8 x = from_montgomery(blend(pair->squared, odd, pair->multiplied), &chain->m, digits);
        u64x8 next = from_montgomery(pair->squared, &chain->m, digits);
        __mmask8 plus = _mm512_mask_cmpeq_epi64_mask(open, x, all(2));
        __mmask8 minus = _mm512_mask_cmpeq_epi64_mask(open, x, subtract(n, all(2)));
        if (i > 0)
            pass |= _mm512_mask_cmpeq_epi64_mask(open, x, n);
        pass |= _mm512_mask_cmpeq_epi64_mask(odd & plus, next, chain->p);
        pass |= _mm512_mask_cmpeq_epi64_mask(odd & minus, next, subtract(n, chain->p));
        open = (plus | minus) & (__mmask8)~odd;
    }
    return pass;
}

/* A bit for each number that passes; a bit of unknown for each without a small parameter. No number may
   have a prime factor up to 37; ones are R mod n. */
INLINE uint64_t lucas_test(const uint64_t *numbers, const uint64_t *ones, uint64_t *unknown, int digits,
                           int vectors)
{
    struct lucas_chain chain[LUCAS_VECTORS];
    lucas_history history;
    u64x8 longest = all(0);
    *unknown = 0;
    EACH_VECTOR {
        u64x8 n = load(numbers + 8 * v);
        chain[v] = lucas_start(n, load(ones + 8 * v), digits);
        longest = _mm512_or_si512(longest, add(n, all(1)));
        *unknown |= (uint64_t)_mm512_testn_epi64_mask(chain[v].p, chain[v].p) << 8 * v;
    }
    for (int i = 62 - __builtin_clzll((uint64_t)_mm512_reduce_or_epi64(longest)); i >= 0; i--) {
        EACH_VECTOR
            chain[v].pair = lucas_step(&chain[v], i, digits);
        if (i < HISTORY)
            EACH_VECTOR
                history[i][v] = chain[v].pair;
    }
    uint64_t pass = 0;
    EACH_VECTOR
        pass |= (uint64_t)lucas_verdict(load(numbers + 8 * v), &chain[v], history, v, digits) << 8 * v;
    return pass & ~*unknown;
}

#endif
