/* Finds, from nothing, one base for each of 256 classes of numbers such that a single strong test with the
   base of n's class decides every odd n < 2^32 without a prime factor up to 13. Prints the multiplier of
   the hash, then the bases; progress goes to stderr. Takes minutes on one core:  cc -O3 search_bases.c &&
   ./a.out

   A base must fail to hide any composite of its class. Nearly all composites that pass some strong test
   have prime factors p for which (p - 1) / gcd(p - 1, n - 1) is small, so these are listed first, and each
   class takes the smallest base with which all of its list fails. Then every n < 2^32 is compared with a
   sieve; a wrong answer joins its class's list, the class takes its next base, and only such classes are
   compared again. The last sweep compares all classes at once: it is the proof. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 256, TABLE = 1 << 22, SEGMENT = 1 << 16, MAX_RATIO = 512 };
static const uint64_t LIMIT = UINT64_C(1) << 32;
static const uint64_t ODD_PRIMES_BELOW_LIMIT = 203280220;
static const uint32_t MULTIPLIER = 0xB17217F7; /* 2^32 ln 2 */

static uint16_t smallest_factor[TABLE]; /* 0 for primes */

static struct class {
    uint32_t base;
    bool open; /* the base is new: no sweep has confirmed it */
    uint32_t *numbers;
    size_t count, capacity;
} classes[CLASSES];

static struct class *class_of(uint32_t n)
{
    return &classes[(uint8_t)((uint64_t)n * MULTIPLIER >> 24)];
}

static void add(uint32_t n)
{
    struct class *c = class_of(n);
    if (c->count == c->capacity) {
        c->capacity = c->capacity ? 2 * c->capacity : 4096;
        c->numbers = realloc(c->numbers, c->capacity * sizeof *c->numbers);
        if (!c->numbers)
            abort();
    }
    c->numbers[c->count++] = n;
}

static void to_front(struct class *c, size_t i)
{
    uint32_t n = c->numbers[i];
    memmove(c->numbers + 1, c->numbers, i * sizeof n);
    c->numbers[0] = n;
}

/* -a b / 2^64 mod n for a b < 2^64: the product modulo the Montgomery radix -2^64. */
static uint64_t product(uint64_t a, uint64_t b, uint64_t n, uint64_t inverse)
{
    return (unsigned __int128)(a * b * inverse) * n >> 64;
}

static bool passes(uint32_t n, uint32_t base)
{
    uint64_t inverse = n;
    for (int bits = 3; bits < 64; bits *= 2)
        inverse *= 2 - n * inverse;
    uint64_t one = n - -(uint64_t)n % n; /* -2^64 mod n; n > 1 is odd, so 2^64 mod n > 0 */
    uint64_t square = one * base % n, power = one;
    int twos = __builtin_ctz(n - 1);
    for (uint32_t d = (n - 1) >> twos; d; d >>= 1) {
        if (d & 1)
            power = product(power, square, n, inverse);
        square = product(square, square, n, inverse);
    }
    if (power == one)
        return true;
    for (; twos > 1 && power != n - one; twos--)
        power = product(power, power, n, inverse);
    return power == n - one;
}

static uint32_t gcd(uint32_t a, uint32_t b)
{
    return b ? gcd(b, a % b) : a;
}

static void fill_smallest_factors(void)
{
    for (uint32_t p = 2; p * p < TABLE; p++)
        for (uint32_t m = p * p; !smallest_factor[p] && m < TABLE; m += p)
            if (!smallest_factor[m])
                smallest_factor[m] = p;
}

/* (q - 1) / gcd(q - 1, n - 1): one in so many residues modulo q is a liar of Fermat's test for n. */
static uint32_t ratio(uint32_t q, uint32_t n)
{
    return (q - 1) / gcd(q - 1, n - 1);
}

/* Adds n = p m if no prime factor of m is below 17 or above p and one base in MAX_RATIO or more is a liar. */
static void add_if_dangerous(uint32_t p, uint32_t m)
{
    uint64_t product_of_ratios = ratio(p, p * m);
    for (uint32_t rest = m; rest > 1 && product_of_ratios <= MAX_RATIO;) {
        uint32_t q = smallest_factor[rest] ? smallest_factor[rest] : rest;
        if (q < 17 || q > p)
            return;
        product_of_ratios *= ratio(q, p * m);
        rest /= q;
    }
    if (product_of_ratios <= MAX_RATIO)
        add(p * m);
}

