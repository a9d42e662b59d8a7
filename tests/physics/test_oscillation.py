"""Two-flavour oscillation: the textbook's 1.267 and the limits."""

import jax
import numpy as np
import pytest

from anomfit.physics.oscillation import appearance_probability


def test_textbook_constant():
    value = appearance_probability(0.5, 1.2, 0.7, 541.0)
    assert float(value) == pytest.approx(0.5 * np.sin(1.26693 * 1.2 * 0.541 / 0.7) ** 2, rel=1e-5)


def test_first_maximum_and_small_phase():
    length = np.pi / 2 * 0.7 / (1.26693 * 1.2) * 1e3
    assert float(appearance_probability(0.3, 1.2, 0.7, length)) == pytest.approx(0.3, rel=1e-8)
    small, half = (float(appearance_probability(0.3, d, 0.7, 541.0)) for d in (2e-4, 1e-4))
    assert small / half == pytest.approx(4.0, rel=1e-6)


def test_gradient_in_the_mass_squared_difference():
    slope = jax.grad(lambda d: appearance_probability(0.3, d, 0.7, 541.0))(1.2)
    h = 1e-5
    up, down = (appearance_probability(0.3, 1.2 + s, 0.7, 541.0) for s in (h, -h))
    assert float(slope) == pytest.approx(float(up - down) / (2 * h), rel=1e-8)
