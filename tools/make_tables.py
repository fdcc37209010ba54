"""Write ext/primerace/tables.h from nothing: `python tools/make_tables.py`.

The bases of the strong test below 2**32 take some minutes of one core: search_bases.c finds and proves them.
"""

import pathlib
import subprocess
import tempfile

TOOLS = pathlib.Path(__file__).resolve().parent
HEADER = TOOLS.parent / "ext" / "primerace" / "tables.h"
LARGEST_SMALL_PRIME = 211  # the last one of the trial division (simd/avx512_trial.h)
TABULATED = 1024

TEMPLATE = """\
/* Made by tools/make_tables.py from nothing; change that, not this. */
#ifndef PRIMERACE_TABLES_H
#define PRIMERACE_TABLES_H

#include <stdbool.h>
#include <stdint.h>

enum {{ TABULATED = {tabulated} }}; /* is_tiny_prime answers below. */

/* Bit n / 2 tells whether the odd n is prime. */
static const uint64_t tiny_odd_primes[{tiny_words}] = {{
{bitmap}
}};

static inline bool is_tiny_prime(uint64_t n)
{{
    return n % 2 ? tiny_odd_primes[n / 128] >> n / 2 % 64 & 1 : n == 2;
}}

/* The odd primes up to {largest} in order. p divides n exactly if n * inverse, modulo 2^64, is at most the
   limit: multiplication by the inverse permutes the residues and sends the multiples of p to 0, 1, 2, ... */
static const struct small_prime {{
    uint64_t inverse; /* of p, modulo 2^64 */
    uint64_t limit;   /* (2^64 - 1) / p, rounded down */
}} small_primes[{small_prime_count}] = {{
{small_primes}
}};

/* For odd n prime to 3, 5 and 7, entry n % 840 / 2 is the first P >= 3 for which the Jacobi symbol of P^2 - 4
   and n is -1, or 0 if P > 6: 3^2 - 4, ..., 6^2 - 4 are 5, 4 * 3, 3 * 7 and 16 * 2, and the periods of their
   symbols divide 840. */
static const uint8_t lucas_parameters[420] = {{
{lucas_parameters}
}};

/* One strong test with base_32(n) decides every odd n < 2^32 that has no prime factor up to 13. The bases
   were found by exhaustive search and compared with a sieve of all these n (tools/search_bases.c). */
static const uint16_t bases_32[256] = {{
{bases}
}};

enum {{ BASES_32_SHIFT = 24 }};
static const uint32_t bases_32_multiplier = {multiplier:#x};

static inline uint32_t base_32(uint32_t n)
{{
    return bases_32[(uint8_t)((uint64_t)n * bases_32_multiplier >> BASES_32_SHIFT)];
}}

#endif
"""


def is_prime(n):
    return n > 1 and all(n % d for d in range(2, int(n**0.5) + 1))


def small_prime(p):
    return f"    {{{pow(p, -1, 2**64):#018x}, {(2**64 - 1) // p:#018x}}}, /* {p} */"


def jacobi(a, n):
    """Return the Jacobi symbol of a and an odd n."""
    sign, a = 1, a % n
    while a:
        while a % 2 == 0:
            a //= 2
            if n % 8 in (3, 5):
                sign = -sign
        if a % 4 == n % 4 == 3:
            sign = -sign
        a, n = n % a, a
    return sign if n == 1 else 0


def lucas_parameter(n):
    return next((p for p in range(3, 7) if jacobi(p * p - 4, n) == -1), 0)


def rows(items, per_row):
    return "\n".join("    " + ", ".join(items[i : i + per_row]) + "," for i in range(0, len(items), per_row))


def search_bases():
    """Return the multiplier of the hash and the 256 bases."""
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/search_bases"
        subprocess.run(["cc", "-O3", "-o", program, TOOLS / "search_bases.c"], check=True)
        found = subprocess.run([program], check=True, stdout=subprocess.PIPE, text=True).stdout
    multiplier, *bases = map(int, found.split())
    return multiplier, bases


def render(multiplier, bases):
    """Return the header with these bases."""
    primes = [p for p in range(3, LARGEST_SMALL_PRIME + 1) if is_prime(p)]
    words = [
        sum(is_prime(128 * i + 2 * bit + 1) << bit for bit in range(64)) for i in range(TABULATED // 128)
    ]
    return TEMPLATE.format(
        tabulated=TABULATED,
        tiny_words=len(words),
        bitmap=rows([f"{word:#018x}" for word in words], 4),
        largest=LARGEST_SMALL_PRIME,
        small_prime_count=len(primes),
        small_primes="\n".join(map(small_prime, primes)),
        lucas_parameters=rows([str(lucas_parameter(n)) for n in range(1, 840, 2)], 35),
        multiplier=multiplier,
        bases=rows([f"{base:5}" for base in bases], 14),
    )


if __name__ == "__main__":
    HEADER.write_text(render(*search_bases()))