/* Lists the dangerous multiples p m < 2^32: gcd(p - 1, p m - 1) = gcd(p - 1, m - 1) is (p - 1) / r, r
   small. */
static void add_multiples(uint32_t p)
{
    uint64_t end = LIMIT / p < TABLE ? LIMIT / p : TABLE - 1;
    for (uint32_t r = 1; r <= MAX_RATIO && r < p; r++) {
        uint32_t g = (p - 1) / r;
        if (g * r == p - 1)
            for (uint64_t s = 1; g * s < end; s++)
                if (g * s % 2 == 0 && gcd(r, s) == 1)
                    add_if_dangerous(p, g * s + 1);
    }
}

/* No base may be a multiple of a prime of its class, and none may let a composite of its list pass. */
static bool right_for_all(struct class *c, uint32_t base)
{
    for (size_t i = 0; i < c->count; i++) {
        uint32_t n = c->numbers[i];
        bool prime = n < TABLE && !smallest_factor[n];
        if (passes(n, base) != prime) {
            to_front(c, i);
            return false;
        }
    }
    return true;
}

static void next_base(struct class *c)
{
    do
        if (++c->base > UINT16_MAX) {
            fprintf(stderr, "no base of 16 bits: choose another multiplier\n");
            exit(1);
        }
    while (!right_for_all(c, c->base));
    c->open = true;
}

/* Compares one segment of odd numbers from `low` on with a sieve; adds what an open class got wrong. */
static uint64_t compare_segment(uint64_t low, bool all)
{
    enum { BY_SMALL = 1, BY_LARGE = 2 };
    static uint8_t divisible[SEGMENT];
    uint64_t high = low + 2 * SEGMENT, primes = 0;
    memset(divisible, 0, sizeof divisible);
    for (uint64_t p = 3; p * p < high; p += 2) {
        if (smallest_factor[p])
            continue;
        uint64_t m = p * p > low ? p * p : low + (p - low % p) % p;
        for (m += m % 2 ? 0 : p; m < high; m += 2 * p)
            divisible[(m - low) / 2] |= p <= 13 ? BY_SMALL : BY_LARGE;
    }
    for (uint64_t n = low == 1 ? 3 : low; n < high; n += 2) {
        int by = divisible[(n - low) / 2];
        struct class *c = class_of(n);
        primes += !by;
        if (!(by & BY_SMALL) && n >= 17 && (all || c->open) && passes(n, c->base) == !!by)
            add(n);
    }
    return primes;
}

/* Compares all n < 2^32 of the open classes, or of all; returns whether every answer was right. */
static bool sweep(bool all)
{
    size_t known[CLASSES], wrong = 0, open = 0;
    uint64_t primes = 0;
    for (int i = 0; i < CLASSES; i++)
        known[i] = classes[i].count;
    for (uint64_t low = 1; low < LIMIT; low += 2 * SEGMENT)
        primes += compare_segment(low, all);
    for (int i = 0; i < CLASSES; i++) {
        struct class *c = &classes[i];
        open += all || c->open;
        wrong += c->count - known[i];
        c->open = false;
        if (c->count > known[i]) {
            to_front(c, c->count - 1);
            next_base(c);
        }
    }
    fprintf(stderr, "compared %zu classes: %zu wrong answers, %llu odd primes\n", open, wrong,
            (unsigned long long)primes);
    if (primes != ODD_PRIMES_BELOW_LIMIT)
        exit(1);
    return wrong == 0;
}

int main(void)
{
    fill_smallest_factors();
    for (uint32_t p = 17; p < TABLE; p += 2) {
        if (smallest_factor[p])
            continue;
        if (p <= UINT16_MAX)
            add(p);
        add_multiples(p);
    }
    for (int i = 0; i < CLASSES; i++) {
        classes[i].base = 1;
        next_base(&classes[i]);
    }
    fprintf(stderr, "bases found for the listed composites\n");
    while (!sweep(false))
        continue;
    if (!sweep(true))
        return 1;
    printf("%u\n", MULTIPLIER);
    for (int i = 0; i < CLASSES; i++)
        printf("%u\n", classes[i].base);
}
