"""Masses and mixings of Majorana matrices with 100 decimal digits: roots of the characteristic polynomial, projectors.

Nothing here rotates: eigenvalues are Newton's from the polynomial of Faddeev and LeVerrier, and a mixing product is an
entry of the projector prod_k (M - m_k)/(m_j - m_k). The masses must differ.
"""

from decimal import Decimal, localcontext

import numpy as np

DIGITS = 100


def exact(matrix):
    """The entries, floats or decimals, as decimals: no rounding."""
    return np.vectorize(Decimal, otypes=[object])(np.asarray(matrix))


def identity(size):
    return exact(np.eye(size))


def characteristic_polynomial(matrix):
    """Coefficients of det(x - M), highest power first."""
    size = len(matrix)
    coefficients, power = [Decimal(1)], identity(size)
    for k in range(1, size + 1):
        power = matrix @ power
        coefficients.append(-np.trace(power) / k)
        power = power + coefficients[-1] * identity(size)
    return coefficients


def newton(coefficients, start):
    """The simple root near `start`, to all digits."""
    x = Decimal(start)
    for _ in range(60):
        value, slope = Decimal(0), Decimal(0)
        for c in coefficients:
            value, slope = value * x + c, slope * x + value
        step = value / slope
        x -= step
        if abs(step) <= abs(x) * Decimal(10) ** (20 - DIGITS):
            return x
    raise AssertionError("Newton's steps do not end")


def eigenvalues(matrix):
    """All of a real symmetric matrix of decimals, ordered by size."""
    with localcontext() as context:
        context.prec = DIGITS
        coefficients = characteristic_polynomial(matrix)
        found = sorted((newton(coefficients, m) for m in np.linalg.eigvalsh(matrix.astype(float))), key=abs)
        relative = [abs(a - b) / max(abs(a), abs(b)) for i, a in enumerate(found) for b in found[:i]]
        assert min(relative, default=Decimal(1)) > Decimal(10) ** -30, "two starts ended in one root"
        return found


def projectors(matrix, masses, of=None):
    """U_aj U_bj of every mass state j of a real symmetric matrix, or of those with the masses `of`."""
    with localcontext() as context:
        context.prec = DIGITS
        found = []
        for mass in masses if of is None else of:
            product = identity(len(matrix))
            for other in masses:
                if other != mass:
                    product = product @ (matrix - other * identity(len(matrix))) / (mass - other)
            found.append(product)
        return found


def solve(matrix):
    """Signed masses ordered by size, and the projectors, of a real symmetric matrix of floats or decimals."""
    matrix = exact(matrix)
    masses = eigenvalues(matrix)
    return masses, projectors(matrix, masses)


def solve_takagi(real, imaginary):
    """Masses m > 0 in rising order, and Re and Im of U_aj^* U_bj, of a complex symmetric matrix.

    From the real matrix ((A, -B), (-B, -A)) of twice the size: (x, y) is its eigenvector of +m where U = x + i y.
    """
    masses, parts = _takagi_parts(real, imaginary)
    with localcontext() as context:
        context.prec = DIGITS
        return masses, [xx + yy for xx, yy, _ in parts], [xy - xy.T for _, _, xy in parts]


def solve_takagi_products(real, imaginary):
    """Masses m > 0 in rising order, and Re and Im of U_aj U_bj, in which a column's sign drops out."""
    masses, parts = _takagi_parts(real, imaginary)
    with localcontext() as context:
        context.prec = DIGITS
        return masses, [xx - yy for xx, yy, _ in parts], [xy + xy.T for _, _, xy in parts]


def _takagi_parts(real, imaginary):
    """Masses m > 0 and the blocks xx, yy and xy of their projectors."""
    with localcontext() as context:
        context.prec = DIGITS
        a, b = exact(real), exact(imaginary)
        size = len(a)
        doubled = np.block([[a, -b], [-b, -a]])
        both = eigenvalues(doubled)
        up = [mass for mass in both if mass > 0]
        found = projectors(doubled, both, of=up)
        return up, [(p[:size, :size], p[size:, size:], p[:size, size:]) for p in found]


def vertices_squared(products, charges, imaginary=None):
    """|V_jk|^2 of V = sum_a charge_a U_aj^* U_ak, from the products U_aj^* U_bj of each state (real, imaginary)."""
    weights = np.outer(exact(charges), exact(charges))
    imaginary = [0 * p for p in products] if imaginary is None else imaginary
    with localcontext() as context:
        context.prec = DIGITS
        # |V_jk|^2 = sum_ab charge_a charge_b (U_aj^* U_bj) (U_ak U_bk^*)
        rows = [
            [np.sum(weights * (p * q + s * t)) for q, t in zip(products, imaginary, strict=True)]
            for p, s in zip(products, imaginary, strict=True)
        ]
        return np.array(rows, dtype=object)


def slopes(of, matrix, direction):
    """Derivative along a direction of what `of` (matrix of decimals -> tuple of arrays) gives, as floats: a difference.

    At a step of 1e-30, where its error of second order is 1e-60.
    """
    with localcontext() as context:
        context.prec = DIGITS
        step = Decimal("1e-30")
        up, down = (of(exact(matrix) + sign * step * exact(direction)) for sign in (1, -1))
        return [((np.array(a) - np.array(b)) / (2 * step)).astype(float) for a, b in zip(up, down, strict=True)]
