"""States as searches see them: widths of the dark photon's states, flights before, inside and after a detector."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from anomfit.capabilities import (
    MixesElectronNeutrinos,
    MixesHeavyNeutrinos,
    MixesMuonNeutrinos,
    flavours_of,
    offered,
)
from anomfit.models.dark_photon import dark_photon, dark_photon_dirac
from anomfit.models.dark_scalar import dark_scalar
from anomfit.models.dark_seesaw import dark_seesaw
from anomfit.models.two_higgs_doublet import two_higgs_doublet
from anomfit.physics.constants import G_F, HBAR_C_M, M_MU
from anomfit.physics.dark_neutrinos import DarkNeutrinos, decays, total_widths
from anomfit.physics.heavy_neutrino_decays import weak_widths
from anomfit.physics.heavy_neutrinos import (
    SLOWEST,
    log_seen_in_window,
    momentum_in_flight,
    of_dark_photon,
    seen_inside,
    weak_states,
)
from anomfit.physics.meson_constants import M_CHARGED_KAON
from anomfit.physics.two_body import two_body_energy, two_body_momentum


def point_of(model, name):
    return {key: jnp.asarray(value) for key, value in model.points[name].items()}


@pytest.fixture(scope="module")
def benchmark():
    """N_4 to N_6 of BP-D."""
    return jax.jit(dark_seesaw.heavy_neutrinos)(point_of(dark_seesaw, "BP-D"))


def states(**changes):
    """Three states with a heavy Z' and no couplings, unless given."""
    none = jnp.zeros(3)
    numbers = {
        "mass": jnp.array([0.1, -0.2, 0.4]),
        "to_light": none,
        "produced": none,
        "between": jnp.zeros((3, 3)),
        "light": jnp.zeros(()),
        "mixing_squared": jnp.array([1e-6, 2e-6, 3e-6]),
        "m_Zprime": jnp.asarray(1.25),
        "epsilon": jnp.asarray(0.02),
    }
    return DarkNeutrinos(**(numbers | changes), majorana=True)


def test_without_a_vertex_of_zprime_the_weak_widths_are_left():
    found = of_dark_photon(states())
    each = jax.jit(lambda: weak_states([0.1, -0.2, 0.4], 0.0, [1e-6, 2e-6, 3e-6], 0.0, majorana=True))()
    for name in ("to_electrons", "to_muons", "to_hadrons", "width", "cascade", "U_mu"):
        np.testing.assert_allclose(getattr(found, name), getattr(each, name), rtol=1e-12)
    assert found.flavours == ("muon",)


def test_a_strong_vertex_leaves_the_weak_widths_behind():
    between = 2.0 * jnp.eye(3)[::-1]
    given = states(between=between, to_light=jnp.full(3, 1e-3))
    found, alone = jax.jit(lambda: (of_dark_photon(given), total_widths(given, decays(given))))()
    np.testing.assert_allclose(found.width, alone, rtol=1e-3)  # that of 0.2 GeV has pions by its mixing
    assert float(found.cascade[2, 0]) == pytest.approx(1.0, abs=1e-4)
    assert float(found.cascade[1, 0]) == 0.0


def test_branching_ratios_of_the_benchmark_add_up(benchmark):
    """What is visible and the three neutrinos make the width; N_5 and N_6 end in N_4 but for a part in 300."""
    size, mixing = benchmark.size, benchmark.U_mu
    nothing = jax.vmap(lambda m, u: weak_widths(m, 0.0, u, 0.0, majorana=True).to_neutrinos)(size, mixing)
    np.testing.assert_allclose(benchmark.visible + nothing, benchmark.width, rtol=1e-9)
    chain = jnp.linalg.inv(jnp.eye(3) - benchmark.cascade)
    np.testing.assert_allclose(chain[:, 0], [1.0, 1.0, 1.0], atol=3e-3)


def test_nu4_of_the_dark_scalar():
    """Its decays are those of S: 0.92 photons and electrons at bp1, 0.009 at bp5."""
    for name, share in (("bp1", 0.916), ("bp5", 0.00923)):
        found = dark_scalar.heavy_neutrinos(point_of(dark_scalar, name))
        assert float((found.visible / found.width)[0]) == pytest.approx(share, rel=1e-3)
        assert not found.majorana


def test_one_state_of_the_dark_photon():
    """bertuzzo: c tau of nu_4 -> nu Z', twice as long for a Dirac nu_4; Z' -> e+e- follows at once."""
    flights = []
    for model in (dark_photon, dark_photon_dirac):
        found = model.heavy_neutrinos(point_of(model, "bertuzzo"))
        assert found.majorana is model.majorana
        assert float((found.to_electrons / found.width)[0]) == pytest.approx(0.9995, abs=1e-4)
        flights.append(float((found.flight * found.size)[0]))
    assert flights[0] == pytest.approx(4.26e-11, rel=1e-2)
    assert flights[1] == pytest.approx(2.0 * flights[0], rel=1e-6)


