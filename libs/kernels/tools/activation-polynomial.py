"""Prints the coefficients of libs/kernels/native/src/activations.hpp: the polynomial of degree 5 that is
nearest to (2^r - 1) / r on [-1/2, 1/2], by the Remez exchange algorithm (Remez 1934). Errors are relative
to the value at 0, which is log 2.

    python tools/activation-polynomial.py

Needs mpmath, the version below.
"""

import sys

import mpmath as mp

MPMATH_VERSION = "1.3.0"
DEGREE = 5
LEAST, GREATEST = mp.mpf(-1) / 2, mp.mpf(1) / 2
GRID_SIZE = 4001
EXCHANGES = 30


def target(r):
    """(2^r - 1) / r, by its limit near 0."""
    return mp.log(2) if abs(r) < mp.mpf(10) ** -12 else (mp.mpf(2) ** r - 1) / r


def value_of(coefficients, r):
    return mp.polyval(coefficients[::-1], r)


def error_of(coefficients, r):
    return (value_of(coefficients, r) - target(r)) / mp.log(2)


def levelled(points):
    """The polynomial whose errors at the points are equal, with alternating signs."""
    size = len(points)
    system, values = mp.matrix(size, size), mp.matrix(size, 1)
    for row, r in enumerate(points):
        for power in range(DEGREE + 1):
            system[row, power] = r**power
        system[row, DEGREE + 1] = (-1) ** row
        values[row] = target(r)
    return list(mp.lu_solve(system, values))[: DEGREE + 1]


def extrema(grid, errors, count):
    """Places of the largest errors with alternating signs."""
    inner = range(1, len(grid) - 1)
    turns = [i for i in inner if (errors[i] - errors[i - 1]) * (errors[i + 1] - errors[i]) <= 0]
    chosen = []
    for i in [0, *turns, len(grid) - 1]:
        if chosen and mp.sign(errors[i]) == mp.sign(errors[chosen[-1]]):
            if abs(errors[i]) > abs(errors[chosen[-1]]):
                chosen[-1] = i
        else:
            chosen.append(i)
    while len(chosen) > count:
        chosen.pop(0 if abs(errors[chosen[0]]) < abs(errors[chosen[-1]]) else -1)
    return [grid[i] for i in chosen]


def minimax():
    """@returns the coefficients from the lowest power on, and the largest error."""
    count = DEGREE + 2
    middle, half = (LEAST + GREATEST) / 2, (GREATEST - LEAST) / 2
    points = [middle - half * mp.cos(mp.pi * i / (count - 1)) for i in range(count)]
    grid = [LEAST + (GREATEST - LEAST) * i / (GRID_SIZE - 1) for i in range(GRID_SIZE)]
    for _ in range(EXCHANGES):
        coefficients = levelled(points)
        errors = [error_of(coefficients, r) for r in grid]
        next_points = extrema(grid, errors, count)
        if len(next_points) < count:
            raise SystemExit(f"{len(next_points)} extrema, expected {count}")
        if next_points == points:
            break
        points = next_points
    return coefficients, max(abs(error) for error in errors)


def main():
    if mp.__version__ != MPMATH_VERSION:
        raise SystemExit(f"mpmath is {mp.__version__}, expected {MPMATH_VERSION}")
    mp.mp.dps = 40
    coefficients, error = minimax()
    for power, coefficient in enumerate(coefficients):
        sys.stdout.write(f"r^{power}: {mp.nstr(coefficient, 12)}f\n")
    sys.stdout.write(f"largest error relative to log 2: {mp.nstr(error, 3)}\n")


if __name__ == "__main__":
    main()
