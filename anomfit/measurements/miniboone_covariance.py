"""The E_nu^QE data of MiniBooNE and their covariance, kept positive definite for any signal.

Recipe of the release (arXiv:2006.16883): fractional covariance times predictions for signal, background and nu_mu
blocks, plus the Poisson variance of the signal and of the observed nu_mu counts, signal and background rows added. The
released matrix is not quite positive: the part of its signal block that the other blocks do not explain (the Schur
complement) has eigenvalues down to about -1e-3. They are set to 0, which leaves every published number of background
and excess as it is.
"""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.data import load_record
from anomfit.errors import InputError, reject
from anomfit.measurements.base import Bin
from anomfit.measurements.miniboone_conditional import Blocks, Conditional, Residuals, conditional_on_muons
from anomfit.statistics.throws import correlated_gaussian

BINS, MUON_BINS = 11, 8
BLOCK = 2 * BINS + MUON_BINS  # signal, background, nu_mu of one mode

WORDS = {
    "recommended": "released matrix with the Poisson variance of signal and nu_mu counts, negative eigenvalues removed",
    "flat-signal": "as recommended, with a correlated 15 % in place of the released signal block",
    "literal": "released matrix as it stands, no Poisson variance of nu_mu counts; not positive definite everywhere",
}


@dataclass(frozen=True)
class QuasiElasticData:
    """Counts, predictions and fractional covariance, modes one after the other; all leaves but edges and words."""

    counts: Float[Array, "nue"]
    background: Float[Array, "nue"]
    constrained: Float[Array, "nue"]
    constrained_error: Float[Array, "nue"]
    muon_counts: Float[Array, "numu"]
    muon_prediction: Float[Array, "numu"]
    muon_variance: Float[Array, "numu"]
    fractional: Float[Array, "blocks blocks"]
    null_log_det: Float[Array, ""]
    given_muons: Conditional
    edges: tuple[float, ...]  # GeV
    words: str
    flux_error: float = 0.0  # static: what a pull of the flux moves all nu_mu by; 0: the flux stays in the covariance

    def residual(self, signal: Float[Array, "nue"], flux_pull: ArrayLike = 0.0) -> Float[Array, "bins"]:
        """Data minus prediction: nu_e bins of both modes, then nu_mu bins of both."""
        found = jnp.concatenate([self.counts - self.background - signal, self.muon_counts - self.muon_prediction])
        return found - flux_pull * self.flux_direction(signal) if self.flux_error else found

    def covariance(self, signal: Float[Array, "nue"]) -> Float[Array, "bins bins"]:
        """Of the 38 bins at this signal, less what the flux's pull moves; positive definite for every signal >= 0."""
        systematic = self.systematic(signal)
        if self.flux_error:
            moved = self._moved(systematic)
            systematic = systematic - moved[:, None] * moved
        return systematic + jnp.diag(jnp.concatenate([jnp.maximum(signal, 0.0), self.muon_variance]))

    def flux_direction(self, signal: Float[Array, "nue"]) -> Float[Array, "bins"]:
        """What one pull of the flux adds to each bin: all nu_mu together by `flux_error`, the rest as it correlates.

        With S the systematic covariance and u the sum over nu_mu bins, S u is the direction that goes with that sum;
        S less its square is no less positive than S given the sum, and a pull of unit variance gives S back.
        """
        return self._moved(self.systematic(signal))

    def _moved(self, systematic):
        with_sum = jnp.sum(systematic[:, 2 * BINS :], axis=1)
        return self.flux_error * jnp.sum(self.muon_prediction) * with_sum / jnp.sum(with_sum[2 * BINS :])

    def systematic(self, signal: Float[Array, "nue"]) -> Float[Array, "bins bins"]:
        """The released covariance of the 38 bins without statistical errors, signal and background rows added."""
        prediction = jnp.concatenate([signal, self.background, self.muon_prediction])
        full = self.fractional * prediction[:, None] * prediction
        n = 2 * BINS
        nue = full[:n, :n] + full[:n, n : 2 * n] + full[n : 2 * n, :n] + full[n : 2 * n, n : 2 * n]
        cross = full[:n, 2 * n :] + full[n : 2 * n, 2 * n :]
        return jnp.block([[nue, cross], [cross.T, full[2 * n :, 2 * n :]]])

    def quadratic_form(
        self, signal: Float[Array, "nue"], flux_pull: ArrayLike = 0.0
    ) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """(chi^2, ln det of the covariance) of the 38 bins at this signal, by the 22 given the 16."""
        return self.given_muons.quadratic_form(self._residuals(signal), signal, flux_pull)

    def conditional_pulls(self, signal: Float[Array, "nue"], flux_pull: ArrayLike = 0.0) -> Float[Array, "nue"]:
        """Residuals of the nu_e bins, given the nu_mu bins, over their conditional errors (correlated among each
        other).
        """
        shifted, _ = self.given_muons.residual(self._residuals(signal), signal, flux_pull)
        return shifted / jnp.sqrt(jnp.diagonal(self.given_muons.covariance(signal)))

    def _residuals(self, signal) -> Residuals:
        return Residuals(self.counts - self.background - signal, self.muon_counts - self.muon_prediction)

    def thrown(self, signal: Float[Array, "nue"], key: Array, flux_pull: ArrayLike = 0.0) -> "QuasiElasticData":
        """Other counts, Gaussian around the prediction with the covariance at this signal: no whole numbers."""
        n = 2 * BINS
        mean = jnp.concatenate([self.background + signal, self.muon_prediction])
        mean = mean + flux_pull * self.flux_direction(signal) if self.flux_error else mean
        counts = correlated_gaussian(key, mean, self.covariance(signal))
        return replace(self, counts=counts[:n], muon_counts=counts[n:])

    def bins(self) -> list[Bin]:
        """Constrained background and its total error."""
        rows = []
        for i in range(2 * BINS):
            mode = ("neutrino mode", "antineutrino mode")[i // BINS]
            low, high = self.edges[i % BINS], self.edges[i % BINS + 1]
            label = f"{mode}, E_nu^QE"
            error = float(self.constrained_error[i])
            rows.append(Bin(label, low, high, "GeV", float(self.counts[i]), float(self.constrained[i]), error))
        return rows


jax.tree_util.register_dataclass(
    QuasiElasticData,
    data_fields=[
        "counts",
        "background",
        "constrained",
        "constrained_error",
        "muon_counts",
        "muon_prediction",
        "muon_variance",
        "fractional",
        "null_log_det",
        "given_muons",
    ],
    meta_fields=["edges", "words", "flux_error"],
)


def load_quasi_elastic(choice: str, flux_error: float = 0.0) -> QuasiElasticData:
    """The data with this covariance; `flux_error`: the error of the flux that is a pull of its own and not in it."""
    if choice not in WORDS:
        raise reject("covariance", choice, f"use one of {', '.join(WORDS)}")
    nue = [load_record(f"miniboone/{name}").columns for name in ("nu_enuqe_2020", "nubar_enuqe_2018")]
    numu = [load_record(f"miniboone/{name}").columns for name in ("nu_numu_2020", "nubar_numu_2018")]
    muon_counts = _joined(numu, "data")
    background, muon_prediction = _joined(nue, "bkg_unconstrained"), _joined(numu, "prediction")
    muon_variance = jnp.zeros_like(muon_counts) if choice == "literal" else muon_counts
    fractional = _fractional_covariance(choice)
    blocks = Blocks(fractional, *(np.asarray(x) for x in (background, muon_prediction, muon_variance)))
    edges = tuple(1e-3 * np.append(nue[0]["E_lo_MeV"], nue[0]["E_hi_MeV"][-1]))
    data = QuasiElasticData(
        counts=_joined(nue, "data"),
        background=background,
        constrained=_joined(nue, "bkg_constrained"),
        constrained_error=_joined(nue, "bkg_constrained_err"),
        muon_counts=muon_counts,
        muon_prediction=muon_prediction,
        muon_variance=muon_variance,
        fractional=jnp.asarray(fractional),
        null_log_det=jnp.zeros(()),
        given_muons=conditional_on_muons(blocks, flux_error),
        edges=edges,
        words=WORDS[choice],
        flux_error=flux_error,
    )
    null = np.linalg.slogdet(np.asarray(data.covariance(jnp.zeros(2 * BINS))))
    if null[0] <= 0:
        raise InputError(f"covariance: {choice!r} is not positive definite; use 'recommended'")
    return replace(data, null_log_det=jnp.asarray(null[1]))


def _joined(tables, column: str):
    """A column of both modes' tables, one after the other."""
    return jnp.concatenate([jnp.asarray(table[column]) for table in tables])


def _fractional_covariance(choice: str) -> np.ndarray:
    """The released 60 x 60 matrix reordered: signal, background, nu_mu of both modes; mended unless literal."""
    released = load_record("miniboone/fraccov_combined_2020").matrix()
    first = np.arange(BLOCK)
    order = [
        np.concatenate([first[part], first[part] + BLOCK]) for part in (slice(0, 11), slice(11, 22), slice(22, 30))
    ]
    matrix = released[np.ix_(np.concatenate(order), np.concatenate(order))]
    if choice == "literal":
        return matrix
    n = 2 * BINS
    if choice == "flat-signal":
        matrix[:n] = matrix[:, :n] = 0.0
        matrix[:n, :n] = 0.15**2
        return matrix
    explained = matrix[:n, n:] @ np.linalg.pinv(matrix[n:, n:], rcond=1e-12, hermitian=True) @ matrix[n:, :n]
    values, vectors = np.linalg.eigh(matrix[:n, :n] - explained)
    matrix[:n, :n] = explained + (vectors * np.maximum(values, 0.0)) @ vectors.T
    return matrix
