"""The error of the Booster beam's flux: one nuisance for every detector in that beam."""

from functools import lru_cache

import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.data import load_record
from anomfit.parameters import Nuisance, Point


def flux_error() -> float:
    """The relative error of all nu_mu of the beam in neutrino mode, arXiv:0806.1449."""
    return load_record("miniboone/flux_error").values["numu"]


@lru_cache
def flux_nuisance() -> Nuisance:
    """Its pull, the same for MiniBooNE and MicroBooNE."""
    words = f"flux of the Booster beam in standard deviations, {flux_error():.1%} on all nu_mu"
    return Nuisance("booster_flux", r"\Phi_{\mathrm{BNB}}", 0.0, 1.0, words)


def flux_pull(nuisances: Point) -> Float[Array, ""]:
    """The pull, 0 where it is not given."""
    return jnp.asarray(nuisances.get("booster_flux", 0.0))


def flux_factor(nuisances: Point) -> Float[Array, ""]:
    """What the flux multiplies a signal by; positive for every pull."""
    return jnp.exp(flux_error() * flux_pull(nuisances))
