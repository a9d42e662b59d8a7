import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from anomfit.physics.dark_seesaw import (
    BENCHMARK_MATRICES,
    benchmark_bosons,
    benchmark_entries,
    light_masses,
    loop_correction,
    mass_matrix,
    mass_states,
)
from anomfit.physics.dark_seesaw_conditions import (
    dark_mass_from_sterile_fraction,
    entries_from_masses,
    entries_from_states,
    impose_light_mass,
)
from tests.physics import many_digits

NAMES = list(BENCHMARK_MATRICES)
M_3 = 0.05e-9  # GeV, Table I
states_of = jax.jit(mass_states)
imposed = jax.jit(impose_light_mass, static_argnums=(2, 3))
imposed_slopes = jax.jit(jax.jacrev(lambda e, m: impose_light_mass(e, m, 1).entries.M_D[0, 1], argnums=(0, 1)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("m_light", [M_3, -M_3])
@pytest.mark.parametrize("sterile", [1, 2])
def test_imposed_mass_against_100_digits(name, m_light, sterile):
    """m_3 = +-0.05 eV by a small change of M_D2 or M_D3: to 1e-9 (1e-7 wanted)."""
    printed = benchmark_entries(name)
    found = imposed(printed, m_light, sterile)
    assert bool(found.exists)
    exact, _ = many_digits.solve(np.asarray(mass_matrix(found.entries)))
    assert float(exact[0]) == pytest.approx(m_light, rel=1e-9)
    assert float(states_of(found.entries).masses[0]) == pytest.approx(m_light, rel=1e-9)
    assert abs(found.entries.M_D[0, sterile] / printed.M_D[0, sterile] - 1.0) < 0.04


@pytest.mark.parametrize("name", ["BP-B", "BP-D"])
def test_impossible_mass_is_flagged(name):
    """M_D1 alone cannot bring these points to 0.05 eV: the quadratic equation has no real solution."""
    found = imposed(benchmark_entries(name), M_3, 0)
    assert not bool(found.exists)
    assert np.all(np.isfinite(mass_matrix(found.entries)))


@pytest.mark.parametrize("name", NAMES)
def test_derivatives_of_the_imposed_entry(name):
    """Against differences, in proportion to each entry; 0 with respect to the value that is replaced."""
    entries = benchmark_entries(name)
    slopes, by_mass = imposed_slopes(entries, M_3)
    assert float(slopes.M_D[0, 1]) == 0.0
    step = 1e-6
    for field, at in (("M_D", (0, 2)), ("M_N", (0, 0)), ("Lambda_L", (1, 0)), ("Lambda_R", (0, 0)), ("M_X", (0, 0))):
        here = getattr(entries, field)
        ends = [
            imposed(entries._replace(**{field: here.at[at].multiply(1.0 + sign * step)}), M_3, 1).entries.M_D[0, 1]
            for sign in (1.0, -1.0)
        ]
        expected = (ends[0] - ends[1]) / (2.0 * step * here[at])
        assert float(getattr(slopes, field)[at]) == pytest.approx(float(expected), rel=1e-6)
    ends = [imposed(entries, factor * M_3, 1).entries.M_D[0, 1] for factor in (1.5, 0.5)]
    assert float(by_mass) == pytest.approx(float(ends[0] - ends[1]) / M_3, rel=1e-6)


def test_implicit_derivative_keeps_the_mass():
    """Along any change of the other entries, the light mass of the imposed matrix does not move."""
    entries = benchmark_entries("BP-C")
    light = jax.jit(jax.grad(lambda e: mass_states(impose_light_mass(e, M_3, 1).entries).masses[0]))(entries)
    alone = jax.jit(jax.grad(lambda e: mass_states(e).masses[0]))(entries)
    for kept, moved in zip(light, alone, strict=True):
        assert np.all(np.abs(kept) <= 1e-9 * np.max(np.abs(moved)))


def test_one_mass_of_three_generations():
    """Any light mass can be imposed by an entry of any row, with the other generations' rows as they are."""
    rng = np.random.default_rng(1)
    one = benchmark_entries("BP-C")
    three = one._replace(M_D=jnp.asarray(rng.normal(size=(3, 3)) * 1e-4))
    lightest = states_of(three).masses
    for generation, target in ((0, 1.05 * lightest[0]), (2, 0.97 * lightest[1])):
        found = imposed(three, target, 1, generation)
        assert bool(found.exists)
        masses = np.array(many_digits.solve(np.asarray(mass_matrix(found.entries)))[0], float)
        assert np.min(np.abs(masses / float(target) - 1.0)) < 1e-9


def test_imposed_mass_with_loops():
    """0.05 eV as the sum of tree and loop at BP-A and BP-B, in one compilation, with the implicit derivative."""
    solve = jax.jit(
        lambda e, m, b: jax.value_and_grad(lambda e: impose_light_mass(e, m, 1, bosons=b).entries.M_D[0, 1])(e)
    )
    light = jax.jit(lambda e, b: light_masses(s := mass_states(e), loop_correction(s, e, b))[0])
    for name in ("BP-A", "BP-B"):
        entries, bosons = benchmark_entries(name), jax.tree.map(jnp.asarray, benchmark_bosons(name))
        value, slopes = solve(entries, M_3, bosons)
        there = entries._replace(M_D=entries.M_D.at[0, 1].set(value))
        assert float(light(there, bosons)) == pytest.approx(M_3, rel=1e-9)
        step = 1e-6
        ends = [solve(entries._replace(M_X=entries.M_X * (1.0 + sign * step)), M_3, bosons)[0] for sign in (1.0, -1.0)]
        expected = (ends[0] - ends[1]) / (2.0 * step * entries.M_X[0, 0])
        assert float(slopes.M_X[0, 0]) == pytest.approx(float(expected), rel=1e-6)
        assert float(slopes.M_D[0, 1]) == 0.0


@pytest.mark.parametrize("loops", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["tree", "loops"])
def test_imposed_mass_of_complex_entries(loops):
    """BP-B and BP-C with phases: 0.05 eV against 100 digits, by a small change of M_D2, and the implicit derivative."""
    bosons = jax.tree.map(jnp.asarray, benchmark_bosons("BP-B")) if loops else None

    @jax.jit
    def solve(entries, m_light, phase):
        def value(phase):
            turned = entries._replace(M_X=entries.M_X * jnp.exp(1j * phase))
            found = impose_light_mass(turned, m_light, 1, bosons=bosons)
            return jnp.real(found.entries.M_D[0, 1]), found

        return jax.value_and_grad(value, has_aux=True)(phase)

    for name in ("BP-B", "BP-C"):
        rng = np.random.default_rng(3)
        printed = jax.tree.map(
            lambda x, rng=rng: x * np.exp(1j * rng.uniform(-0.5, 0.5, x.shape)), benchmark_entries(name)
        )
        (_, found), slope = solve(printed, M_3 * jnp.exp(0.4j), 0.2)
        assert bool(found.exists)
        entries = found.entries
        assert abs(entries.M_D[0, 1] / printed.M_D[0, 1] - 1.0) < 0.5
        states = states_of(entries)
        if loops:
            mass = float(light_masses(states, loop_correction(states, entries, bosons))[0])
        else:
            matrix = np.asarray(mass_matrix(entries))
            mass = float(many_digits.solve_takagi(matrix.real, matrix.imag)[0][0])
            assert np.angle(states.mixing[0, 0] ** 2) == pytest.approx(-0.4, abs=1e-8)
        assert mass == pytest.approx(M_3, rel=1e-9)
        step = 1e-6
        ends = [float(solve(printed, M_3 * jnp.exp(0.4j), 0.2 + sign * step)[0][0]) for sign in (1.0, -1.0)]
        assert float(slope) == pytest.approx((ends[0] - ends[1]) / (2.0 * step), rel=1e-6)


def test_loops_and_phases_are_for_one_generation():
    entries = benchmark_entries("BP-A")
    two = entries._replace(M_D=jnp.concatenate([entries.M_D, entries.M_D]))
    for matrix, bosons in ((two, benchmark_bosons("BP-A")), (two._replace(M_D=two.M_D * 1j), None)):
        with pytest.raises(ValueError, match="one active generation"):
            impose_light_mass(matrix, M_3, bosons=bosons)


# -- masses and mixings to entries ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_entries_come_back_from_the_states(name):
    entries = benchmark_entries(name)
    found = entries_from_states(states_of(entries), active=1, sterile=3)
    for back, entry in zip(found.entries, entries, strict=True):
        np.testing.assert_allclose(back, entry, atol=1e-13)  # rounding of 18 GeV
    assert float(found.forbidden) < 1e-13


def test_other_mixings_are_no_dark_seesaw():
    """A rotation of nu_mu into D_L by 1e-3 shows in the forbidden entries."""
    states = states_of(benchmark_entries("BP-B"))
    turn = np.eye(6)
    turn[0, 0] = turn[4, 4] = np.cos(1e-3)
    turn[0, 4], turn[4, 0] = np.sin(1e-3), -np.sin(1e-3)
    found = entries_from_states(states._replace(mixing=turn @ np.asarray(states.mixing)), 1, 3)
    assert float(found.forbidden) > 1e-5


from_masses = jax.jit(entries_from_masses)
masses_of = jax.jit(lambda masses, M_X: mass_states(entries_from_masses(masses, M_X).entries).masses)
scale = st.floats(0.01, 1.0)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(scale, st.floats(0.05, 0.95), st.floats(0.05, 3.0), st.floats(0.05, 3.0), st.floats(1e-12, 1e-2))
def test_masses_to_entries_and_back(M_X, inner, above, below, light):
    """Signed masses that alternate with 0 and +-M_X are those of the matrix: a light one of 1e-12 too."""
    masses = jnp.asarray([-light * inner * M_X, inner * M_X, (1.0 + above) * M_X, -(1.0 + below) * M_X])
    found = from_masses(masses, jnp.asarray([M_X]))
    assert bool(found.exists)
    back = np.asarray(masses_of(masses, jnp.asarray([M_X])))
    np.testing.assert_allclose(np.sort(back), np.sort(masses), rtol=1e-9)


def test_masses_in_the_wrong_order_do_not_exist():
    """N_4 and N_5 both between 0 and M_X: no real matrix, and a finite answer with a flag."""
    found = from_masses(jnp.asarray([-1e-10, 0.03, 0.08, -0.2]), jnp.asarray([0.1]))
    assert not bool(found.exists)
    assert np.all(np.isfinite(mass_matrix(found.entries)))


def test_two_dark_pairs():
    M_X = jnp.asarray([0.1, 0.3])
    masses = jnp.asarray([-1e-11, 0.05, -0.2, 0.15, 0.4, -0.5])
    assert bool(from_masses(masses, M_X).exists)
    np.testing.assert_allclose(np.sort(masses_of(masses, M_X)), np.sort(masses), rtol=1e-9)


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.floats(0.3, 0.98))
def test_four_masses_and_a_mixing(fraction):
    """m_3, m_4, m_5, m_6 and |U_N4|^2 to the five entries: the states have them all."""
    masses = jnp.asarray([0.05e-9, -0.074, 0.146, -0.220])
    M_X, real = dark_mass_from_sterile_fraction(masses, fraction)
    found = from_masses(masses, M_X[None])
    assume(bool(real) and bool(found.exists))
    states = states_of(found.entries)
    np.testing.assert_allclose(states.masses, masses, rtol=1e-9)
    assert float(states.mixing[1, 1] ** 2) == pytest.approx(fraction, rel=1e-9)


def test_slopes_of_the_map():
    """d entries/d masses is the inverse of d masses/d entries: m of the matrix of m is m."""
    masses, M_X = jnp.asarray([0.05e-9, -0.074, 0.146, -0.220]), jnp.asarray([0.13])
    found = jax.jit(jax.jacfwd(lambda m: masses_of(m, M_X)))(masses)
    np.testing.assert_allclose(found, np.eye(4), atol=1e-7)
