"""Makes fixtures/portable.json: logarithms, exponentials and powers, correctly rounded.

Run from libs/lstm with the mpmath version below:

    python tools/make-portable-fixtures.py > fixtures/portable.json

`value` is mpmath's with 60 digits, rounded to float64; `bits` is the definition in src/portable,
written again with Python's floats, as the hexadecimal digits of the float64.
"""

import json
import math
import random
import struct
import sys

import mpmath

MPMATH_VERSION = "1.3.0"
NUM_RANDOM = 150

LN2_HIGH = 0.69314718036912381649
LN2_LOW = 1.90821492927058770002e-10


def two_sum(a, b):
    high = a + b
    of_b = high - a
    return high, a - (high - of_b) + (b - of_b)


def halves(a):
    scaled = (2.0**27 + 1) * a
    high = scaled - (scaled - a)
    return high, a - high


def two_product(a, b):
    high = a * b
    (a1, a2), (b1, b2) = halves(a), halves(b)
    return high, a2 * b2 - (high - a1 * b1 - a2 * b1 - a1 * b2)


def horner(coefficients, x):
    total = 0.0
    for coefficient in coefficients:
        total = total * x + coefficient
    return total


def log_high_low(x):
    mantissa, exponent = math.frexp(x)  # from 1/2 to below 1
    mantissa, exponent = 2 * mantissa, exponent - 1
    if mantissa > math.sqrt(2):
        mantissa, exponent = mantissa / 2, exponent + 1
    denominator, denominator_low = two_sum(mantissa, 1.0)
    s = (mantissa - 1) / denominator
    high, low = two_product(s, denominator)
    residual = mantissa - 1 - high - low - s * denominator_low
    square = s * s
    series = horner([1 / odd for odd in range(25, 1, -2)], square)
    rest = residual / denominator + s * square * series
    high, low = two_sum(exponent * LN2_HIGH, 2 * s)
    return two_sum(high, low + (2 * rest + exponent * LN2_LOW))


def exp_of_sum(high, low):
    n = math.floor(high / math.log(2) + 0.5)
    r, r_low = two_sum(high - n * LN2_HIGH, low - n * LN2_LOW)
    series = horner([1 / math.factorial(k) for k in range(16, 1, -1)], r)
    value = 1 + (r + (r_low + r_low * r + r * r * series))
    half = math.trunc(n / 2)
    return value * 2.0**half * 2.0 ** (n - half)


def power(base, exponent):
    high, low = log_high_low(base)
    product, product_low = two_product(exponent, high)
    return exp_of_sum(*two_sum(product, product_low + exponent * low))


def bits(value):
    return struct.pack(">d", value).hex()


def main():
    if mpmath.__version__ != MPMATH_VERSION:
        sys.exit(f"mpmath is {mpmath.__version__}; these fixtures are made with {MPMATH_VERSION}")
    mpmath.mp.dps = 60
    draw = random.Random(7).uniform
    near_one = [1 + sign * 2.0**-k for k in range(1, 53, 4) for sign in (-1, 1)]
    positive = [5e-324, 2.0**-1022, 1e-300, 0.1, 0.5, 2.0**0.5, 2.0, math.e, 10.0, 1.7e308, *near_one]
    positive += [draw(0.5, 2) * 2.0 ** round(draw(-60, 60)) for _ in range(NUM_RANDOM)]
    arguments = [-740.0, -708.0, -1.0, -1e-20, 0.0, 1e-9, 0.5, 1.0, 709.7]
    arguments += [draw(-1, 1) for _ in range(NUM_RANDOM // 2)] + [draw(-700, 700) for _ in range(NUM_RANDOM // 2)]
    powers = [(10.0, 2.0), (2.0, -1022.0), (2.0, 0.5), (1 + 2.0**-52, 2.0**52), (0.999, 1e5), (5e-324, 0.5)]
    powers += [(base, draw(-690, 690) / math.log(base)) for base in positive[10:] if base != 1]
    fixture = {
        "mpmath": MPMATH_VERSION,
        "log": [{"x": x, "value": float(mpmath.log(x)), "bits": bits(log_high_low(x)[0])} for x in positive],
        "exp": [{"x": x, "value": float(mpmath.exp(x)), "bits": bits(exp_of_sum(x, 0.0))} for x in arguments],
        "pow": [
            {"base": x, "exponent": y, "value": float(mpmath.mpf(x) ** mpmath.mpf(y)), "bits": bits(power(x, y))}
            for x, y in powers
        ],
    }
    rows = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in fixture.items())
    print("{\n" + rows + "\n}")


if __name__ == "__main__":
    main()
