"""The extension modules; all else about the build is in pyproject.toml."""

from Cython.Build import cythonize
from setuptools import Extension, setup

# Each interpreter with its own GIL needs its own copy of a module's state.
MODULE_STATE = [("CYTHON_USE_MODULE_STATE", "1")]

extensions = [
    Extension("primerace._trial", ["ext/primerace/_trial.pyx"], define_macros=MODULE_STATE),
]

setup(ext_modules=cythonize(extensions, include_path=["ext"]))
