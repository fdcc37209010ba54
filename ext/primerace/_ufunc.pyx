# cython: language_level=3, cdivision=True
# cython: freethreading_compatible=True
"""is_prime as a NumPy ufunc, with loops for every integer type, so that no number is ever rounded.

The loops are added through NumPy's interface for data types (NEP 42 and 43), not as a list of functions by
type codes: only so can a loop end with an error, which Ctrl-C needs, and a type without a loop is an error.
The older interface would pass floats and dates on as Python objects.

NumPy releases the GIL for more than 500 numbers, and casts in pieces what has no loop, such as foreign byte
orders.
"""

import threading

import numpy

cimport numpy as cnp
from cpython.exc cimport PyErr_CheckSignals
from cpython.object cimport PyObject
from libc.stdint cimport INT64_MAX, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from numpy cimport npy_intp

from primerace import simd  # which chooses what PRIMERACE_SIMD names
from primerace._isprime cimport answer_block, answer_integer

cdef extern from "Python.h":
    ctypedef struct PyType_Slot:
        int slot
        void *pfunc

cdef extern from "numpy/arrayobject.h":
    ctypedef struct PyArray_DTypeMeta
    ctypedef struct PyArray_Descr:
        char kind
    npy_intp PyDataType_ELSIZE(const PyArray_Descr *) nogil

cdef extern from "numpy/dtype_api.h":
    ctypedef int NPY_ARRAYMETHOD_FLAGS
    const NPY_ARRAYMETHOD_FLAGS NPY_METH_REQUIRES_PYAPI
    const NPY_ARRAYMETHOD_FLAGS NPY_METH_NO_FLOATINGPOINT_ERRORS
    const int NPY_METH_strided_loop
    ctypedef struct PyArrayMethod_Context:
        PyArray_Descr **descriptors
    ctypedef struct PyArrayMethod_Spec:
        const char *name
        int nin, nout
        cnp.NPY_CASTING casting
        NPY_ARRAYMETHOD_FLAGS flags
        PyArray_DTypeMeta **dtypes
        PyType_Slot *slots

cdef extern from "numpy/ufuncobject.h":
    int PyUFunc_AddLoopFromSpec(object ufunc, PyArrayMethod_Spec *) except -1

ctypedef fused integer:
    int8_t
    int16_t
    int32_t
    int64_t
    uint8_t
    uint16_t
    uint32_t
    uint64_t

cdef enum:
    CHUNK = 4096  # widened numbers, 32 KiB
    SLICE = 1 << 17  # numbers between two looks for signals: 40 ms if all are 64-bit primes, without vectors

cdef extern from *:
    """
    static _Thread_local int64_t until_look = 0;
    """
    int64_t until_look

ctypedef struct Numbers:
    const char *first
    npy_intp stride
    npy_intp size  # in bytes
    bint is_signed

ctypedef struct Answers:
    uint8_t *first
    npy_intp stride


cdef inline void widen_as(const integer *first, npy_intp stride, npy_intp count,
                          uint64_t *words) noexcept nogil:
    cdef npy_intp i
    cdef integer n
    for i in range(count):
        n = (<const integer *>(<const char *>first + i * stride))[0]
        words[i] = <uint64_t>n if n > 0 else 0


cdef inline void widen_type(const integer *first, npy_intp stride, npy_intp count,
                            uint64_t *words) noexcept nogil:
    if stride == sizeof(integer):
        widen_as(first, sizeof(integer), count, words)  # the compiler vectorises for the constant
    else:
        widen_as(first, stride, count, words)


cdef void widen(Numbers numbers, npy_intp count, uint64_t *words) noexcept nogil:
    """Store the numbers as words, with 0 for negative ones, which is not prime either."""
    if numbers.is_signed:
        if numbers.size == 1:
            widen_type(<const int8_t *>numbers.first, numbers.stride, count, words)
        elif numbers.size == 2:
            widen_type(<const int16_t *>numbers.first, numbers.stride, count, words)
        elif numbers.size == 4:
            widen_type(<const int32_t *>numbers.first, numbers.stride, count, words)
        else:
            widen_type(<const int64_t *>numbers.first, numbers.stride, count, words)
    elif numbers.size == 1:
        widen_type(<const uint8_t *>numbers.first, numbers.stride, count, words)
    elif numbers.size == 2:
        widen_type(<const uint16_t *>numbers.first, numbers.stride, count, words)
    elif numbers.size == 4:
        widen_type(<const uint32_t *>numbers.first, numbers.stride, count, words)
    else:
        widen_type(<const uint64_t *>numbers.first, numbers.stride, count, words)


