/* The stages of the portable block, for test_stages.py. */
#include "interleaved.c"

static void run_groups(group_function *group, size_t lanes, const uint64_t *n, size_t count, uint8_t *passes)
{
    struct candidate candidates[MOST_LANES];
    for (size_t i = 0; i < count; i += lanes) {
        for (size_t j = 0; j < lanes; j++)
            candidates[j] = candidate_of(n[i + j]);
        group(candidates, passes + i);
    }
}

void strong(const uint64_t *n, size_t count, uint8_t *passes)
{
    run_groups(strong_group, STRONG_LANES, n, count, passes);
}

void lucas(const uint64_t *n, size_t count, uint8_t *passes)
{
    run_groups(lucas_group, LUCAS_LANES, n, count, passes);
}

void parameters(const uint64_t *n, size_t count, uint32_t *p)
{
    for (size_t i = 0; i < count; i++)
        p[i] = (uint32_t)lucas_parameter(n[i]);
}
