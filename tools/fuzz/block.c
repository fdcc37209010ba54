/* libFuzzer on the block functions: every instruction set answers what is_prime_64 answers, one number at a time.

   Input is taken as words in memory of exactly their size, under AddressSanitizer; libFuzzer follows the
   branches that it reaches and the values that are compared there, which leads it to borders that nobody
   thought of. See check-fuzz. */
#include "isprime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t count = size / sizeof(uint64_t);
    uint64_t *n = malloc(count * sizeof *n);
    uint8_t *out = malloc(count);
    if (count)
        memcpy(n, data, count * sizeof *n);
    for (size_t i = 0; i < instruction_set_count; i++) {
        if (!instruction_sets[i].supported())
            continue;
        instruction_sets[i].block(n, count, out);
        for (size_t j = 0; j < count; j++) {
            if (out[j] == is_prime_64(n[j]))
                continue;
            fprintf(stderr, "%s: %llu was answered %u\n", instruction_sets[i].name, (unsigned long long)n[j], out[j]);
            abort();
        }
    }
    free(n);
    free(out);
    return 0;
}
