"""Mixing of the dark seesaw in angles: orthogonal, the vertices of equation A3, and back from a larger matrix."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.test_util import check_grads

from anomfit.physics.dark_mixing import THETA_56, Angles, mixing_matrix, nearest_angles, vertices_of

QUARTER = st.floats(-1.5, 1.5)
ANGLES = st.builds(
    lambda a, b, c, u: Angles(a, b, c, jnp.asarray(u)),
    QUARTER,
    QUARTER,
    st.floats(THETA_56[0] + 0.01, THETA_56[1] - 0.01),
    st.lists(st.floats(1e-6, 0.4), min_size=3, max_size=3),
)


def left_and_right(mixing):
    minus, plus = mixing[2], mixing[3]
    return (plus + minus) / np.sqrt(2.0), (plus - minus) / np.sqrt(2.0)


@settings(max_examples=30, deadline=None)
@given(ANGLES)
def test_states_are_orthonormal_and_vertices_those_of_a3(angles):
    mixing = np.asarray(mixing_matrix(angles))
    np.testing.assert_allclose(mixing @ mixing.T, np.eye(4), atol=1e-14)
    left, right = left_and_right(mixing)
    V = np.outer(left, left) - np.outer(right, right)
    np.testing.assert_allclose(vertices_of(mixing), V, atol=1e-14)
    assert np.sum(V**2) == pytest.approx(2.0)  # sum of |V|^2 = 2d
    np.testing.assert_allclose(mixing[0, 1:], angles.of_muon, rtol=1e-14)


@settings(max_examples=30, deadline=None)
@given(ANGLES, st.lists(st.sampled_from([-1.0, 1.0]), min_size=4, max_size=4))
def test_angles_come_back_whatever_the_signs_of_states_and_fields_are(angles, signs):
    mixing = mixing_matrix(angles)
    left, right = left_and_right(mixing)
    fields = jnp.stack([mixing[0], left, right]) * jnp.asarray(signs)
    found = nearest_angles(fields)
    np.testing.assert_allclose(found.of_muon, angles.of_muon, rtol=1e-9)
    np.testing.assert_allclose(abs(vertices_of(mixing_matrix(found))), abs(vertices_of(mixing)), atol=1e-12)
    np.testing.assert_allclose(found[:3], angles[:3], atol=1e-9)


def test_a_left_right_symmetric_state_has_one_vertex_with_light_neutrinos():
    """theta_45 = theta_56 = U_mu5 = 0: V_53 and V_54, V_56 alone, as BP-A of arXiv:2007.11813."""
    V = np.asarray(vertices_of(mixing_matrix(Angles(0.3, 0.0, 0.0, jnp.asarray([1e-3, 0.0, 3e-4])))))
    open_vertices = {(2, 0), (2, 1), (3, 2)}
    for j in range(4):
        for k in range(j + 1):
            assert (abs(V[j, k]) > 1e-6) == ((j, k) in open_vertices)


def test_slopes_are_those_of_differences():
    def size(theta_46, theta_45, theta_56, u):
        return jnp.sum(jnp.sin(3.0 * vertices_of(mixing_matrix(Angles(theta_46, theta_45, theta_56, u)))))

    at = (jnp.asarray(0.4), jnp.asarray(-0.2), jnp.asarray(1.1), jnp.asarray([0.01, 0.2, 0.05]))
    check_grads(size, at, order=1, modes=["rev"], eps=1e-6)
    nothing = jax.grad(lambda u: size(0.4, -0.2, 1.1, u))(jnp.zeros(3))
    assert np.all(np.isfinite(nothing))
