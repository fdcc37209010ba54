/* Montgomery arithmetic on eight moduli at once with the 52-bit multiplications of AVX-512 IFMA.

   multiply_low and multiply_high are the two halves of a product of 52-bit digits, added to a third
   operand. They read the low 52 bits of their factors and ignore the rest, so a low digit may carry junk
   above bit 52 until someone shifts it away. One digit, radix R = 2^52, serves n < 2^50 with 4
   multiplications a product. Two digits, R = 2^104, serve n < 2^64 with 13 a square and 15 a product: the
   high digits have so few bits that the high half of the product of two of them is zero.

   The subtractive form (positive inverse) is exact: if q n = T modulo 2^52, the low digits of T and q n
   are equal and cancel, and (T - q n) / 2^52 is the difference of what is above them. (P. L. Montgomery,
   Modular multiplication without trial division, Math. Comp. 44, 1985.)

   The multiplications run on two of the four vector pipelines, and on Zen 4 so do comparisons, 64-bit
   minima and absolute values. In the inner loops shifts and loaded masks take their place. */
#ifndef PRIMERACE_AVX512_MONTGOMERY_H
#define PRIMERACE_AVX512_MONTGOMERY_H

#include <immintrin.h>
#include <stdint.h>

#define AVX512 __attribute__((target("avx512f,avx512dq,avx512bw,avx512cd,avx512ifma,avx512vbmi,gfni")))
#define INLINE AVX512 __attribute__((always_inline)) static inline

/* The vectors of a group are independent of each other: each fills the pipelines while the others wait for
   their own last product. `vectors` is a constant wherever a group is inlined, and so is `digits`, 1 or 2. */
#define EACH_VECTOR _Pragma("GCC unroll 8") for (int v = 0; v < vectors; v++)

/* The tests look back at their last powers: n = 1 or -1 modulo 2^(HISTORY + 1) is not for them. */
enum { HISTORY = 16 };

typedef __m512i u64x8;

/* x + 2^52 high; with one digit there is no high. */
struct residue {
    u64x8 low, high;
};

struct modulus {
    u64x8 low, high;
    u64x8 inverse; /* of n modulo 2^52 */
};

INLINE u64x8 all(uint64_t x)
{
    return _mm512_set1_epi64((long long)x);
}

INLINE u64x8 load(const uint64_t *x)
{
    return _mm512_loadu_si512(x);
}

INLINE void store(uint64_t *to, u64x8 x)
{
    _mm512_storeu_si512(to, x);
}

INLINE u64x8 add(u64x8 a, u64x8 b)
{
    return _mm512_add_epi64(a, b);
}

INLINE u64x8 subtract(u64x8 a, u64x8 b)
{
    return _mm512_sub_epi64(a, b);
}

INLINE u64x8 multiply_low(u64x8 sum, u64x8 a, u64x8 b)
{
    return _mm512_madd52lo_epu64(sum, a, b);
}

INLINE u64x8 multiply_high(u64x8 sum, u64x8 a, u64x8 b)
{
    return _mm512_madd52hi_epu64(sum, a, b);
}

INLINE u64x8 low_digit(u64x8 x)
{
    return _mm512_and_si512(x, all((UINT64_C(1) << 52) - 1));
}

/* x, and n more where x is negative. */
INLINE u64x8 add_if_negative(u64x8 x, u64x8 n)
{
    return add(x, _mm512_and_si512(_mm512_srai_epi64(x, 63), n));
}

/* x - n, or x where that is negative: without its sign it is the larger one then. */
INLINE u64x8 subtract_once(u64x8 x, u64x8 n)
{
    return _mm512_min_epu64(x, subtract(x, n));
}

/* masks[i] gets bit i of every lane: a transposition of the bytes, then of the bits in each eight of them. */
INLINE void transpose_bits(u64x8 x, uint8_t masks[64])
{
    uint64_t column = UINT64_C(0x0008101820283038), next = UINT64_C(0x0101010101010101);
    u64x8 order = _mm512_set_epi64((long long)(column + 7 * next), (long long)(column + 6 * next),
                                   (long long)(column + 5 * next), (long long)(column + 4 * next),
                                   (long long)(column + 3 * next), (long long)(column + 2 * next),
                                   (long long)(column + next), (long long)column);
    u64x8 bytes = _mm512_permutexvar_epi8(order, x);
    _mm512_storeu_si512(masks, _mm512_gf2p8affine_epi64_epi8(all(UINT64_C(0x8040201008040201)), bytes, 0));
}

/* (3 n) ^ 2 is the inverse modulo 2^5, and each of Newton's steps doubles the bits. */
INLINE struct modulus modulus_of(u64x8 n)
{
    u64x8 zero = all(0), x = _mm512_xor_si512(add(n, add(n, n)), all(2));
    for (int bits = 5; bits < 52; bits *= 2)
        x = multiply_low(zero, x, subtract(all(2), multiply_low(zero, x, n)));
    return (struct modulus){low_digit(n), _mm512_srli_epi64(n, 52), x};
}

