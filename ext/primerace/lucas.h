/* The extra strong Lucas test (J. Grantham, Frobenius pseudoprimes, Math. Comp. 70, 2001), the second half
   of the Baillie-PSW test. No composite n < 2^64 passes both it and the strong test with base 2: D.
   Jacobsen (documentation of Math::Prime::Util) ran it on J. Feitsma and W. Galway's list of all base-2
   pseudoprimes below 2^64.

   V_0 = 2, V_1 = P, V_(k+1) = P V_k - V_(k-1), U_0 = 0, U_1 = 1 likewise, D = P^2 - 4, and P = 3, 4, 5, ...
   is the first with Jacobi(D, n) = -1. With n + 1 = 2^s d, d odd, a prime n has
       U_d = 0 and V_d = 2 or -2,  or  V_(2^t d) = 0 for some t with 0 <= t <= s - 2        (all modulo n).
   Only V is computed, two products a bit:
       V_2k = V_k^2 - 2,   V_(2k+1) = V_k V_(k+1) - P.
   U costs one comparison more. Induction gives D U_k = 2 V_(k+1) - P V_k, so if V_d = 2 e with e = 1 or -1,
   then D U_d = 2 (V_(d+1) - e P), and as n is odd and prime to D, U_d = 0 exactly if V_(d+1) = e P. */
#ifndef PRIMERACE_LUCAS_H
#define PRIMERACE_LUCAS_H

#include "montgomery.h"
#include "tables.h"

#include <stdbool.h>

struct lucas_chain {
    uint64_t squared;    /* V_k or V_(k+1), whichever has an even index, for it came from a squaring, */
    uint64_t multiplied; /* and the other one; Montgomery form, where k has the first bits of d */
    uint64_t swaps;      /* from the top on: does the next bit of d differ from the last one of k? */
    uint64_t two, p;     /* 2 and P in Montgomery form */
};

/* The Jacobi symbol (a / n) for odd n. */
static inline int jacobi(uint64_t a, uint64_t n)
{
    int sign = 1;
    for (a %= n; a; a %= n) {
        int twos = __builtin_ctzll(a);
        a >>= twos;
        if ((twos & 1) && (n % 8 == 3 || n % 8 == 5))
            sign = -sign;
        if (a % 4 == 3 && n % 4 == 3)
            sign = -sign;
        uint64_t swap = a;
        a = n;
        n = swap;
    }
    return n == 1 ? sign : 0;
}

/* Is the odd n a square? Newton's iteration for y with n y^2 = 1 takes b right bits of n y^2 to 2 b - 2.
   The roots of n modulo 2^64 then are n y and its negative modulo 2^63, and the root of a square is below
   2^32. */
static inline bool is_square(uint64_t n)
{
    if (n % 8 != 1)
        return false;
    uint64_t y = 1;
    for (int bits = 3; bits < 64; bits = 2 * bits - 2)
        y *= (3 - n * y * y) / 2;
    uint64_t root = n * y << 1 >> 1, negative = (UINT64_C(1) << 63) - root;
    if (negative < root)
        root = negative;
    return root <= UINT32_MAX && root * root == n;
}

/* The first P >= 7 with Jacobi(P^2 - 4, n) = -1, or 0 if n is found to be composite: a square, for which
   there is no P, or not prime to P^2 - 4. (If n is prime, half of all P are good, and only P = n - 2 and n
   + 2 give 0.) */
static inline uint64_t large_lucas_parameter(uint64_t n)
{
    if (is_square(n))
        return 0;
    uint64_t p = 7;
    int symbol = jacobi(p * p - 4, n);
    while (symbol > 0) {
        p++;
        symbol = jacobi(p * p - 4, n);
    }
    return symbol < 0 ? p : 0;
}

/* The same for P >= 3, n prime to 2, 3, 5 and 7: one look at a table unless P exceeds 6, one case in 16. */
static inline uint64_t lucas_parameter(uint64_t n)
{
    uint64_t p = lucas_parameters[n % 840 / 2];
    return p ? p : large_lucas_parameter(n);
}

/* P R mod n for P >= 3, given R mod n. Nearly every P is at most 6. */
static inline uint64_t parameter_in_form(uint64_t p, uint64_t one, uint64_t n)
{
    uint64_t two = add(one, one, n), multiples[] = {0, one, two, add(two, one, n)}, sum = 0;
    for (; p > 6; p--)
        sum = add(sum, one, n);
    return add(sum, add(multiples[p / 2], multiples[p - p / 2], n), n);
}

/* The number of bits of d: no chain may take fewer steps. n + 1 must not overflow: 2^64 - 1 is divisible by
   3. */
static inline int lucas_steps(uint64_t n)
{
    return 64 - __builtin_clzll(n + 1) - __builtin_ctzll(n + 1);
}

/* Starts with k = 0, which leading zeros of d leave as it is. One is R mod n. */
static inline struct lucas_chain lucas_start(uint64_t p, uint64_t n, uint64_t one, int steps)
{
    uint64_t d = (n + 1) >> __builtin_ctzll(n + 1);
    uint64_t two = add(one, one, n), p_in_form = parameter_in_form(p, one, n);
    return (struct lucas_chain){
        .squared = two,
        .multiplied = p_in_form,
        .swaps = (d ^ d >> 1) << (64 - steps),
        .two = two,
        .p = p_in_form,
    };
}

/* From k to 2 k + the next bit. */
static inline void lucas_step(struct lucas_chain *chain, uint64_t n, uint64_t inverse)
{
    uint64_t x = (int64_t)chain->swaps < 0 ? chain->multiplied : chain->squared;
    product s = (product)x * x, m = (product)chain->squared * chain->multiplied;
    chain->swaps <<= 1;
    chain->squared = reduce(subtract(high_word(s), chain->two, n), (uint64_t)s, n, inverse);
    chain->multiplied = reduce(subtract(high_word(m), chain->p, n), (uint64_t)m, n, inverse);
}

/* The verdict when k = d. As d is odd, `multiplied` is V_d and `squared` is V_(d+1). */
static inline bool lucas_verdict(const struct lucas_chain *chain, uint64_t n, uint64_t inverse)
{
    uint64_t v = chain->multiplied, next = chain->squared;
    if ((v == chain->two && next == chain->p) || (v == n - chain->two && next == n - chain->p))
        return true;
    for (int twos = __builtin_ctzll(n + 1); twos > 1; twos--) {
        if (v == 0)
            return true;
        v = subtract(square(v, n, inverse), chain->two, n);
    }
    return false;
}

#endif
