/* Hammers the primality tests from several threads at once, for the sanitizers: see check-sanitizers.

   Usage: hammer THREADS BLOCKS [SEED]. Each thread takes so many blocks of random length from numbers whose
   answers are known by the definition below, has every instruction set answer them in memory of exactly
   their size, and selects and resets the instruction set in use while the others read it. */
#include "isprime.h"
#include "search.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POOL = 1 << 16, SHORT = 40, LONG = 8400 /* beyond two chunks of any instruction set */ };

static uint64_t pool[POOL];
static uint8_t known[POOL];
static long blocks;

static uint64_t draw(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9E3779B97F4A7C15); /* SplitMix64 (Steele, Lea, Flood 2014) */
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

static uint64_t power(uint64_t base, uint64_t exponent, uint64_t n)
{
    uint64_t result = 1;
    for (; exponent; exponent >>= 1) {
        if (exponent & 1)
            result = (uint64_t)((unsigned __int128)result * base % n);
        base = (uint64_t)((unsigned __int128)base * base % n);
    }
    return result;
}

/* Strong tests to the first 12 prime bases: proven below 2^64 (Sorenson, Webster 2017). */
static bool is_prime_by_definition(uint64_t n)
{
    static const uint64_t bases[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37};
    if (n < 2)
        return false;
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++)
        if (n % bases[i] == 0)
            return n == bases[i];
    int twos = __builtin_ctzll(n - 1);
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        uint64_t x = power(bases[i], (n - 1) >> twos, n);
        bool passes = x == 1 || x == n - 1;
        for (int j = 1; j < twos && !passes; j++) {
            x = power(x, 2, n);
            passes = x == n - 1;
        }
        if (!passes)
            return false;
    }
    return true;
}

/* A number of any length, beside a power of two, a product of two factors of like size, or the next prime. */
static uint64_t draw_number(uint64_t *state)
{
    uint64_t n = draw(state) >> draw(state) % 64;
    switch (draw(state) % 5) {
    case 0:
        return n;
    case 1:
        return (UINT64_C(1) << draw(state) % 64) + draw(state) % 64 - 32;
    case 2:
        return (n >> 32 | 1) * ((n >> 32) + 2 * (draw(state) % 8) + 1);
    default:
        return n < UINT64_MAX - 58 ? first_prime(n | 1, 2) : n; /* the last prime is 2^64 - 59 */
    }
}

static void fail(const char *who, uint64_t n, unsigned answer)
{
    printf("%s: %llu was answered %u\n", who, (unsigned long long)n, answer);
    exit(1);
}

static void compare(const char *who, const uint8_t *answers, size_t start, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (answers[i] != known[start + i])
            fail(who, pool[start + i], answers[i]);
}

static void *exact(size_t size)
{
    void *memory = malloc(size);
    if (!memory && size)
        abort();
    return memory;
}

/* The numbers end where their memory ends, so that reading on is found; answers begin at any byte. */
static void run_apart(const struct instruction_set *set, size_t start, size_t count, size_t shift)
{
    size_t words = count + shift % 2;
    uint64_t *memory = exact(words * sizeof *memory), *n = memory + shift % 2;
    uint8_t *out = exact(count + shift);
    if (count)
        memcpy(n, pool + start, count * sizeof *n);
    set->block(n, count, out + shift);
    compare(set->name, out + shift, start, count);
    free(memory);
    free(out);
}

static void run_in_place(const struct instruction_set *set, size_t start, size_t count)
{
    uint64_t *n = exact(count * sizeof *n);
    if (count)
        memcpy(n, pool + start, count * sizeof *n);
    set->block(n, count, (uint8_t *)n);
    compare(set->name, (uint8_t *)n, start, count);
    free(n);
}

/* Straight from the memory that all threads read, by whatever is selected at this moment. */
static void run_current(size_t start, size_t count)
{
    uint8_t *out = exact(count);
    const struct instruction_set *set = current_instruction_set();
    set->block(pool + start, count, out);
    compare(set->name, out, start, count);
    free(out);
}

static void run_alone(size_t place)
{
    uint64_t n = pool[place];
    if (is_prime_64(n) != known[place])
        fail("is_prime_64", n, !known[place]);
    if (n > 2 && known[place] && first_prime(n, -2) != n)
        fail("first_prime", n, 0);
}

static void *hammer(void *seed)
{
    uint64_t state = *(uint64_t *)seed;
    for (long i = 0; i < blocks; i++) {
        size_t count = draw(&state) % (draw(&state) % 8 ? SHORT : LONG);
        size_t start = draw(&state) % (POOL - count);
        const struct instruction_set *set = &instruction_sets[draw(&state) % instruction_set_count];
        if (set->supported()) {
            run_apart(set, start, count, draw(&state) % 8);
            run_in_place(set, start, count);
            select_instruction_set(draw(&state) % 2 ? set : NULL); /* NULL: to be chosen anew */
        }
        run_current(start, count);
        run_alone(start);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: hammer THREADS BLOCKS [SEED]\n");
        return 2;
    }
    int threads = atoi(argv[1]);
    blocks = atol(argv[2]);
    uint64_t state = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    for (size_t i = 0; i < POOL; i++) {
        pool[i] = draw_number(&state);
        known[i] = is_prime_by_definition(pool[i]);
    }
    pthread_t *crew = exact((size_t)threads * sizeof *crew);
    uint64_t *seeds = exact((size_t)threads * sizeof *seeds);
    for (int i = 0; i < threads; i++) {
        seeds[i] = draw(&state);
        if (pthread_create(&crew[i], NULL, hammer, &seeds[i]))
            abort();
    }
    for (int i = 0; i < threads; i++)
        pthread_join(crew[i], NULL);
    for (size_t i = 0; i < instruction_set_count; i++)
        if (instruction_sets[i].supported())
            printf("%s ", instruction_sets[i].name);
    printf("agree with the definition: %d threads, %ld blocks each\n", threads, blocks);
    free(crew);
    free(seeds);
    return 0;
}