def test_what_models_offer():
    for model in (dark_seesaw, dark_photon, dark_photon_dirac, dark_scalar):
        assert isinstance(model, MixesMuonNeutrinos)
        assert not isinstance(model, MixesElectronNeutrinos)
        assert flavours_of(model) == {"muon"}
        assert "heavy neutrinos that mix with light ones" in offered(model)
    assert not isinstance(two_higgs_doublet, MixesHeavyNeutrinos)


# -- flights --------------------------------------------------------------------------------------------------------


def test_momentum_at_rest_and_in_flight():
    at_rest = two_body_energy(M_CHARGED_KAON, 0.2, M_MU)
    assert float(momentum_in_flight(at_rest, 0.2, M_CHARGED_KAON, 0.0)) == pytest.approx(
        float(two_body_momentum(M_CHARGED_KAON, 0.2, M_MU)), rel=1e-12
    )
    fast = float(momentum_in_flight(at_rest, 0.2, M_CHARGED_KAON, 75.0))
    assert fast == pytest.approx(75.0 / M_CHARGED_KAON * float(at_rest), rel=1e-4)
    assert float(momentum_in_flight(0.2, 0.2, M_CHARGED_KAON, 0.0)) == SLOWEST


def test_seen_inside_a_detector():
    found = weak_states([0.2, 0.2], 0.0, [1e-8, 1.0], 0.0, majorana=True)
    share = found.visible / found.width
    momenta = np.array([0.1, 0.1])
    length = np.asarray(found.flight) * momenta
    near = seen_inside(found, 1e-4 * length, momenta)
    np.testing.assert_allclose(near, 1e-4 * share, rtol=1e-4)
    np.testing.assert_allclose(seen_inside(found, 1e3 * length, momenta), share, rtol=1e-12)


WIDTHS = [1e-20, 1e-16, 1e-15, 1e-14]  # GeV: decay lengths at 1 GeV of 2e5, 20, 2 and 0.2 m for 0.1 GeV


@pytest.mark.parametrize("width", WIDTHS)
def test_window_against_an_integral(width):
    momenta, size, distance, length, share = np.array([0.8, 1.0, 1.5]), 0.1, 12.0, 3.0, 0.3

    def mean_density(x):
        per_metre = size * width / (HBAR_C_M * momenta)
        return np.mean(per_metre * np.exp(-per_metre * x))

    expected, _ = quad(mean_density, distance, distance + length, epsabs=0.0, epsrel=1e-12)
    found = log_seen_in_window(width, share, size, distance, length, momenta)
    assert float(found) == pytest.approx(np.log(share * expected), rel=1e-9)


def test_window_before_inside_and_after():
    momenta = np.array([1.0])

    def decays_seen(per_metre):
        return float(log_seen_in_window(per_metre * HBAR_C_M / 0.1, 1.0, 0.1, 100.0, 10.0, momenta))

    assert decays_seen(1e-8) == pytest.approx(np.log(10.0 * 1e-8), abs=2e-6)  # after: in proportion to the width
    assert np.exp(decays_seen(np.log(1.1) / 10.0)) == pytest.approx(np.exp(-10.0 * np.log(1.1)) * (1 - 1 / 1.1))
    assert decays_seen(50.0) == pytest.approx(-5000.0, rel=1e-6)  # before: exp(-L/lambda), far below a float's range


def test_flights_are_differentiable_at_every_life():
    def found(width):
        return log_seen_in_window(width, 0.5, 0.1, 100.0, 10.0, np.array([0.5, 1.0, 2.0]))

    for width in (1e-30, 1e-18, 1e-12):
        value, slope = jax.value_and_grad(found)(width)
        step = 1e-6 * width
        assert float(slope) == pytest.approx(float(found(width + step) - found(width - step)) / (2 * step), rel=1e-4)
        assert np.isfinite(value)
    assert np.isfinite(jax.grad(found)(0.0))


def test_the_widths_of_the_benchmark_have_finite_slopes():
    """Along all vertices, masses and couplings of three states, closed channels among them."""

    def total(point):
        found = dark_photon.heavy_neutrinos(point)
        return jnp.sum(jnp.log(found.width)) + jnp.sum(found.cascade) + jnp.sum(found.to_muons)

    point = jax.jit(dark_seesaw.vertices)(point_of(dark_seesaw, "BP-A"))
    towards = {name: jnp.asarray(0.1 + 0.01 * i) for i, name in enumerate(point)}
    value, slope = jax.jit(lambda: jax.jvp(total, (point,), (towards,)))()
    assert np.isfinite(value)
    assert np.isfinite(slope)


def test_weak_width_by_hand():
    """0.1 GeV, |U|^2 = 1: three neutrinos plus (g_L^2 + g_R^2) of them to e+e-, G_F^2 m^5/(192 pi^3) = 2.286e-19."""
    found = weak_states(0.1, 0.0, 1.0, 0.0, majorana=False)
    unit = G_F**2 * 1e-5 / (192.0 * np.pi**3)
    assert unit == pytest.approx(2.286e-19, rel=1e-3)
    assert float(found.width[0]) == pytest.approx(unit * (1.0 + 0.2688**2 + 0.2312**2), rel=1e-3)
