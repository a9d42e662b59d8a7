"""CP phases of the dark seesaw: what they change, what they leave, and where they are signs of masses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.errors import InputError
from anomfit.models.dark_seesaw import DarkSeesaw, dark_seesaw
from anomfit.physics.constants import M_E
from anomfit.physics.dark_neutrinos import decays, decays_of_states, total_widths
from anomfit.physics.dark_seesaw import benchmark_bosons, benchmark_entries, light_masses, loop_correction
from anomfit.physics.three_body_decays import width_to_neutrino_leptons
from anomfit.prediction import fitting_parametrisation, point_from_settings

REAL, COMPLEX, PHASES = (dark_seesaw.parametrisations[name] for name in ("lagrangian", "complex", "mixings-phases"))


def benchmark(name):
    return {key: jnp.asarray(float(value)) for key, value in dark_seesaw.points[name].items()}


in_vertices, in_states = jax.jit(dark_seesaw.vertices), jax.jit(dark_seesaw.mass_states)


def states_at(point):
    return dark_seesaw.in_vertices.dark_neutrinos(in_vertices(point))


@jax.jit
def of_vertices(point):
    states = dark_seesaw.in_vertices.dark_neutrinos(point)
    found = decays(states)
    return found.to_electrons, total_widths(states, found)


def electrons(point):
    """Widths to e+e- by decay, and total ones."""
    return of_vertices(in_vertices(point))


@pytest.mark.parametrize("name", ["BP-A", "BP-C"])
def test_phases_of_0_are_the_real_matrix(name):
    """Takagi's states and the real ones: |m|, |V|, |U| and every width."""
    real = benchmark(name)
    zero = COMPLEX.from_physical(real)
    assert set(zero) == set(COMPLEX.names)
    here, there = in_vertices(real), in_vertices(zero)
    for key, value in here.items():
        assert float(there[key]) == pytest.approx(abs(float(value)), rel=1e-12, abs=1e-15)
    for found, expected in zip(electrons(zero), electrons(real), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13 * float(jnp.max(expected)))


def test_a_phase_of_pi_is_a_sign():
    point = COMPLEX.from_physical(benchmark("BP-C"))
    turned = electrons({**point, "phase_M_X": jnp.asarray(np.pi)})
    np.testing.assert_allclose(turned[0], electrons({**point, "M_X": -point["M_X"]})[0], rtol=1e-11)


def test_phases_change_decays_to_heavy_states_alone():
    """BP-B in masses and mixings: N_j -> nu e+e- and what a beam makes stay, N_5 -> N_4 e+e- follows cos(2 beta)."""
    point = PHASES.from_physical(benchmark("BP-B"))
    assert set(point) == set(PHASES.names)
    parent, daughter = decays_of_states(3)
    to_light, to_N4 = daughter < 0, np.flatnonzero((parent == 1) & (daughter == 0))[0]
    plain, _ = electrons(point)
    found, _ = electrons({**point, "beta_4": jnp.asarray(0.6), "beta_6": jnp.asarray(-0.2)})
    np.testing.assert_allclose(found[to_light], plain[to_light], rtol=1e-14)
    states = states_at(point)
    assert np.all(np.asarray(states.mass[:2]) * [-1.0, 1.0] > 0.0)  # opposite parities: eta = -cos(2 beta)
    g = np.sqrt(4.0 * np.pi / 137.035999084) * states.epsilon * states.between[1, 0]
    by_hand = [
        float(width_to_neutrino_leptons(*states.size[np.array([1, 0])], M_E, states.m_Zprime, g, eta))
        for eta in (-np.cos(1.2), -1.0)
    ]
    assert float(found[to_N4]) == pytest.approx(by_hand[0], rel=1e-8)
    assert float(found[to_N4] / plain[to_N4]) == pytest.approx(by_hand[0] / by_hand[1], rel=1e-12)


def test_a_majorana_phase_of_half_pi_is_the_sign_of_a_mass():
    point = PHASES.from_physical(benchmark("BP-D"))
    flipped = {**point, "m_N4_over_m_N5": -point["m_N4_over_m_N5"]}
    turned = {**point, "beta_4": jnp.asarray(0.5 * np.pi)}
    np.testing.assert_allclose(electrons(turned)[0], electrons(flipped)[0], rtol=1e-12)


