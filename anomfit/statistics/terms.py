"""Likelihood terms: pure functions, element by element unless said otherwise, finite with finite gradients everywhere.

Sums over bins are the caller's. Where a term needs a logarithm of an expectation that may vanish, the logarithm
continues as a straight line below `SMALLEST_EXPECTATION` events: a minimiser is pushed back and sees no infinity.
"""

import jax
import jax.numpy as jnp
import jax.scipy as jsp
from jaxtyping import Array, Float
from scipy.special import ndtri

SMALLEST_EXPECTATION = 1e-6


def minus_two(log_likelihood):
    """-2 ln L, the scale on which fits, limits and significances compare likelihoods: this is its only definition."""
    return -2.0 * log_likelihood


def gaussian_log_likelihood(
    residual: Float[Array, "..."], sigma_minus: Float[Array, "..."], sigma_plus: Float[Array, "..."]
) -> Float[Array, "..."]:
    """ln L of one number with asymmetric errors, relative to its maximum (0 at residual 0).

    Two half-Gaussians: residual = predicted - measured for a measurement quoted as x -sigma_minus +sigma_plus, so that
    sigma_plus applies to predictions above the measured value. Value and slope are continuous at 0. The errors are
    above 0, in the residual's unit; equal errors give the usual Gaussian. Barlow, physics/0406120, section 2.
    """
    sigma = jnp.where(residual > 0.0, sigma_plus, sigma_minus)
    return -0.5 * (residual / sigma) ** 2


def poisson_log_likelihood(counts: Float[Array, "..."], expected: Float[Array, "..."]) -> Float[Array, "..."]:
    """ln of the Poisson probability of `counts` (0 or more, need not be whole) for `expected` events, bin by bin.

    Finite, with a finite slope, for an expectation that vanishes or is negative (see the module's head).
    """
    return _count_times_log(counts, expected) - expected - jsp.special.gammaln(counts + 1.0)


def poisson_barlow_beeston(
    counts: Float[Array, "..."],
    signal: Float[Array, "..."],
    background: Float[Array, "..."],
    background_mc_error: Float[Array, "..."],
) -> Float[Array, "..."]:
    """ln L of a bin whose background has a statistical Monte Carlo error, profiled analytically.

    One nuisance t a bin: Poisson(counts; signal + background + error * t) times exp(-t^2/2), at the t that maximises
    it, which solves a quadratic equation: Barlow and Beeston, Comput. Phys. Commun. 77 (1993) 219, in the
    one-parameter form of Conway, arXiv:1103.0354, with an absolute error (events, 0 or more). Error 0 gives
    `poisson_log_likelihood`. The closed form is differentiated, so gradient and Hessian are those of the profile.
    """
    mean, variance = signal + background, background_mc_error**2
    some = counts > 0.0
    best = _profiled_expectation(jnp.where(some, counts, 1.0), mean, variance)
    pull = background_mc_error * (jnp.where(some, counts, 1.0) / jnp.maximum(best, SMALLEST_EXPECTATION) - 1.0)
    observed = poisson_log_likelihood(counts, best) - 0.5 * pull**2
    narrow = (mean >= variance) | (variance == 0.0)  # without counts the profile is at max(mean - variance, 0)
    wide = -0.5 * mean**2 / jnp.where(narrow, 1.0, variance)
    return jnp.where(some, observed, jnp.where(narrow, -mean + 0.5 * variance, wide))


def saturated_deviance(counts: Float[Array, "..."], expected: Float[Array, "..."]) -> Float[Array, "..."]:
    """2 (ln L of the saturated model - ln L) of a Poisson bin, the quantity that goodness of fit compares with chi^2.

    2 (expected - counts + counts ln(counts/expected)); 2 expected for an empty bin. Baker and Cousins, Nucl. Instrum.
    Meth. 221 (1984) 437.
    """
    return 2.0 * (_count_times_log(counts, counts) - counts - _count_times_log(counts, expected) + expected)


def barlow_beeston_deviance(
    counts: Float[Array, "..."],
    signal: Float[Array, "..."],
    background: Float[Array, "..."],
    background_mc_error: Float[Array, "..."],
) -> Float[Array, "..."]:
    """2 (ln L of the saturated model - ln L) for `poisson_barlow_beeston`; 0 where signal + background = counts."""
    saturated = poisson_log_likelihood(counts, counts)
    return 2.0 * (saturated - poisson_barlow_beeston(counts, signal, background, background_mc_error))