cdef void answer_chunk(Numbers numbers, npy_intp count, Answers answers) noexcept nogil:
    """Answer for at most CHUNK numbers. All are read before an answer is stored, for it may overlap them."""
    cdef uint64_t words[CHUNK]
    cdef uint8_t dense[CHUNK]
    cdef npy_intp i
    widen(numbers, count, words)
    answer_block(words, <size_t>count, dense)
    for i in range(count):
        answers.first[i * answers.stride] = dense[i]


cdef void answer_slice(Numbers numbers, npy_intp count, Answers answers) noexcept nogil:
    cdef npy_intp step
    if numbers.stride == numbers.size == 8 and not numbers.is_signed and answers.stride == 1:
        answer_block(<const uint64_t *>numbers.first, <size_t>count, answers.first)
        return
    while count > 0:
        step = min(<npy_intp>CHUNK, count)
        answer_chunk(numbers, step, answers)
        numbers.first += step * numbers.stride
        answers.first += step * answers.stride
        count -= step


cdef int count_down(npy_intp answered) except -1 nogil:
    """Run the handlers of signals after every SLICE answers, in the main thread: no other one can."""
    global until_look
    until_look -= answered
    if until_look <= 0:
        with gil:
            until_look = SLICE if threading.current_thread() is threading.main_thread() else INT64_MAX
            PyErr_CheckSignals()
    return 0


cdef int integer_loop(PyArrayMethod_Context *context, char **data, const npy_intp *dimensions,
                      const npy_intp *strides, void *auxdata) except -1 nogil:
    cdef npy_intp count = dimensions[0]
    cdef npy_intp step
    cdef PyArray_Descr *descriptor = context.descriptors[0]
    cdef Numbers numbers = Numbers(
        data[0], strides[0], PyDataType_ELSIZE(descriptor), descriptor.kind == c"i"
    )
    cdef Answers answers = Answers(<uint8_t *>data[1], strides[1])
    while count > 0:
        step = min(<npy_intp>SLICE, count)
        answer_slice(numbers, step, answers)
        numbers.first += step * numbers.stride
        answers.first += step * answers.stride
        count -= step
        count_down(step)
    return 0


cdef int bool_loop(PyArrayMethod_Context *context, char **data, const npy_intp *dimensions,
                   const npy_intp *strides, void *auxdata) except -1 nogil:
    """Neither False nor True, which is 1, is prime. Their bytes need not be looked at: any but 0 is True."""
    cdef npy_intp i
    for i in range(dimensions[0]):
        data[1][i * strides[1]] = 0
    return 0


cdef int object_loop(PyArrayMethod_Context *context, char **data, const npy_intp *dimensions,
                     const npy_intp *strides, void *auxdata) except -1:
    """Answer for Python objects, one by one and with the GIL; NumPy's null pointers stand for None."""
    cdef npy_intp i
    cdef PyObject *n
    for i in range(dimensions[0]):
        n = (<PyObject **>(data[0] + i * strides[0]))[0]
        (<uint8_t *>(data[1] + i * strides[1]))[0] = answer_integer(<object>n if n else None)
        count_down(1)
    return 0


cdef int add_loop(object ufunc, str type_code, void *loop, NPY_ARRAYMETHOD_FLAGS flags) except -1:
    number_type = type(numpy.dtype(type_code))
    answer_type = type(numpy.dtype("?"))
    cdef PyArray_DTypeMeta *types[2]
    types[0] = <PyArray_DTypeMeta *>number_type
    types[1] = <PyArray_DTypeMeta *>answer_type
    cdef PyType_Slot slots[2]
    slots[0] = PyType_Slot(NPY_METH_strided_loop, loop)
    slots[1] = PyType_Slot(0, NULL)
    cdef PyArrayMethod_Spec spec
    spec.name = "is_prime"
    spec.nin = spec.nout = 1
    spec.casting = cnp.NPY_NO_CASTING
    spec.flags = flags
    spec.dtypes = types
    spec.slots = slots
    return PyUFunc_AddLoopFromSpec(ufunc, &spec)


cdef object make_ufunc():
    ufunc = cnp.PyUFunc_FromFuncAndData(
        NULL, NULL, NULL, 0, 1, 1, cnp.PyUFunc_None, "is_prime",
        "Tell which elements of an array of integers are prime: primerace.is_prime as a NumPy ufunc.", 0,
    )
    add_loop(ufunc, "?", <void *>bool_loop, NPY_METH_NO_FLOATINGPOINT_ERRORS)
    for type_code in "bBhHiIlLqQ":
        add_loop(ufunc, type_code, <void *>integer_loop, NPY_METH_NO_FLOATINGPOINT_ERRORS)
    add_loop(ufunc, "O", <void *>object_loop, NPY_METH_REQUIRES_PYAPI | NPY_METH_NO_FLOATINGPOINT_ERRORS)
    return ufunc


cnp.import_array()
cnp.import_umath()

is_prime = make_ufunc()
