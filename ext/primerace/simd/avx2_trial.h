/* Trial division, eight numbers at a time.

   A 64-bit product costs AVX2 three multiplications, so each n is first replaced by a 32-bit number congruent
   to it modulo a product m < 2^15 of two to five primes: w, the sum of its four 16-bit digits times
   2^(16 i) mod m, which is two vpmaddwd and two additions for eight numbers. Then p divides w exactly if
   w * (1/p mod 2^32) mod 2^32 <= (2^32 - 1) / p: one multiplication and one comparison for each prime
   (T. Granlund, P. Montgomery, Division by invariant integers using multiplication, PLDI 1994). A pair of
   primes costs eight numbers 11 instructions.

   vpmaddwd and vpcmpgtd are signed. Subtracting 2^15 from each digit (flipping its top bit) makes the digits
   signed; the offset of the modulus makes up for it. Adding 2^31 to w adds 2^31 to its product with an odd
   number mod 2^32, which turns the unsigned comparison into a signed one.

   No overflow: digits are at most 2^15 and the powers at most m / 2 in absolute value, so the four products
   sum to at most 2^16 m in absolute value; the offset is 2^16 m plus a residue mod m: w is not negative and
   below 2^17 m + m < 2^32. */
#ifndef PRIMERACE_AVX2_TRIAL_H
#define PRIMERACE_AVX2_TRIAL_H

#include "avx2_vector.h"

/* Balanced powers of 2^16 modulo m, two in a word, and the offset. */
struct modulus {
    uint32_t low, high, offset;
};

#define BALANCED(x, m) (uint16_t)((x) > (m) / 2 ? (x) - (m) : (x))
#define POWER(i, m) (uint32_t) BALANCED((1ull << 16 * (i)) % (m), m)
#define MODULUS(m)                                                                                           \
    {POWER(0, m) | POWER(1, m) << 16, POWER(2, m) | POWER(3, m) << 16,                                       \
     (uint32_t)(0x8000800080008000u % (m)) + ((m) << 16)}

struct divisor {
    uint32_t inverse;
    int32_t limit;
};

struct divisors {
    struct modulus product;
    struct divisor prime[5];
};

/* Newton's step doubles the number of right bits; p is its own inverse mod 8. */
#define STEP(p, x) ((x) * (2 - (p) * (x)))
#define INVERSE(p) STEP(p, STEP(p, STEP(p, STEP(p, p))))
#define DIVISOR(p) {INVERSE(p##u), (int32_t)(UINT32_MAX / p - INT32_MAX)}
#define PAIR(p, q) {MODULUS(p##u * q), {DIVISOR(p), DIVISOR(q)}}

static const struct divisors to_13 = {
    MODULUS(3u * 5 * 7 * 11 * 13), {DIVISOR(3), DIVISOR(5), DIVISOR(7), DIVISOR(11), DIVISOR(13)}};
static const struct divisors to_23 = {MODULUS(17u * 19 * 23), {DIVISOR(17), DIVISOR(19), DIVISOR(23)}};
static const struct divisors above_23[] = {
    PAIR(29, 31),   PAIR(37, 41),   PAIR(43, 47),   PAIR(53, 59),   PAIR(61, 67),   PAIR(71, 73),
    PAIR(79, 83),   PAIR(89, 97),   PAIR(101, 103), PAIR(107, 109), PAIR(113, 127), PAIR(131, 137),
    PAIR(139, 149), PAIR(151, 157), PAIR(163, 167), PAIR(173, 179),
};

enum { TINY_BITS = 8 }; /* Trial division would call the primes below 2^8 composite. */

#undef STEP
#undef INVERSE
#undef DIVISOR
#undef PAIR

/* The 16-bit digits of eight numbers, less 2^15: the two lower ones and the two upper ones of each. */
struct digits_16 {
    __m256i low, high;
};

static inline AVX2 __m256i splat_32(uint32_t x)
{
    return _mm256_set1_epi32((int)x);
}

static inline AVX2 __m256 load_halves(const uint64_t *lower, const uint64_t *upper)
{
    __m128i low = _mm_loadu_si128((const __m128i *)lower), high = _mm_loadu_si128((const __m128i *)upper);
    return _mm256_castsi256_ps(_mm256_set_m128i(high, low));
}

/* The shuffle takes two numbers of each argument in each half of the vector: the order becomes that of n. */
static inline AVX2 struct digits_16 digits_of(const uint64_t n[8])
{
    __m256 a = load_halves(n, n + 4), b = load_halves(n + 2, n + 6);
    __m256i low = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88));
    __m256i high = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xdd));
    __m256i flip = splat_32(0x80008000);
    return (struct digits_16){_mm256_xor_si256(low, flip), _mm256_xor_si256(high, flip)};
}

/* The number w of the header, plus a constant. */
static inline AVX2 __m256i residue_plus(uint32_t constant, struct digits_16 n, const struct modulus *m)
{
    __m256i low = _mm256_madd_epi16(n.low, splat_32(m->low));
    __m256i high = _mm256_madd_epi16(n.high, splat_32(m->high));
    return _mm256_add_epi32(_mm256_add_epi32(low, high), splat_32(m->offset + constant));
}

/* All ones in the 32-bit lanes of the numbers that one of the first `primes` divisors divides. */
static inline AVX2 __m256i divisible(struct digits_16 n, const struct divisors *by, int primes)
{
    __m256i w = residue_plus(0x80000000, n, &by->product), found = _mm256_setzero_si256();
    for (int i = 0; i < primes; i++) {
        __m256i quotient = _mm256_mullo_epi32(w, splat_32(by->prime[i].inverse));
        found = _mm256_or_si256(found, _mm256_cmpgt_epi32(splat_32((uint32_t)by->prime[i].limit), quotient));
    }
    return found;
}

static inline AVX2 unsigned lanes_without(__m256i found)
{
    return ~(unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(found)) & 255;
}

/* The set of those of n[0..7] that no odd prime up to 23 divides. */
static inline AVX2 unsigned coprime_to_23(const uint64_t n[8])
{
    struct digits_16 d = digits_of(n);
    return lanes_without(_mm256_or_si256(divisible(d, &to_13, 5), divisible(d, &to_23, 3)));
}

/* The set of those of n[0..7] that none of the primes in the next `pairs` pairs divides. */
static inline AVX2 unsigned coprime_above_23(const uint64_t n[8], size_t pairs)
{
    struct digits_16 d = digits_of(n);
    __m256i found = _mm256_setzero_si256();
    for (size_t i = 0; i < pairs; i++)
        found = _mm256_or_si256(found, divisible(d, above_23 + i, 2));
    return lanes_without(found);
}

#endif
