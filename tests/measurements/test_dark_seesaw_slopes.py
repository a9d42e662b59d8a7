"""Slopes of a sample of neutrino-electron scattering in the dark seesaw, where pairs of many masses share its table."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.measurements.neutrino_electron_minerva import load_minerva
from anomfit.models.dark_seesaw import dark_seesaw

# points of the prior that make many pairs: N_5 of 70 MeV, a Z' that N_5 decays to, N_5 of 290 MeV
POINTS = {
    "m_N6": (0.26, 0.96, 0.36),
    "m_N5_over_m_N6": (0.27, 0.81, 0.82),
    "m_N4_over_m_N5": (0.16, 0.52, 0.33),
    "U_mu4": (1.4e-3, 1e-6, 7e-7),
    "U_mu6": (1e-4, 2.2e-3, 5e-3),
    "theta_46": (1.28, 0.47, 0.43),
    "alpha_D": (0.044, 0.088, 0.0023),
    "epsilon": (0.024, 1e-3, 0.013),
    "m_Zprime": (1.1, 0.128, 0.5),
}


@pytest.mark.slow
def test_slopes_agree_with_differences():
    chosen = load_minerva("le")
    few = replace(chosen.samples_of_pairs[0].nodes, energy=24, angle=8, parent=8, polar=8, made=8, spread=(8, 8))
    seen = replace(chosen, samples_of_pairs=(replace(chosen.samples_of_pairs[0], nodes=few),))
    pulls = {nuisance.name: jnp.asarray(nuisance.mean) for nuisance in seen.nuisances}

    @jax.jit
    @jax.vmap
    def both(numbers):
        def likelihood(numbers):
            point = dict(zip(POINTS, numbers, strict=True))
            return seen.log_likelihood(seen.predict(dark_seesaw, point, pulls), pulls)

        return jax.value_and_grad(likelihood)(numbers)

    points = np.array(list(POINTS.values())).T
    step = 1e-4 * points
    shifts = np.array([2.0, 1.0, 0.0, -1.0, -2.0])[:, None, None] * np.eye(len(POINTS))
    shifted = points[:, None, None] + shifts * step[:, None, None]  # (point, shift, parameter shifted, numbers)
    values, slopes = (np.asarray(part) for part in both(jnp.asarray(shifted.reshape(-1, len(POINTS)))))
    values = values.reshape(shifted.shape[:-1])
    slopes = slopes.reshape(shifted.shape)[:, 2, 0] * points
    differences = np.einsum("s,psn->pn", np.array([-1.0, 8.0, 0.0, -8.0, 1.0]) / 12e-4, values)
    assert np.all(np.abs(values[:, 2, 0]) > 1.0)
    for found, expected in zip(slopes, differences, strict=True):
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-7 * np.max(np.abs(expected)))
