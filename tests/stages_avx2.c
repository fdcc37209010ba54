/* The stages of the block for AVX2, for test_stages.py. */
#include "simd/avx2_double.h"
#include "simd/avx2_montgomery.h"
#include "simd/avx2_parameter.h"

typedef uint32_t test_function(const uint64_t *n);

static void run_groups(test_function *test, int lanes, const uint64_t *n, size_t count, uint8_t *passes)
{
    for (size_t i = 0; i < count; i += (size_t)lanes) {
        uint32_t passing = test(n + i);
        for (int j = 0; j < lanes; j++)
            passes[i + j] = passing >> j & 1;
    }
}

void strong(const uint64_t *n, size_t count, uint8_t *passes)
{
    if (*n >> 50)
        run_groups(strong_64, 4 * STRONG_64_VECTORS, n, count, passes);
    else
        run_groups(strong_50, 4 * STRONG_50_VECTORS, n, count, passes);
}

void lucas(const uint64_t *n, size_t count, uint8_t *passes)
{
    if (*n >> 50)
        run_groups(lucas_64, 4 * LUCAS_64_VECTORS, n, count, passes);
    else
        run_groups(lucas_50, 4 * LUCAS_50_VECTORS, n, count, passes);
}

AVX2 void parameters(const uint64_t *n, size_t count, uint32_t *p)
{
    choose_parameters(n, (int)count, p);
}
