import numpy

is_prime: numpy.ufunc
