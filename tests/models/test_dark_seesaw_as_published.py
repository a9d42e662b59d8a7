"""The dark seesaw with the conventions of its paper: the printed lifetimes and branching ratios of Tables I and II."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.catalogue import find_model
from anomfit.errors import InputError
from anomfit.models.dark_seesaw import DarkSeesaw, as_published, dark_seesaw
from anomfit.models.dark_seesaw_parameters import POINTS, STERILE
from anomfit.physics.constants import HBAR_C_CM
from anomfit.physics.dark_neutrinos import decays, pairs_of_states, total_widths, zprime_widths
from anomfit.physics.dark_seesaw import benchmark_entries

# c tau of N_5 and N_6 in cm as those of the conventions to three digits, and as the paper prints them
CONVENTIONS = {"BP-A": (2.98, 0.266), "BP-B": (2.27, 0.145), "BP-C": (2.24, 0.126), "BP-D": (4.04, 0.136)}
PRINTED = {"BP-A": (3.0, 0.26), "BP-B": (2.2, 0.14), "BP-C": (2.2, 0.12), "BP-D": (3.9, 0.13)}
OF_THE_MATRIX = {"BP-A": (6.40, 0.759), "BP-B": (6.05, 0.370), "BP-C": (6.15, 0.352), "BP-D": (4.04, 0.404)}


@pytest.fixture(scope="module")
def tables():
    found = {}
    for model in (as_published, dark_seesaw):

        @jax.jit
        def at(point, model=model):
            states = model.dark_neutrinos(point)
            widths = zprime_widths(states)
            return HBAR_C_CM / total_widths(states, decays(states)), widths.to_heavy, widths.total

        for name, point in POINTS.items():
            found[model.name, name] = at({key: jnp.asarray(value) for key, value in point.items()})
    return found


@pytest.mark.parametrize("name", list(POINTS))
def test_lifetimes_are_those_of_the_conventions_and_of_the_matrix(tables, name):
    for model, expected in ((as_published, CONVENTIONS), (dark_seesaw, OF_THE_MATRIX)):
        np.testing.assert_allclose(tables[model.name, name][0][1:], expected[name], rtol=5e-3)
    np.testing.assert_allclose(tables[as_published.name, name][0][1:], PRINTED[name], rtol=0.05)


@pytest.mark.parametrize("name", list(POINTS))
def test_equal_states_count_whole_and_different_ones_as_if_of_one_parity(tables, name):
    j, k = pairs_of_states(3)
    (_, printed, _), (_, of_matrix, _) = (tables[model.name, name] for model in (as_published, dark_seesaw))
    equal = (j == k) & (np.asarray(of_matrix) > 1e-20)
    np.testing.assert_allclose(printed[equal], 2.0 * of_matrix[equal], rtol=1e-12)
    with_light = k < 0
    np.testing.assert_allclose(printed[with_light], of_matrix[with_light], rtol=1e-12)
    between = (k >= 0) & (j != k)
    assert np.all(np.asarray(printed[between]) <= np.asarray(of_matrix[between]) * (1.0 + 1e-12))


def test_it_is_in_the_catalogue_and_says_what_it_assumes():
    assert find_model("dark-seesaw-as-published") is as_published
    assert "one CP parity" in as_published.choices["heavy neutrinos"]
    assert "matrix" in dark_seesaw.choices["heavy neutrinos"]


@pytest.mark.parametrize("wrong", [{"parities": "all"}, {"identical": "twice"}])
def test_other_words_are_refused(wrong):
    with pytest.raises(InputError, match="use"):
        DarkSeesaw(**wrong)


def test_the_points_are_the_matrices():
    """Both are read with the same units of Table III."""
    for name, point in POINTS.items():
        entries = benchmark_entries(name)
        for field, row in (
            ("M_D", entries.M_D[0]),
            ("Lambda_L", entries.Lambda_L[:, 0]),
            ("M_", jnp.diag(entries.M_N)),
        ):
            assert [point[f"{field}{k}"] for k in STERILE] == pytest.approx(np.asarray(row).tolist(), rel=1e-15)
        assert point["M_X"] == pytest.approx(float(entries.M_X[0, 0]), rel=1e-15)
