/* Which block function runs: the first in the table that this CPU supports. */
#include "isprime.h"

#include <stdatomic.h>

#if defined(__x86_64__)
/* Each asks for exactly the features that its file's target attribute names. */
static bool has_avx512ifma(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("avx512vbmi") &&
           __builtin_cpu_supports("gfni");
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

static bool always(void)
{
    return true;
}

const struct instruction_set instruction_sets[] = {
#if defined(__x86_64__)
    {"avx512ifma", has_avx512ifma, block_avx512ifma},
    {"avx2", has_avx2, block_avx2},
#endif
    {"scalar", always, block_scalar},
};

const size_t instruction_set_count = sizeof instruction_sets / sizeof *instruction_sets;

/* It points to constant data, so relaxed order is enough; NULL until first asked for. */
static _Atomic(const struct instruction_set *) current;

static const struct instruction_set *best_instruction_set(void)
{
    const struct instruction_set *set = instruction_sets;
    while (!set->supported())
        set++;
    return set;
}

const struct instruction_set *current_instruction_set(void)
{
    const struct instruction_set *set = atomic_load_explicit(&current, memory_order_relaxed);
    if (set)
        return set;
    const struct instruction_set *best = best_instruction_set();
    /* What another thread has selected meanwhile stays, and is now in `set`. */
    return atomic_compare_exchange_strong(&current, &set, best) ? best : set;
}

void select_instruction_set(const struct instruction_set *set)
{
    atomic_store_explicit(&current, set, memory_order_relaxed);
}
