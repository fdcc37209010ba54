/* Blocks of numbers with AVX-512 IFMA, eight to a vector.

   A number moves through queues, one before each stage: more trial division, a strong test, a Lucas test.
   A stage runs when its queue holds a full group, so that every vector is full although most numbers
   leave early. Below 2^32 one strong test with a base from a table decides; above it is Baillie-PSW, with
   one 52-bit digit below 2^50 and two from there on. The few numbers that the vectors are not made for go
   to is_prime_64.

   On a Zen 4 core at 3.7 GHz a random odd number of 64 bits takes 12 ns, a prime of 64 bits 113 ns and one
   of 50 bits 42 ns; is_prime_64 needs 66, 302 and 240. */
#include "../isprime.h"

#if defined(__x86_64__)

#include "../tables.h"
#include "avx512_lucas.h"
#include "avx512_strong.h"
#include "avx512_trial.h"

#include <string.h>

enum {
    SMALL_BLOCK = 16,   /* Up to here block_scalar is faster for random numbers, though not for primes. */
    FEW = 2,            /* So few survivors are not worth a group; */
    STRONG_NARROW = 16, /* so few are worth one of two vectors, */
    LUCAS_NARROW = 8,   /* or of a single one. */
    QUEUE_CAPACITY = 144, /* An incomplete group of up to 64, a full one from the stage before, a vector. */
};

/* How many groups of primes a number is divided by: each that comes through, one whose tests have one
   digit, and one whose tests have two and take three times as long. */
enum { GROUPS_FOR_ALL = 1, GROUPS_FOR_ONE_DIGIT = 5, GROUPS_FOR_TWO_DIGITS = PRIME_GROUPS };

static const uint64_t ONE_DIGIT_END = UINT64_C(1) << 50;

/* A stack of numbers, their places in the block, and R mod n once a strong test has found it. */
struct queue {
    size_t count;
    uint64_t number[QUEUE_CAPACITY], index[QUEUE_CAPACITY], one[QUEUE_CAPACITY];
};

struct pipeline {
    uint8_t *out;
    struct queue trial, strong_32, strong_1, strong_2, lucas_1, lucas_2;
};

/* Numbers taken off a queue: valid until the next push. */
struct group {
    const uint64_t *number, *index, *one;
    uint64_t valid; /* a bit for each; what is beyond fills the vectors */
};

INLINE void store_lanes(uint64_t *to, __mmask8 lanes, u64x8 x)
{
    store(to, _mm512_maskz_compress_epi64(lanes, x));
}

INLINE void push(struct queue *queue, __mmask8 lanes, u64x8 number, u64x8 index)
{
    store_lanes(queue->number + queue->count, lanes, number);
    store_lanes(queue->index + queue->count, lanes, index);
    queue->count += (size_t)__builtin_popcount(lanes);
}

static void fill_up(uint64_t *array, size_t count, size_t size)
{
    for (; count < size; count++)
        array[count] = array[0];
}

/* The last numbers of a queue that is not empty. */
static struct group take(struct queue *queue, size_t size)
{
    fill_up(queue->number, queue->count, size);
    size_t taken = queue->count < size ? queue->count : size, start = queue->count -= taken;
    return (struct group){
        .number = queue->number + start,
        .index = queue->index + start,
        .one = queue->one + start,
        .valid = ~UINT64_C(0) >> (64 - taken),
    };
}

static void mark(uint8_t *out, const struct group *group, uint64_t primes)
{
    for (primes &= group->valid; primes; primes &= primes - 1)
        out[group->index[__builtin_ctzll(primes)]] = 1;
}

static void mark_one_by_one(uint8_t *out, const struct group *group, uint64_t numbers)
{
    for (numbers &= group->valid; numbers; numbers &= numbers - 1) {
        int i = __builtin_ctzll(numbers);
        out[group->index[i]] = is_prime_64(group->number[i]);
    }
}

/* Empties a queue of few numbers. */
static bool settle_few(struct queue *queue, uint8_t *out)
{
    if (queue->count > FEW)
        return false;
    struct group group = take(queue, queue->count);
    mark_one_by_one(out, &group, group.valid);
    return true;
}

