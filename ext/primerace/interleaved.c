/* Several numbers at once: a step of a test is a chain of multiplications, and the steps of independent
   numbers fill the pipelines that one chain leaves idle. All chains of a group take as many steps as the
   longest needs; the others begin with zeros, which change nothing, so that every chain ends with its own
   last bit. The loops over lanes have constant bounds: the compiler unrolls them. */
#include "interleaved.h"
#include "lanes.h"
#include "lucas.h"
#include "montgomery.h"
#include "strong.h"
#include "strong_32.h"

enum { STRONG_LANES = 8, LUCAS_LANES = 4, BLOCK = 256 /* a multiple of both */ };

static void strong_group_32(const struct candidate *c, uint8_t *passes)
{
    struct strong_chain_32 chain[STRONG_LANES];
    int steps = 0;
    for (int i = 0; i < STRONG_LANES; i++)
        steps = max(steps, strong_steps_32(c[i].n));
    for (int i = 0; i < STRONG_LANES; i++)
        chain[i] = strong_start_32(c[i].n, c[i].inverse, c[i].one, steps);
    for (; steps > 0; steps--)
        for (int i = 0; i < STRONG_LANES; i++)
            strong_step_32(&chain[i], c[i].n);
    for (int i = 0; i < STRONG_LANES; i++)
        passes[i] = strong_verdict_32(chain[i].x, c[i].n, c[i].inverse, c[i].one);
}

static void strong_group(const struct candidate *c, uint8_t *passes)
{
    strong_tests(STRONG_LANES, c, passes);
}

static void lucas_group(const struct candidate *c, uint8_t *passes)
{
    struct lucas_chain chain[LUCAS_LANES];
    uint64_t p[LUCAS_LANES];
    int steps = 0;
    for (int i = 0; i < LUCAS_LANES; i++) {
        p[i] = lucas_parameter(c[i].n);
        steps = max(steps, lucas_steps(c[i].n));
    }
    for (int i = 0; i < LUCAS_LANES; i++)
        chain[i] = lucas_start(p[i], c[i].n, c[i].one, steps);
    for (; steps > 0; steps--)
        for (int i = 0; i < LUCAS_LANES; i++)
            lucas_step(&chain[i], c[i].n, c[i].inverse);
    for (int i = 0; i < LUCAS_LANES; i++)
        passes[i] = p[i] && lucas_verdict(&chain[i], c[i].n, c[i].inverse);
}

typedef void group_function(const struct candidate *c, uint8_t *passes);

/* Runs groups of `lanes` over the candidates; the last group is filled up with copies of the last one. */
static void run(group_function *group, size_t lanes, struct candidate *c, size_t count, uint8_t *passes)
{
    for (size_t i = count; i % lanes; i++)
        c[i] = c[count - 1];
    for (size_t i = 0; i < count; i += lanes)
        group(c + i, passes + i);
}

static void strong_block_32(const uint64_t *n, size_t count, uint8_t *prime)
{
    struct candidate candidates[BLOCK];
    uint8_t passes[BLOCK];
    for (size_t i = 0; i < count; i++)
        candidates[i] = candidate_of(n[i]);
    run(strong_group_32, STRONG_LANES, candidates, count, passes);
    for (size_t i = 0; i < count; i++)
        prime[i] = passes[i];
}

static void baillie_psw_block(const uint64_t *n, size_t count, uint8_t *prime)
{
    struct candidate candidates[BLOCK];
    uint8_t passes[BLOCK];
    size_t left = 0, next = 0;
    for (size_t i = 0; i < count; i++)
        candidates[i] = candidate_of(n[i]);
    run(strong_group, STRONG_LANES, candidates, count, passes);
    for (size_t i = 0; i < count; i++) {
        prime[i] = passes[i];
        candidates[left] = candidates[i];
        left += passes[i];
    }
    run(lucas_group, LUCAS_LANES, candidates, left, passes);
    for (size_t i = 0; i < count; i++)
        if (prime[i])
            prime[i] = passes[next++];
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

void strong_tests_32(const uint64_t *n, size_t count, uint8_t *prime)
{
    for (size_t i = 0; i < count; i += BLOCK)
        strong_block_32(n + i, min_size(BLOCK, count - i), prime + i);
}

void baillie_psw_tests(const uint64_t *n, size_t count, uint8_t *prime)
{
    for (size_t i = 0; i < count; i += BLOCK)
        baillie_psw_block(n + i, min_size(BLOCK, count - i), prime + i);
}
