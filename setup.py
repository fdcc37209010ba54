"""The extension modules; all else about the build is in pyproject.toml."""

from glob import glob

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup

# Each interpreter with its own GIL needs its own copy of a module's state.
MODULE_STATE = [("CYTHON_USE_MODULE_STATE", "1")]

# The C that Cython generates begins with an underscore, the C that people write does not.
PRIMALITY_TESTS = sorted(glob("ext/primerace/[a-z]*.c") + glob("ext/primerace/simd/*.c"))
HEADERS = sorted(glob("ext/primerace/*.h") + glob("ext/primerace/simd/*.h"))

extensions = [
    Extension(
        "primerace._trial",
        ["ext/primerace/_trial.pyx"],
        define_macros=MODULE_STATE,
        libraries=["m"],
    ),
    Extension(
        "primerace._isprime",
        ["ext/primerace/_isprime.pyx", *PRIMALITY_TESTS],
        depends=HEADERS,
        define_macros=MODULE_STATE,
        extra_compile_args=["-O3"],
        libraries=["m"],
    ),
    Extension(
        "primerace._ufunc",
        ["ext/primerace/_ufunc.pyx"],
        define_macros=[("NPY_TARGET_VERSION", "NPY_2_0_API_VERSION")],
        include_dirs=[numpy.get_include()],
        extra_compile_args=["-O3"],
    ),
]

setup(ext_modules=cythonize(extensions, include_path=["ext"]))