/* The stages. Each takes one group off its queue, which must not be empty: a full group unless the block
   is at its end. */

AVX512 static void run_lucas(struct queue *queue, int digits, uint8_t *out)
{
    if (settle_few(queue, out))
        return;
    bool wide = queue->count > LUCAS_NARROW;
    fill_up(queue->one, queue->count, LUCAS_GROUP);
    struct group group = take(queue, LUCAS_GROUP);
    uint64_t unknown, primes;
    if (wide)
        primes = digits == 1 ? lucas_test(group.number, group.one, &unknown, 1, LUCAS_VECTORS)
                             : lucas_test(group.number, group.one, &unknown, 2, LUCAS_VECTORS);
    else
        primes = digits == 1 ? lucas_test(group.number, group.one, &unknown, 1, 1)
                             : lucas_test(group.number, group.one, &unknown, 2, 1);
    mark(out, &group, primes);
    mark_one_by_one(out, &group, unknown);
}

AVX512 static void run_strong(struct queue *queue, struct queue *next, int digits, uint8_t *out)
{
    if (settle_few(queue, out))
        return;
    bool wide = queue->count > STRONG_NARROW;
    struct group group = take(queue, STRONG_GROUP);
    uint64_t one[STRONG_GROUP], pass;
    if (wide)
        pass = digits == 1 ? strong_base_2(group.number, one, 1, STRONG_VECTORS)
                           : strong_base_2(group.number, one, 2, STRONG_VECTORS);
    else
        pass = digits == 1 ? strong_base_2(group.number, one, 1, 2) : strong_base_2(group.number, one, 2, 2);
    pass &= group.valid;
    for (int i = 0; pass >> i; i += 8) {
        __mmask8 lanes = (__mmask8)(pass >> i);
        store_lanes(next->one + next->count, lanes, load(one + i));
        push(next, lanes, load(group.number + i), load(group.index + i));
    }
    while (next->count >= LUCAS_GROUP)
        run_lucas(next, digits, out);
}

AVX512 static void run_strong_32(struct queue *queue, uint8_t *out)
{
    if (settle_few(queue, out))
        return;
    bool wide = queue->count > STRONG_NARROW;
    struct group group = take(queue, STRONG_GROUP);
    uint64_t base[STRONG_GROUP];
    for (int i = 0; i < STRONG_GROUP; i++)
        base[i] = base_32((uint32_t)group.number[i]);
    uint64_t primes = wide ? strong_32(group.number, base, STRONG_VECTORS) : strong_32(group.number, base, 2);
    mark(out, &group, primes);
}

/* Runs the strong tests for which there are so many numbers. */
static void run_strong_tests(struct pipeline *pipeline, size_t least)
{
    while (pipeline->strong_32.count >= least)
        run_strong_32(&pipeline->strong_32, pipeline->out);
    while (pipeline->strong_1.count >= least)
        run_strong(&pipeline->strong_1, &pipeline->lucas_1, 1, pipeline->out);
    while (pipeline->strong_2.count >= least)
        run_strong(&pipeline->strong_2, &pipeline->lucas_2, 2, pipeline->out);
}

