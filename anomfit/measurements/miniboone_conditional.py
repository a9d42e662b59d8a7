"""The nu_e bins of MiniBooNE given its nu_mu bins: 22 numbers in place of 38, the same likelihood.

The nu_mu block M of the covariance does not depend on the signal, and what couples nu_e to nu_mu is linear in it. So
chi^2 = r_mu M^-1 r_mu + rho S^-1 rho and ln det C = ln det M + ln det S, where rho is the residual of the nu_e bins
less what the nu_mu residual implies, and the Schur complement S is quadratic in the signal, with coefficients that are
worked out at loading.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.statistics.terms import multivariate_gaussian


class Blocks(NamedTuple):
    """Fractional covariance of signal, background and nu_mu, one after the other, and what it multiplies."""

    fractional: np.ndarray  # (2 nue + numu, 2 nue + numu)
    background: np.ndarray  # (nue,)
    muon_prediction: np.ndarray  # (numu,)
    muon_variance: np.ndarray  # (numu,)


class Residuals(NamedTuple):
    """Data minus prediction, without the pull of a flux."""

    nue: Float[Array, "nue"]
    muon: Float[Array, "numu"]


@dataclass(frozen=True)
class Conditional:
    """Coefficients of powers of the signal; all are leaves. `moved`: what one pull of the flux adds."""

    squared: Float[Array, "nue nue"]
    mixed: Float[Array, "nue nue"]
    constant: Float[Array, "nue nue"]
    gain_of_signal: Float[Array, "nue numu"]
    gain: Float[Array, "nue numu"]
    muon_inverse: Float[Array, "numu numu"]
    muon_log_det: Float[Array, ""]
    moved_of_signal: Float[Array, "nue"]
    moved: Float[Array, "nue"]
    moved_muon: Float[Array, "numu"]

    def covariance(self, signal: Float[Array, "nue"]) -> Float[Array, "nue nue"]:
        """Of the nu_e bins, given the nu_mu bins."""
        mixed = signal[:, None] * self.mixed
        whole = signal[:, None] * signal * self.squared + mixed + mixed.T + self.constant
        return whole + jnp.diag(jnp.maximum(signal, 0.0))

    def residual(
        self, found: Residuals, signal: Float[Array, "nue"], flux_pull: ArrayLike = 0.0
    ) -> tuple[Float[Array, "nue"], Float[Array, "numu"]]:
        """Residuals of the nu_e bins, less what those of the nu_mu bins imply, and of the nu_mu bins."""
        muon = found.muon - flux_pull * self.moved_muon
        own = found.nue - flux_pull * (signal * self.moved_of_signal + self.moved)
        return own - signal * (self.gain_of_signal @ muon) - self.gain @ muon, muon

    def quadratic_form(
        self, found: Residuals, signal: Float[Array, "nue"], flux_pull: ArrayLike = 0.0
    ) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """(chi^2, ln det C) of all bins; not a number where the matrix is not positive definite."""
        own, muon = self.residual(found, signal, flux_pull)
        chi_squared, log_det = multivariate_gaussian(own, self.covariance(signal))
        return chi_squared + muon @ self.muon_inverse @ muon, log_det + self.muon_log_det


jax.tree_util.register_dataclass(
    Conditional,
    data_fields=[
        "squared",
        "mixed",
        "constant",
        "gain_of_signal",
        "gain",
        "muon_inverse",
        "muon_log_det",
        "moved_of_signal",
        "moved",
        "moved_muon",
    ],
    meta_fields=[],
)


def conditional_on_muons(blocks: Blocks, flux_error: float = 0.0) -> Conditional:
    """The coefficients; `flux_error`: of all nu_mu together, moved by a pull and not in the covariance."""
    n = len(blocks.background)
    signal, background, muon = slice(0, n), slice(n, 2 * n), slice(2 * n, None)
    f, b, p = blocks.fractional, blocks.background, blocks.muon_prediction
    cross_signal, cross = f[signal, muon] * p, b[:, None] * f[background, muon] * p
    muon_systematic = f[muon, muon] * p[:, None] * p
    with_sum = muon_systematic.sum(axis=1)
    share = flux_error * p.sum() / with_sum.sum() if flux_error else 0.0
    moved_signal, moved, moved_muon = share * cross_signal.sum(axis=1), share * cross.sum(axis=1), share * with_sum
    cross_signal, cross = cross_signal - np.outer(moved_signal, moved_muon), cross - np.outer(moved, moved_muon)
    muon_covariance = muon_systematic - np.outer(moved_muon, moved_muon) + np.diag(blocks.muon_variance)
    inverse = np.linalg.inv(muon_covariance)
    sign, log_det = np.linalg.slogdet(muon_covariance)
    gain_signal, gain = cross_signal @ inverse, cross @ inverse
    squared = f[signal, signal] - np.outer(moved_signal, moved_signal) - gain_signal @ cross_signal.T
    mixed = f[signal, background] * b - np.outer(moved_signal, moved) - gain_signal @ cross.T
    constant = f[background, background] * b[:, None] * b - np.outer(moved, moved) - gain @ cross.T
    arrays = (squared, mixed, constant, gain_signal, gain, inverse, log_det if sign > 0 else np.nan)
    return Conditional(*(jnp.asarray(x) for x in (*arrays, moved_signal, moved, moved_muon)))
