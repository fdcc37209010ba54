/* The parameter of the Lucas test for eight numbers at once: the first P >= 3 for which the Jacobi symbol
   of P^2 - 4 and n is -1.

   By quadratic reciprocity the symbol of P^2 - 4 is a product of those of n modulo small primes, and each
   of the latter is one bit of a 64-bit constant. A symbol is kept in bit 0 of a lane, 1 for -1, with junk
   above it; a product of symbols is an exclusive or. With P^2 - 4 reduced by its square factors, these P
   need a look:

       P         3  4  5    6  9     11  15     17      21     27  29    35
       P^2 - 4   5  3  3*7  2  7*11  13  13*17  3*5*19  19*23  29  3*31  3*11*37

   For any other P <= 35 it is a product of numbers that stand in this row before it: if none of their
   symbols is -1, that of P is not. One n in 2^8 needs the second half of the row, one in 2^12 has no P
   here. */
#ifndef PRIMERACE_AVX512_PARAMETER_H
#define PRIMERACE_AVX512_PARAMETER_H

#include "avx512_montgomery.h"
#include "avx512_trial.h"

/* Bit r is set if r is a square modulo p, for a prime 3 <= p <= 37 and 0 < r < p. */
#define SQUARE(i, p) (UINT64_C(1) << (i) * (i) % (p))
#define SQUARES_3(i, p) (SQUARE(i, p) | SQUARE((i) + 1, p) | SQUARE((i) + 2, p))
#define SQUARES_9(i, p) (SQUARES_3(i, p) | SQUARES_3((i) + 3, p) | SQUARES_3((i) + 6, p))
#define SQUARES(p) (SQUARES_9(1, p) | SQUARES_9(10, p))

/* The symbol (-x / p). With q p = x modulo 2^52, the high digit of q p is -x / 2^52 modulo p, and 2^52 is
   a square. */
INLINE u64x8 symbol(u64x8 x, uint64_t p, uint64_t inverse, uint64_t squares)
{
    u64x8 q = multiply_low(all(0), x, all(inverse));
    return _mm512_srlv_epi64(all(~squares), multiply_high(all(0), q, all(p)));
}

/* `index` is the place of p among the odd primes. */
#define SYMBOL(x, p, index) symbol(x, p, small_primes[index].inverse, SQUARES(p))

INLINE u64x8 product_of(u64x8 a, u64x8 b)
{
    return _mm512_xor_si512(a, b);
}

/* p where the symbol is -1, else the parameter so far: to be called from the last P down to the first. */
INLINE u64x8 choose(u64x8 parameter, u64x8 minus, uint64_t p)
{
    return _mm512_mask_mov_epi64(parameter, _mm512_test_epi64_mask(minus, all(1)), all(p));
}

/* For n without prime factors up to 37; 0 where there is no such P up to 35.

   Primes p = 1 mod 4 have (p / n) = (n / p) = (-n / p). The others have (p / n) = (-n / p) for n = 3 mod
   4 and -(-n / p) for n = 1 mod 4; a product of two of them is free of that sign. */
INLINE u64x8 lucas_parameter(u64x8 n)
{
    u64x8 x = fold(n, RESIDUE(3 * 5 * 7 * 11 * 13 * 17 * 19));
    u64x8 s3 = SYMBOL(x, 3, 0), s5 = SYMBOL(x, 5, 1), s7 = SYMBOL(x, 7, 2), s11 = SYMBOL(x, 11, 3),
          s13 = SYMBOL(x, 13, 4), s17 = SYMBOL(x, 17, 5), s19 = SYMBOL(x, 19, 6);
    u64x8 half = _mm512_srli_epi64(n, 1);
    u64x8 two = product_of(half, _mm512_srli_epi64(n, 2));
    u64x8 three = product_of(s3, product_of(half, all(1)));
    u64x8 p = choose(all(0), product_of(product_of(s3, s5), s19), 17);
    p = choose(p, product_of(s13, s17), 15);
    p = choose(p, s13, 11);
    p = choose(p, product_of(s7, s11), 9);
    p = choose(p, two, 6);
    p = choose(p, product_of(s3, s7), 5);
    p = choose(p, three, 4);
    p = choose(p, s5, 3);
    __mmask8 open = _mm512_testn_epi64_mask(p, p);
    if (!open)
        return p;
    x = fold(n, RESIDUE(23 * 29 * 31 * 37));
    u64x8 s23 = SYMBOL(x, 23, 7), s29 = SYMBOL(x, 29, 8), s31 = SYMBOL(x, 31, 9), s37 = SYMBOL(x, 37, 10);
    u64x8 late = choose(all(0), product_of(product_of(s3, s11), s37), 35);
    late = choose(late, product_of(s3, s31), 29);
    late = choose(late, s29, 27);
    late = choose(late, product_of(s19, s23), 21);
    return _mm512_mask_mov_epi64(p, open, late);
}

#endif