/* More trial division, and the split by the test that comes next. */
AVX512 static void run_trial(struct pipeline *pipeline)
{
    enum { vectors = TRIAL_VECTORS };
    struct group group = take(&pipeline->trial, TRIAL_GROUP);
    u64x8 x[vectors], divided[vectors], largest = all(0);
    uint64_t unfit = 0;
    EACH_VECTOR {
        x[v] = load(group.number + 8 * v);
        divided[v] = all(0);
        largest = _mm512_max_epu64(largest, x[v]);
        u64x8 end = _mm512_and_si512(x[v], all((UINT64_C(2) << HISTORY) - 1));
        __mmask8 one = _mm512_cmpeq_epi64_mask(end, all(1));
        __mmask8 minus_one = _mm512_cmpeq_epi64_mask(end, all((UINT64_C(2) << HISTORY) - 1));
        unfit |= (uint64_t)(one | minus_one) << 8 * v;
    }
    mark_one_by_one(pipeline->out, &group, unfit);
    uint64_t fit = group.valid & ~unfit;
    bool one_digit = _mm512_reduce_max_epu64(largest) < ONE_DIGIT_END;
    divide_by_groups(x, divided, GROUPS_FOR_ALL, one_digit ? GROUPS_FOR_ONE_DIGIT : GROUPS_FOR_TWO_DIGITS);
    for (int v = 0; v < vectors; v++) {
        u64x8 index = load(group.index + 8 * v);
        __mmask8 lanes = (__mmask8)(fit >> 8 * v) & (__mmask8)~_mm512_movepi64_mask(divided[v]);
        __mmask8 below_32 = _mm512_mask_cmplt_epu64_mask(lanes, x[v], all(UINT64_C(1) << 32));
        __mmask8 below_50 = _mm512_mask_cmplt_epu64_mask(lanes, x[v], all(ONE_DIGIT_END));
        if (below_32)
            push(&pipeline->strong_32, below_32, x[v], index);
        if (below_32 != below_50)
            push(&pipeline->strong_1, below_32 ^ below_50, x[v], index);
        if (below_50 != lanes)
            push(&pipeline->strong_2, below_50 ^ lanes, x[v], index);
    }
    run_strong_tests(pipeline, STRONG_GROUP);
}

static void mark_tiny(uint8_t *out, const uint64_t *number, uint64_t tiny)
{
    for (; tiny; tiny &= tiny - 1) {
        int i = __builtin_ctzll(tiny);
        out[i] = is_tiny_prime(number[i]);
    }
}

/* The first stage, for up to a group of numbers from n[start] on. They are read before anything is
   written. */
AVX512 static void run_first(struct pipeline *pipeline, const uint64_t *n, size_t start, size_t count)
{
    enum { vectors = TRIAL_VECTORS };
    u64x8 x[vectors], divided[vectors];
    uint64_t valid = ~UINT64_C(0) >> (64 - count), tiny = 0, number[TRIAL_GROUP];
    EACH_VECTOR {
        x[v] = _mm512_maskz_loadu_epi64((__mmask8)(valid >> 8 * v), n + start + 8 * v);
        divided[v] = all(0);
        tiny |= (uint64_t)_mm512_cmplt_epu64_mask(x[v], all(TABULATED)) << 8 * v;
    }
    memset(pipeline->out + start, 0, count);
    if (tiny) {
        EACH_VECTOR
            store(number + 8 * v, x[v]);
        mark_tiny(pipeline->out + start, number, tiny & valid);
    }
    divide_by_groups(x, divided, 0, GROUPS_FOR_ALL);
    u64x8 index = add(all(start), _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0));
    for (int v = 0; v < vectors; v++) {
        __mmask8 odd = _mm512_test_epi64_mask(x[v], all(1));
        __mmask8 out = (__mmask8)(tiny >> 8 * v) | _mm512_movepi64_mask(divided[v]);
        push(&pipeline->trial, odd & (__mmask8)~out, x[v], add(index, all(8 * (uint64_t)v)));
    }
    while (pipeline->trial.count >= TRIAL_GROUP)
        run_trial(pipeline);
}

AVX512 void block_avx512ifma(const uint64_t *n, size_t count, uint8_t *out)
{
    if (count <= SMALL_BLOCK) {
        block_scalar(n, count, out);
        return;
    }
    struct pipeline pipeline;
    pipeline.out = out;
    pipeline.trial.count = pipeline.strong_32.count = pipeline.strong_1.count = pipeline.strong_2.count = 0;
    pipeline.lucas_1.count = pipeline.lucas_2.count = 0;
    for (size_t i = 0; i < count; i += TRIAL_GROUP)
        run_first(&pipeline, n, i, count - i < TRIAL_GROUP ? count - i : TRIAL_GROUP);
    if (pipeline.trial.count)
        run_trial(&pipeline);
    run_strong_tests(&pipeline, 1);
    if (pipeline.lucas_1.count)
        run_lucas(&pipeline.lucas_1, 1, out);
    if (pipeline.lucas_2.count)
        run_lucas(&pipeline.lucas_2, 2, out);
}

#endif
