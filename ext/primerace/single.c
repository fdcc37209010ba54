/* One number by the path with the least latency.

   Trial division by small primes settles nine numbers of ten. Below 2^32 one strong test with a base from
   a table is enough; above it is Baillie-PSW: the strong test with base 2 and the extra strong Lucas test.
   A step of either test is a chain of three multiplications, and the processor would idle most of it. So
   the base-2 chain and both chains of the Lucas test run in one loop, which takes little longer than the
   longest of them: 1.6 times as fast as one after the other for a prime, at the cost of a tenth for a
   composite that only the tests expose. */
#include "isprime.h"
#include "lucas.h"
#include "montgomery.h"
#include "strong.h"
#include "strong_32.h"
#include "trial.h"

/* Both tests stay out of line, so that the early answers need not save the registers that they use. */
#define OUT_OF_LINE __attribute__((noinline))

OUT_OF_LINE static bool is_prime_32(uint64_t n)
{
    uint64_t inverse = inverse_of(n), one = one_of(n);
    int steps = strong_steps_32(n);
    struct strong_chain_32 chain = strong_start_32(n, inverse, one, steps);
    for (; steps > 0; steps--)
        strong_step_32(&chain, n);
    return strong_verdict_32(chain.x, n, inverse, one);
}

OUT_OF_LINE static bool baillie_psw(uint64_t n)
{
    uint64_t inverse = inverse_of(n), one = one_of(n);
    uint64_t p = lucas_parameter(n);
    if (p == 0)
        return false;
    struct digits digits = strong_digits(n);
    int place = digits.count - 1, steps = lucas_steps(n);
    uint64_t x = strong_shift(one, digits, place, n, inverse);
    struct lucas_chain lucas = lucas_start(p, n, one, steps);
    for (; place > 0 && steps >= DIGIT_BITS; steps -= DIGIT_BITS) {
        for (int i = 0; i < DIGIT_BITS; i++) {
            x = square(x, n, inverse);
            lucas_step(&lucas, n, inverse);
        }
        x = strong_shift(x, digits, --place, n, inverse);
    }
    while (place > 0) {
        for (int i = 0; i < DIGIT_BITS; i++)
            x = square(x, n, inverse);
        x = strong_shift(x, digits, --place, n, inverse);
    }
    if (!strong_verdict(x, n, inverse, one))
        return false;
    for (; steps > 0; steps--)
        lucas_step(&lucas, n, inverse);
    return lucas_verdict(&lucas, n, inverse);
}

bool is_prime_64(uint64_t n)
{
    if (n < TINY)
        return is_tiny_prime(n);
    if (n % 2 == 0 || has_small_factor(n))
        return false;
    if (n < TINY * TINY)
        return true;
    return n >> 32 ? baillie_psw(n) : is_prime_32(n);
}