def test_published_lifetimes_have_axial_currents_throughout():
    """Phases of pi/2 where parities differ give eta = 1: with the paper's factor for identical states near its cm."""
    point = PHASES.from_physical(benchmark("BP-B"))
    point = {**point, "beta_4": jnp.asarray(0.5 * np.pi), "beta_6": jnp.asarray(0.5 * np.pi)}
    states = states_at(point)
    j, k = np.tril_indices(3, -1)
    np.testing.assert_allclose(states.parity(j, k), 1.0, rtol=1e-12)
    lifetime = 1.973269804e-14 / float(electrons(point)[1][1])  # cm
    assert lifetime == pytest.approx(2.2, rel=0.04)  # what N_7 and N_8 take is lost


def test_gradients_against_differences():
    """Of masses, vertices and CP parities of BP-B along phases and an entry; finite at BP-A, where vertices vanish."""
    point = {**COMPLEX.from_physical(benchmark("BP-B")), "phase_M_X": jnp.asarray(0.3)}
    point["phase_M_D2"] = jnp.asarray(-0.5)
    names = ("phase_M_X", "phase_M_D2", "phase_Lambda_R2", "M_X")

    @jax.jit
    def numbers(point):
        states = dark_seesaw.dark_neutrinos(point)
        j, k = np.tril_indices(3, -1)
        of_pairs = jnp.concatenate([states.parity(j, k), states.between[j, k] ** 2])
        return jnp.concatenate([jnp.log(states.mass), 1e7 * states.to_light**2, of_pairs])

    @jax.jit
    def slopes(point):
        nothing = {name: jnp.zeros(()) for name in point}
        along = {name: nothing | {name: jnp.ones(())} for name in names}
        directions = jax.tree.map(lambda *leaves: jnp.stack(leaves), *along.values())
        return jax.vmap(lambda direction: jax.jvp(numbers, (point,), (direction,))[1])(directions)

    for name, found in zip(names, slopes(point), strict=True):
        step = 1e-5 * (1.0 if name.startswith("phase") else float(point[name]))
        up, down = (numbers({**point, name: point[name] + sign * step}) for sign in (1, -1))
        np.testing.assert_allclose(found, (up - down) / (2 * step), rtol=1e-6, atol=1e-7)
    assert np.all(np.isfinite(slopes(COMPLEX.from_physical(benchmark("BP-A")))))


def test_real_parametrisations_have_no_place_for_phases():
    point = COMPLEX.from_physical(benchmark("BP-B"))
    assert set(REAL.from_physical(point)) == set(REAL.names)
    for name in ("lagrangian", "mixings", "left-right", "mixings-phases"):
        with pytest.raises(InputError, match="this point has phases"):
            dark_seesaw.parametrisations[name].from_physical({**point, "phase_M_X": jnp.asarray(0.1)})


@pytest.mark.parametrize(("name", "chosen"), [("phase_M_X", "complex"), ("beta_6", "mixings-phases")])
def test_settings_find_the_parametrisation(name, chosen):
    found = fitting_parametrisation(dark_seesaw, None, {name})
    assert found.name == chosen
    values = point_from_settings(dark_seesaw, found, "BP-B", {name: 0.4})
    assert values[name] == 0.4
    assert set(values) == set(found.names)


def test_non_unitarity_is_the_sum_of_all_mixings():
    point = benchmark("BP-D")
    non_unitarity = jax.jit(dark_seesaw.non_unitarity)
    row = np.asarray(in_states(point).mixing)[0]
    assert float(non_unitarity(point)) == pytest.approx(1.0 - row[0] ** 2, rel=1e-9)
    mixings = PHASES.from_physical(point)
    squared = sum(float(mixings[f"U_mu{j}"]) ** 2 for j in (4, 5, 6))
    assert float(dark_seesaw.non_unitarity(mixings)) == pytest.approx(squared, rel=1e-12)


def test_loops_shift_the_light_mass_by_the_one_loop_term():
    """To first order in the entries, whose own size next to the matrix is some per cent at BP-A."""
    point = benchmark("BP-A")
    with_loops = jax.jit(lambda m_phi: DarkSeesaw(loops=True, m_phi=m_phi).mass_states(point).masses[0])
    tree, full = float(in_states(point).masses[0]), float(with_loops(1.0))
    entries, bosons = benchmark_entries("BP-A"), benchmark_bosons("BP-A")
    states = in_states(point)
    first = float(light_masses(states, loop_correction(states, entries, bosons))[0]) - tree
    assert full - tree == pytest.approx(first, rel=0.05)
    assert "one-loop" in DarkSeesaw(loops=True).choices["mass matrix"]
    assert "mass matrix" not in dark_seesaw.choices
    assert float(with_loops(1.5)) != pytest.approx(full, rel=1e-3)
