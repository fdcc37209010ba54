/* What the AVX2 files share: the target of their functions and the lists that flow through the pipeline.

   AVX2 has no instruction that packs the selected lanes of a vector. `append` permutes them to the front by a
   table of 16 permutations, stores all four lanes and advances by the number selected: no branch, about two
   cycles for four numbers, where appending one by one costs as much for each. */
#ifndef PRIMERACE_AVX2_VECTOR_H
#define PRIMERACE_AVX2_VECTOR_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define AVX2 __attribute__((target("avx2,fma")))

enum {
    CHUNK = 4096,    /* numbers that go through the pipeline together */
    MOST_LANES = 32, /* the widest group that a test takes at once */
};

/* Numbers still undecided, and where in the chunk they stood. Whole vectors write into the tail. */
struct candidates {
    size_t count;
    uint64_t n[CHUNK + MOST_LANES], index[CHUNK + MOST_LANES];
};

static inline AVX2 __m256i load(const uint64_t *from)
{
    return _mm256_loadu_si256((const __m256i *)from);
}

static inline AVX2 __m256i splat(uint64_t x)
{
    return _mm256_set1_epi64x((long long)x);
}

/* The set of the first lanes. */
static inline uint32_t first_lanes(size_t count)
{
    return (uint32_t)((UINT64_C(1) << count) - 1);
}

/* One bit for each 64-bit lane: its sign. */
static inline AVX2 unsigned signs(__m256i x)
{
    return (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(x));
}

/* Row m moves the 64-bit lanes in the set m to the front, as pairs of 32-bit lanes. */
#define LANES(a, b, c, d) {2 * a, 2 * a + 1, 2 * b, 2 * b + 1, 2 * c, 2 * c + 1, 2 * d, 2 * d + 1}
static const uint32_t to_front[16][8] = {
    LANES(0, 1, 2, 3), LANES(0, 1, 2, 3), LANES(1, 0, 2, 3), LANES(0, 1, 2, 3),
    LANES(2, 0, 1, 3), LANES(0, 2, 1, 3), LANES(1, 2, 0, 3), LANES(0, 1, 2, 3),
    LANES(3, 0, 1, 2), LANES(0, 3, 1, 2), LANES(1, 3, 0, 2), LANES(0, 1, 3, 2),
    LANES(2, 3, 0, 1), LANES(0, 2, 3, 1), LANES(1, 2, 3, 0), LANES(0, 1, 2, 3),
};
#undef LANES

static inline AVX2 void append(struct candidates *list, __m256i n, __m256i index, unsigned selected)
{
    __m256i order = _mm256_loadu_si256((const __m256i *)to_front[selected]);
    _mm256_storeu_si256((__m256i *)(list->n + list->count), _mm256_permutevar8x32_epi32(n, order));
    _mm256_storeu_si256((__m256i *)(list->index + list->count), _mm256_permutevar8x32_epi32(index, order));
    list->count += (size_t)__builtin_popcount(selected);
}

/* The exponents of the tests of a group of numbers: n - 1 or n + 1 = 2^twos * odd. */
struct exponents {
    uint64_t odd[MOST_LANES];
    uint32_t lanes_with[64]; /* lanes_with[t] is the set of lanes with twos = t */
    int bits;                /* the length of the longest odd part */
};

static inline AVX2 struct exponents exponents_of(const uint64_t *n, int lanes, int offset)
{
    struct exponents e = {.bits = 0};
    uint64_t all = 0;
    for (int i = 0; i < lanes; i++) {
        uint64_t order = n[i] + (uint64_t)offset;
        int twos = __builtin_ctzll(order);
        e.odd[i] = order >> twos;
        e.lanes_with[twos] |= 1u << i;
        all |= e.odd[i];
    }
    e.bits = 64 - __builtin_clzll(all);
    return e;
}

#endif