/* a b / R - q n / R + addend with 0 <= q < R: in (addend - n, addend + a b / R]. */
INLINE u64x8 multiply_1(u64x8 a, u64x8 b, u64x8 addend, const struct modulus *m)
{
    u64x8 zero = all(0);
    u64x8 q = multiply_low(zero, multiply_low(zero, a, b), m->inverse);
    return subtract(multiply_high(addend, a, b), multiply_high(zero, q, m->low));
}

/* b in these lanes, a in the others. */
INLINE struct residue blend(struct residue a, __mmask8 lanes, struct residue b)
{
    return (struct residue){_mm512_mask_mov_epi64(a.low, lanes, b.low),
                            _mm512_mask_mov_epi64(a.high, lanes, b.high)};
}

/* Moves what the low digit has above bit 52, a borrow too, to the high one. */
INLINE struct residue carry(struct residue x)
{
    return (struct residue){x.low, add(x.high, _mm512_srai_epi64(x.low, 52))};
}

/* (T - q n) / R + 2^52 high with T = t0 + 2^52 t1 + 2^104 t2 and 0 <= q < R, but without the carry. */
INLINE struct residue reduce_2(u64x8 t0, u64x8 t1, u64x8 t2, u64x8 high, const struct modulus *m)
{
    u64x8 zero = all(0);
    u64x8 q = multiply_low(zero, t0, m->inverse);
    t1 = subtract(t1, multiply_low(multiply_high(zero, q, m->low), q, m->high));
    u64x8 sum = multiply_high(zero, q, m->high);
    q = multiply_low(zero, t1, m->inverse);
    sum = multiply_low(multiply_high(sum, q, m->low), q, m->high);
    t2 = add(t2, _mm512_srai_epi64(t1, 52));
    return (struct residue){subtract(t2, sum), subtract(high, multiply_high(zero, q, m->high))};
}

/* The same with two digits, without the carry. */
INLINE struct residue multiply_2(struct residue a, struct residue b, struct residue addend,
                                 const struct modulus *m)
{
    u64x8 zero = all(0);
    u64x8 t0 = multiply_low(zero, a.low, b.low);
    u64x8 t1 = multiply_low(multiply_low(multiply_high(zero, a.low, b.low), a.low, b.high), a.high, b.low);
    u64x8 t2 = multiply_high(multiply_high(addend.low, a.low, b.high), a.high, b.low);
    return reduce_2(t0, t1, multiply_low(t2, a.high, b.high), addend.high, m);
}

/* multiply_2(a, a, addend, m) with two multiplications less. */
INLINE struct residue square_2(struct residue a, struct residue addend, const struct modulus *m)
{
    u64x8 zero = all(0), twice = add(a.high, a.high);
    u64x8 t0 = multiply_low(zero, a.low, a.low);
    u64x8 t1 = multiply_low(multiply_high(zero, a.low, a.low), a.low, twice);
    u64x8 t2 = multiply_high(addend.low, a.low, twice);
    return reduce_2(t0, t1, multiply_low(t2, a.high, a.high), addend.high, m);
}

INLINE struct residue split(u64x8 x)
{
    return (struct residue){low_digit(x), _mm512_srli_epi64(x, 52)};
}

/* 2^j for 0 <= j < 104. A shift by 64 or more, or by a negative number, gives 0. */
INLINE struct residue power_of_two(u64x8 j)
{
    return (struct residue){low_digit(_mm512_sllv_epi64(all(1), j)),
                            _mm512_sllv_epi64(all(1), subtract(j, all(52)))};
}

/* x as one word, for x in [0, 2^64). */
INLINE u64x8 join(struct residue x)
{
    return add(low_digit(x.low), _mm512_slli_epi64(x.high, 52));
}

/* The number in (0, n] whose Montgomery form is x, for x in [0, R) with its carry. */
INLINE u64x8 from_montgomery(struct residue x, const struct modulus *m, int digits)
{
    if (digits == 1)
        return multiply_1(x.low, all(1), m->low, m);
    return join(carry(reduce_2(x.low, x.high, m->low, m->high, m)));
}

/* The same as subtract_once, for two digits. */
INLINE struct residue subtract_once_2(struct residue x, struct residue n)
{
    struct residue less = carry((struct residue){subtract(x.low, n.low), subtract(x.high, n.high)});
    __mmask8 negative = _mm512_movepi64_mask(less.high);
    return (struct residue){_mm512_mask_mov_epi64(low_digit(less.low), negative, x.low),
                            _mm512_mask_mov_epi64(less.high, negative, x.high)};
}

/* x mod n as a word, for x in [0, 3 n) with its carry. */
INLINE u64x8 canonical_2(struct residue x, u64x8 n)
{
    x.low = low_digit(x.low);
    return join(subtract_once_2(subtract_once_2(x, split(n)), split(n)));
}

#endif
