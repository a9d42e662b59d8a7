"""The dark-scalar model: regression values, its own inequalities, gradients, and what may not depend on notation."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomfit.capabilities import MESON_MODES, DecaysMesons, Model, PredictsLeptonMoment, Upscatters
from anomfit.errors import InputError
from anomfit.models.dark_scalar import DarkScalar, as_published, dark_scalar
from anomfit.models.dark_scalar_parameters import TABLE_I
from anomfit.physics.constants import HBAR, V_EW_PAPER
from anomfit.physics.penguin_decays import MODES
from anomfit.physics.scalar_decays import decay_length_m

TREE = replace(as_published, photon_loops="none")


def at(name, **changes):
    return {key: jnp.asarray(float(value)) for key, value in {**TABLE_I[name], **changes}.items()}


def shares(model, point):
    widths = model.scalar_widths(point)
    return [float(width / widths.total) for width in widths]


def test_it_offers_what_measurements_ask_for():
    for capability in (Model, Upscatters, PredictsLeptonMoment, DecaysMesons):
        assert isinstance(dark_scalar, capability)
    assert set(MESON_MODES) == set(MODES)


def test_branching_ratios_of_the_first_point_at_tree_level():
    assert shares(TREE, at("bp1")) == pytest.approx([0.9158, 3.18e-3, 0.0810], rel=1.5e-3)


@pytest.mark.parametrize(("name", "expected"), [("bp5", 7.6e-4), ("bp6", 6.8e-4)])
def test_photons_from_lepton_loops_alone(name, expected):
    assert shares(as_published, at(name))[0] == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(("name", "expected"), [("bp1", 2.91), ("bp2", 2.72), ("bp3", 2.38), ("bp4", 2.86)])
def test_muon_moment(name, expected):
    assert 1e9 * float(as_published.lepton_moment(at(name), "muon")) == pytest.approx(expected, abs=5e-3)


def test_loops_of_charged_fermions_work_against_a_positive_kappa():
    """For eta_d > 0; without kappa the sign cannot be seen, so a flipped kappa and a flipped eta are the same."""
    loops, tree = (float(model.scalar_widths(at("bp1")).to_photons) for model in (dark_scalar, TREE))
    assert loops < tree
    flipped = {"eta_u": -TABLE_I["bp1"]["eta_u"], "eta_d": -TABLE_I["bp1"]["eta_d"]}
    both = [float(dark_scalar.scalar_widths(at("bp1", **change)).to_photons) for change in ({"kappa": -0.42}, flipped)]
    assert both[0] == pytest.approx(both[1], rel=1e-13)
    assert both[0] > tree


def test_the_decay_of_nu4_is_half_of_what_is_printed():
    """Dirac width g^2 U_D4^2 (1 - U_D4^2) m/(16 pi) (1 - m_S^2/m^2)^2; equation 13 prints 8 pi."""
    p = TABLE_I["bp1"]
    mixing = p["U_mu4"] ** 2 * (1.0 - p["U_mu4"] ** 2)
    printed = p["g_D"] ** 2 / (8 * np.pi) * mixing * (1 - (p["m_S"] / p["m_nu4"]) ** 2) ** 2 * p["m_nu4"]
    assert float(as_published.nu4_decay_width(at("bp1"))) == pytest.approx(printed, rel=1e-12)
    assert float(dark_scalar.nu4_decay_width(at("bp1"))) == pytest.approx(printed / 2.0, rel=1e-12)


@pytest.mark.parametrize("name", TABLE_I)
def test_rest_frame_decay_lengths_are_below_a_tenth_of_a_millimetre_as_stated(name):
    """Section IV. At rest c tau; the length at p = m."""
    point = at(name)
    for mass, width in (
        (point["m_S"], dark_scalar.scalar_widths(point).total),
        (point["m_nu4"], dark_scalar.nu4_decay_width(point)),
    ):
        assert float(decay_length_m(mass, np.sqrt(2.0) * mass, width)) < 1.0e-4


def test_branching_ratios_add_up():
    point = at("bp3")
    (found,) = dark_scalar.light_bosons(point)
    assert float(found.branching_ratio("electrons", "photons", "invisible")[0]) == pytest.approx(1.0, rel=1e-13)
    assert float(found.lifetime[0] * dark_scalar.scalar_widths(point).total) == pytest.approx(HBAR, rel=1e-12)


def test_nucleon_couplings_with_their_uncertainties():
    """C_p = (M/v) [eta_u ... ]: 3.22e-4 at the first point with v = 246 GeV, larger sigma terms raise it."""
    point = at("bp1")
    C_p, C_n = (float(value) for value in as_published.nucleon_couplings(point, {}))
    light, heavy = 0.0411 + 0.043, 2.0 / 27.0 * (1.0 - 0.0208 - 0.0411 - 0.043)
    expected = 0.93827209 / V_EW_PAPER * (0.56 * (light + heavy) + 2e-3 * (0.0208 + 2.0 * heavy))
    assert C_p == pytest.approx(expected, rel=1e-8)
    assert C_n > C_p
    more, _ = as_published.nucleon_couplings(point, {"sigma_term_scale": 1.15, "f_s": 0.043})
    stranger, _ = as_published.nucleon_couplings(point, {"sigma_term_scale": 1.0, "f_s": 0.054})
    assert float(more) > C_p
    assert float(stranger) > C_p


def test_products_and_back():
    forms = dark_scalar.parametrisations["products"]
    for name, point in TABLE_I.items():
        again = forms.to_physical(forms.from_physical({key: jnp.asarray(value) for key, value in point.items()}))
        assert {key: float(value) for key, value in again.items()} == pytest.approx(point, rel=1e-13), name


@pytest.mark.parametrize("name", TABLE_I)
def test_published_points_lie_inside_the_bounds(name):
    for form in dark_scalar.parametrisations.values():
        values = form.from_physical({key: jnp.asarray(value) for key, value in TABLE_I[name].items()})
        for parameter in form.parameters:
            assert parameter.low <= float(values[parameter.name]) <= parameter.high, parameter.name


def summary(point):
    widths = dark_scalar.scalar_widths(point)
    return jnp.stack(
        [
            widths.to_photons / widths.total,
            widths.to_electrons / widths.total,
            dark_scalar.nu4_decay_width(point),
            dark_scalar.lepton_moment(point, "muon"),
            dark_scalar.lepton_moment(point, "electron"),
            dark_scalar.nucleon_couplings(point, {})[0],
            *(dark_scalar.meson_branching_ratios(point, mode)[0][0] for mode in MESON_MODES),
        ]
    )


VALUE, SLOPE = jax.jit(summary), jax.jit(jax.jacfwd(summary))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_gradients_against_differences_all_over_the_prior(seed):
    rng = np.random.default_rng(seed)
    parameters = dark_scalar.parametrisations["physical"].parameters
    point = {
        p.name: np.exp(rng.uniform(np.log(p.low), np.log(p.high))) if p.is_log else rng.uniform(p.low, p.high)
        for p in parameters
    }
    point["m_nu4"] = max(point["m_nu4"], 1.02 * point["m_S"])
    slopes = SLOPE({k: jnp.asarray(v) for k, v in point.items()})
    for name, value in point.items():
        step = 3e-6 * abs(value)
        above, below = (np.asarray(VALUE({**point, name: value + sign * step})) for sign in (1, -1))
        scale = np.abs(above) / abs(value) + 1e-300
        np.testing.assert_allclose(np.asarray(slopes[name]) / scale, (above - below) / (2 * step) / scale, atol=3e-6)


def test_nothing_decays_and_no_gradient_leaks_when_nu4_is_the_lighter_one():
    point = at("bp1", m_nu4=0.1)
    value, slope = jax.value_and_grad(lambda m: dark_scalar.nu4_decay_width({**point, "m_nu4": m}))(point["m_nu4"])
    assert (float(value), float(slope)) == (0.0, 0.0)


def test_unknown_choices_are_refused():
    with pytest.raises(InputError, match="photon_loops"):
        DarkScalar(photon_loops="all")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="nu4_width"):
        DarkScalar(nu4_width="half")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="lepton"):
        dark_scalar.lepton_moment(at("bp1"), "pion")
