"""The library's spectra beside the reference's, and the tolerance between them."""

from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.measurements.miniboone import load_miniboone
from anomfit.models.two_higgs_doublet import two_higgs_doublet
from anomfit.physics.constants import M_N, M_P
from oracles import upscattering
from oracles.shower_table import Rule

measurement = lru_cache(lambda: load_miniboone(surroundings="none"))


def computed_spectra(points) -> np.ndarray:
    """(points, 22): the default card's prediction, both components, by one compile."""
    chosen = two_higgs_doublet.parametrisations["products"]

    @jax.jit
    def run(measurement, columns):
        def one(point):
            return measurement.predict(two_higgs_doublet, chosen.to_physical(point), {}).total

        return jax.lax.map(one, columns, batch_size=8)

    columns = {name: jnp.asarray([point[name] for point in points]) for name in points[0]}
    return np.asarray(run(measurement(), columns))


@partial(jax.jit, static_argnames="model")
def _predicted(given, values, model):
    """One program for all points of a model and a measurement."""
    return given.predict(model, model.parametrisations["products"].to_physical(values), {})


def computed_prediction(point, model=two_higgs_doublet, measured=None):
    """The prediction at one point of the products' parametrisation."""
    values = {name: jnp.asarray(value) for name, value in point.items()}
    return _predicted(measured or measurement(), values, model=model)


def physical(point) -> dict[str, float]:
    """y_nu from the product y_nu (F_p + F_n)/2."""
    (p_u, p_d), (n_u, n_d) = upscattering.F_T["dkm"]
    up, down = point["y_u"] / upscattering.M_UP, point["y_d"] / upscattering.M_DOWN
    mean = 0.5 * (M_P * (p_u * up + p_d * down) + M_N * (n_u * up + n_d * down))
    return {**point, "y_nu": point["y_nu_F_N"] / mean}


def reference_spectrum(point, rule: Rule | None = None) -> np.ndarray:
    """(22,): neutrino mode, antineutrino mode."""
    given = upscattering.physics(physical(point))
    return upscattering.spectrum(given, rule=rule or Rule()).sum(axis=0).ravel()


def tolerance(reference: np.ndarray, data: np.ndarray | None = None) -> np.ndarray:
    """1e-3 of the bin or 1e-2 of its statistical error, whichever is larger; the data are MiniBooNE's if not given."""
    counts = np.asarray(measurement().data.counts) if data is None else data
    return np.maximum(1e-3 * reference, 1e-2 * np.sqrt(counts + reference))
