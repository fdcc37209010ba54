/* The stages of the block for AVX-512 IFMA, for test_stages.py; with -DNARROW as for the last few numbers. */
#include "simd/avx512_lucas.h"
#include "simd/avx512_strong.h"

#ifdef NARROW
enum { STRONG_WIDTH = 2, LUCAS_WIDTH = 1 };
#else
enum { STRONG_WIDTH = STRONG_VECTORS, LUCAS_WIDTH = LUCAS_VECTORS };
#endif

static void unpack(uint64_t passing, int lanes, uint8_t *passes)
{
    for (int j = 0; j < lanes; j++)
        passes[j] = passing >> j & 1;
}

AVX512 void strong(const uint64_t *n, size_t count, uint8_t *passes)
{
    uint64_t ones[STRONG_GROUP];
    for (size_t i = 0; i < count; i += 8 * STRONG_WIDTH) {
        uint64_t passing = *n >> 50 ? strong_base_2(n + i, ones, 2, STRONG_WIDTH)
                                    : strong_base_2(n + i, ones, 1, STRONG_WIDTH);
        unpack(passing, 8 * STRONG_WIDTH, passes + i);
    }
}

/* R modulo n, R = 2^52 or 2^104: what the strong test leaves for those that pass. */
static uint64_t one_of(uint64_t n)
{
    unsigned __int128 digit = UINT64_C(1) << 52;
    return (uint64_t)(n >> 50 ? digit * digit % n : digit % n);
}

/* 2 where the number has no small parameter. */
AVX512 void lucas(const uint64_t *n, size_t count, uint8_t *passes)
{
    uint64_t ones[LUCAS_GROUP], unknown;
    for (size_t i = 0; i < count; i += 8 * LUCAS_WIDTH) {
        for (int j = 0; j < 8 * LUCAS_WIDTH; j++)
            ones[j] = one_of(n[i + j]);
        uint64_t passing = *n >> 50 ? lucas_test(n + i, ones, &unknown, 2, LUCAS_WIDTH)
                                    : lucas_test(n + i, ones, &unknown, 1, LUCAS_WIDTH);
        unpack(passing, 8 * LUCAS_WIDTH, passes + i);
        for (int j = 0; j < 8 * LUCAS_WIDTH; j++)
            if (unknown >> j & 1)
                passes[i + j] = 2;
    }
}

/* 0 where the number has no small parameter. */
AVX512 void parameters(const uint64_t *n, size_t count, uint32_t *p)
{
    for (size_t i = 0; i < count; i += 8)
        _mm256_storeu_si256((__m256i *)(p + i), _mm512_cvtepi64_epi32(lucas_parameter(load(n + i))));
}
