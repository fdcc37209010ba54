/* The search for the next prime, up or down. */
#ifndef PRIMERACE_SEARCH_H
#define PRIMERACE_SEARCH_H

#include <stdint.h>

/* The first prime among the odd numbers n, n + step, n + 2 step, ... for a step of 2 or -2; there must be one
   before they leave the range of uint64_t. */
uint64_t first_prime(uint64_t n, int64_t step);

#endif
