"""The extension modules; all else about the build is in pyproject.toml."""

import os
from glob import glob
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError, LinkError

# For the coverage of Cython code (nox -s coverage): slow, and not for subinterpreters.
TRACED = os.environ.get("PRIMERACE_TRACE") == "1"

# Each interpreter with its own GIL needs its own copy of a module's state.
MODULE_STATE = [] if TRACED else [("CYTHON_USE_MODULE_STATE", "1")]

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
    Extension(
        "primerace._native",
        ["ext/primerace/_native.pyx"],
        extra_compile_args=["-O3"],
    ),
]


class Build(build_ext):
    """Builds `_native` with OpenMP where the compiler has it and PRIMERACE_NO_OPENMP=1 does not forbid it."""

    def build_extensions(self):
        native = next(each for each in self.extensions if each.name == "primerace._native")
        if os.environ.get("PRIMERACE_NO_OPENMP") != "1" and self._has_openmp():
            native.extra_compile_args.append("-fopenmp")
            native.extra_link_args.append("-fopenmp")
        else:
            self.warn("building without OpenMP: the racer native will not be available")
        if TRACED:
            for extension in self.extensions:
                extension.define_macros.append(("CYTHON_TRACE_NOGIL", "1"))
        super().build_extensions()

    def _has_openmp(self):
        program = "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n"
        with TemporaryDirectory() as folder:
            source = Path(folder, "openmp.c")
            source.write_text(program)
            try:
                objects = self.compiler.compile([str(source)], folder, extra_preargs=["-fopenmp"])
                self.compiler.link_executable(objects, "openmp", folder, extra_postargs=["-fopenmp"])
            except (CompileError, LinkError):
                return False
        return True


setup(
    ext_modules=cythonize(extensions, include_path=["ext"], compiler_directives={"linetrace": TRACED}),
    cmdclass={"build_ext": Build},
)
