/* The tests and their stages as a program that an emulator can run, for emulated.py. Its argument says what to run:
   "single", an instruction set, or a stage of the portable block. It reads 64-bit words and writes an answer for each.
   Without an argument it names the instruction set that it would use. */
#include "isprime.h"
#include "stages_scalar.c"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void single(const uint64_t *n, size_t count, uint8_t *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = is_prime_64(n[i]);
}

static block_function *find(const char *name)
{
    if (!strcmp(name, "single"))
        return single;
    if (!strcmp(name, "strong"))
        return strong;
    if (!strcmp(name, "lucas"))
        return lucas;
    for (size_t i = 0; i < instruction_set_count; i++)
        if (!strcmp(name, instruction_sets[i].name) && instruction_sets[i].supported())
            return instruction_sets[i].block;
    return NULL;
}

/* All of standard input; there is never more than this. */
static size_t read_words(uint64_t **n)
{
    enum { MOST = 1 << 22 };
    *n = malloc(MOST * sizeof **n);
    return *n ? fread(*n, sizeof **n, MOST, stdin) : 0;
}

static int answer(const char *name)
{
    uint64_t *n;
    size_t count = read_words(&n);
    uint32_t *out = malloc((count + 1) * sizeof *out);
    if (!n || !out)
        return 1;
    size_t width = 1;
    if (!strcmp(name, "parameters")) {
        width = sizeof *out;
        parameters(n, count, out);
    } else {
        block_function *block = find(name);
        if (!block)
            return 2;
        block(n, count, (uint8_t *)out);
    }
    return fwrite(out, width, count, stdout) != count;
}

int main(int arguments, char **argument)
{
    if (arguments > 1)
        return answer(argument[1]);
    return puts(current_instruction_set()->name) < 0;
}