@jax.custom_jvp
def multivariate_gaussian(
    residual: Float[Array, " bins"], covariance: Float[Array, "bins bins"]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """(chi^2, ln det covariance) by Cholesky: r^T C^-1 r for a symmetric positive definite `covariance`.

    ln L = -(chi^2 + ln det)/2 when the covariance depends on the prediction. A matrix that is not positive definite
    gives nan in both, which the caller must rule out before fitting.
    """
    factor = jnp.linalg.cholesky(covariance)
    whitened = jsp.linalg.solve_triangular(factor, residual, lower=True)
    return jnp.sum(whitened**2), 2.0 * jnp.sum(jnp.log(jnp.diagonal(factor)))


@multivariate_gaussian.defjvp
def _multivariate_gaussian_jvp(primals, tangents):
    # d chi^2 = 2 y dr - y dC y and d ln det = tr C^-1 dC with y = C^-1 r: one inverse in place of the derivative of a
    # Cholesky factor, which solves for four matrices
    (residual, covariance), (d_residual, d_covariance) = primals, tangents
    factor = jnp.linalg.cholesky(covariance)
    half = jsp.linalg.solve_triangular(factor, jnp.eye(residual.size, dtype=factor.dtype), lower=True)
    whitened = half @ residual
    y, inverse = half.T @ whitened, half.T @ half
    values = jnp.sum(whitened**2), 2.0 * jnp.sum(jnp.log(jnp.diagonal(factor)))
    return values, (
        2.0 * jnp.dot(y, d_residual) - jnp.sum(jnp.outer(y, y) * d_covariance),
        jnp.sum(inverse * d_covariance),
    )


def poisson_significance(
    counts: Float[Array, "..."], background: Float[Array, "..."], sigma: Float[Array, "..."]
) -> Float[Array, "..."]:
    """Standard deviations by which `counts` exceed (or, negative, fall short of) `background` +- `sigma` events.

    Asymptotic significance of the on/off problem, with sigma the background's error: Li and Ma, Astrophys. J. 272
    (1983) 317, eq 17, written with sigma as in Cousins, Linnemann and Tucker, physics/0702156. sigma = 0 gives
    sqrt(2 (n ln(n/b) - (n - b))), Cowan et al, arXiv:1007.1727, eq 97. The background is above 0.
    """
    n, b = jnp.asarray(counts, dtype=float), jnp.asarray(background, dtype=float)
    has_error = jnp.asarray(sigma) > 0.0
    s2 = jnp.where(has_error, sigma, 1.0) ** 2
    log_ratio = _log_safe(n * (b + s2)) - jnp.log(b**2 + n * s2)
    with_error = n * log_ratio - b**2 / s2 * jnp.log1p(s2 * (n - b) / (b * (b + s2)))
    without = _count_times_log(n, n) - _count_times_log(n, b) - (n - b)
    squared = 2.0 * jnp.maximum(jnp.where(has_error, with_error, without), 0.0)
    return jnp.sign(n - b) * jnp.where(squared > 0.0, jnp.sqrt(jnp.where(squared > 0.0, squared, 1.0)), 0.0)


def half_gaussian_limit(
    value: Float[Array, "..."], limit: Float[Array, "..."], cl: float = 0.90
) -> Float[Array, "..."]:
    """ln L of an upper limit from a null search: -value^2 / (2 sigma^2) for value > 0 and 0 below.

    sigma = limit / z with z = 1.645 at 90 % CL: the half-Gaussian on positive values holds the fraction `cl` below
    `limit`. `value` and `limit` share a unit; limit above 0.
    """
    sigma = limit / float(ndtri(0.5 * (1.0 + cl)))
    return -0.5 * (jnp.maximum(value, 0.0) / sigma) ** 2


def _log_safe(x):
    """ln x, continued by its tangent below SMALLEST_EXPECTATION."""
    inside = x > SMALLEST_EXPECTATION
    tangent = jnp.log(SMALLEST_EXPECTATION) + x / SMALLEST_EXPECTATION - 1.0
    return jnp.where(inside, jnp.log(jnp.where(inside, x, 1.0)), tangent)


def _count_times_log(counts, expected):
    """counts * ln(expected), 0 for no counts."""
    some = counts > 0.0
    return jnp.where(some, counts * _log_safe(jnp.where(some, expected, 1.0)), 0.0)


def _profiled_expectation(counts, mean, variance):
    """The positive root of x^2 + x (variance - mean) - variance * counts, for counts > 0, without cancellation."""
    half = 0.5 * (mean - variance)
    squared = half**2 + variance * counts
    root = jnp.where(squared > 0.0, jnp.sqrt(jnp.where(squared > 0.0, squared, 1.0)), 0.0)
    falling = (half < 0.0) & (variance > 0.0)
    risen = jnp.where(variance > 0.0, half + root, mean)
    return jnp.where(falling, variance * counts / jnp.where(falling, root - half, 1.0), risen)
