"""Three active generations in the dark seesaw: unitarity, the limit of one, many digits, rows that know nu_e."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.capabilities import MixesElectronNeutrinos, MixesMuonNeutrinos
from anomfit.catalogue import find_model
from anomfit.constraints.heavy_neutrino_mixing import constraints, effective_mass
from anomfit.models.dark_seesaw import dark_seesaw
from anomfit.models.dark_seesaw_flavours import dark_seesaw_flavours
from anomfit.models.dark_seesaw_parameters import PARAMETRISATIONS
from anomfit.physics import dark_mixing
from anomfit.physics.constants import M_E
from anomfit.physics.dark_flavours import light_block, mixing_matrix, root_of_the_rest
from anomfit.physics.dark_seesaw import Entries, benchmark_entries, mass_matrix, mass_states
from anomfit.physics.heavy_neutrino_decays import width_to_lepton_pion
from anomfit.physics.heavy_neutrinos import of_dark_photon
from tests.physics import many_digits

MIXINGS, FLAVOURS, LAGRANGIAN = (
    dark_seesaw_flavours.parametrisations[name] for name in ("mixings", "flavours", "lagrangian")
)
ROWS = {row.name: row for row in constraints()}
OF_ELECTRONS = ("line-na62-electron", "na62-electron-hint", "neutrinoless-double-beta")
ANGLES = (-1.1, 0.2, 0.4)


of_one_generation = PARAMETRISATIONS["mixings"].from_physical


def as_point(values):
    return {name: jnp.asarray(float(value)) for name, value in values.items()}


MUON_POINT = {
    **as_point({"m_N6": 0.45, "m_N5_over_m_N6": 0.77, "m_N4_over_m_N5": -0.6}),
    **as_point({"U_mu4": 2e-4, "U_mu5": 3e-4, "U_mu6": 1e-3}),
    **as_point(dict(zip(("theta_46", "theta_45", "theta_56"), ANGLES, strict=True))),
    **as_point({"alpha_D": 0.3, "epsilon": 0.01, "m_Zprime": 1.25}),
}
NINE = {
    **MUON_POINT,
    **as_point({"U_e4": 1e-4, "U_e5": -4e-4, "U_e6": 2e-4, "U_tau4": -3e-4, "U_tau5": 1e-3, "U_tau6": 5e-4}),
}


@jax.jit
def matrix_of(B):
    return mixing_matrix(*ANGLES, B)


def numbers_of(model, point):
    """What the model says of its heavy neutrinos, arrays by name."""
    states = model.dark_neutrinos(point)
    heavy = of_dark_photon(states)
    names = ("mass", "U_e", "U_mu", "U_tau", "to_electrons", "to_muons", "to_hadrons", "width", "cascade")
    return {
        **{name: getattr(heavy, name) for name in names},
        **{name: getattr(states, name) for name in ("to_light", "produced", "between")},
    }


@jax.jit
def one_generation(point):
    return numbers_of(dark_seesaw, point)


@jax.jit
def three_generations(point):
    return numbers_of(dark_seesaw_flavours, point)


def of_states(point):
    states = dark_seesaw_flavours.dark_neutrinos(point)
    return states.electron_squared, states.tau_squared, states.to_light, states.produced, states.between


def in_proportion(r_e, r_tau):
    """U_e = r_e U_mu and U_tau = r_tau U_mu, by the names of all nine."""
    ratios = as_point({"electron_ratio": r_e, "tau_ratio": r_tau})
    return as_point(FLAVOURS.from_physical({**MUON_POINT, **ratios}))


@jax.jit
def of_rows(point):
    return {name: ROWS[name].outcome(dark_seesaw_flavours, point, {}) for name in OF_ELECTRONS}


# -- the mixing matrix ------------------------------------------------------------------------------------------------


def test_the_matrix_is_orthogonal_and_has_the_mixings():
    B = 0.3 * np.random.default_rng(3).uniform(-1.0, 1.0, (3, 3))
    U = np.asarray(matrix_of(B))
    np.testing.assert_allclose(U @ U.T, np.eye(6), atol=3e-15)
    np.testing.assert_array_equal(U[:3, 3:], B)


def test_one_flavour_is_the_matrix_of_one_generation():
    muon = np.array([2e-2, 3e-2, 0.1])
    one = jax.jit(dark_mixing.mixing_matrix)(dark_mixing.Angles(*ANGLES, muon))
    three = np.asarray(matrix_of(np.stack([0.0 * muon, muon, 0.0 * muon])))
    kept = np.array([1, 3, 4, 5])
    np.testing.assert_allclose(three[np.ix_(kept, kept)], one, atol=1e-15)
    np.testing.assert_array_equal(three[np.ix_([0, 2], [0, 2])], np.eye(2))


def test_the_root_is_smooth_where_nothing_mixes():
    """sqrt(1 - x) = 1 - x/2 - x^2/8, in value and slope."""
    x = 0.09
    value, slope = jax.jit(jax.value_and_grad(lambda x: root_of_the_rest(x * jnp.eye(3))[0, 0]))(x)
    assert float(value) == pytest.approx(np.sqrt(1.0 - x), rel=1e-15)
    assert float(slope) == pytest.approx(-0.5 / np.sqrt(1.0 - x), rel=1e-13)
    slopes = jax.jit(jax.jacobian(matrix_of))(jnp.zeros((3, 3)))
    assert np.all(np.isfinite(slopes))


# -- the limit of one generation --------------------------------------------------------------------------------------


def assert_the_same(found, expected):
    for name, value in expected.items():
        scale = np.max(np.abs(value))
        np.testing.assert_allclose(found[name], value, rtol=1e-12, atol=1e-14 * scale, err_msg=name)


@pytest.mark.parametrize("name", ["BP-B", "BP-C"])
def test_the_paper_s_points_are_those_of_one_generation(name):
    """nu_e and nu_tau that mix with nothing change nothing: to 1e-12, sizes below 1e-14 of the largest aside."""
    found = three_generations(as_point(dark_seesaw_flavours.points[name]))
    assert_the_same(found, one_generation(as_point(dark_seesaw.points[name])))


def test_mixings_without_nu_e_and_nu_tau_are_those_of_one_generation():
    assert_the_same(three_generations(in_proportion(0.0, 0.0)), one_generation(MUON_POINT))


# -- several flavours -------------------------------------------------------------------------------------------------


def test_flavours_in_proportion_are_one_flavour_that_mixes_more():
    """A rotation of nu_e, nu_mu, nu_tau: N_j decays as with U = U_mu sqrt(1 + r_e^2 + r_tau^2) of one flavour."""
    r_e, r_tau = 0.7, 1.3
    norm = np.sqrt(1.0 + r_e**2 + r_tau**2)
    found = three_generations(in_proportion(r_e, r_tau))
    whole = {**MUON_POINT, **{f"U_mu{j}": norm * MUON_POINT[f"U_mu{j}"] for j in (4, 5, 6)}}
    single = one_generation(whole)
    np.testing.assert_allclose(found["to_light"], single["to_light"], rtol=1e-12)
    np.testing.assert_allclose(found["between"], single["between"], rtol=1e-12)
    np.testing.assert_allclose(found["produced"], single["produced"] / norm, rtol=1e-5)  # nu_mu's part of the beam
    np.testing.assert_allclose(found["U_e"], r_e**2 * found["U_mu"], rtol=1e-12)
    np.testing.assert_allclose(found["U_e"] + found["U_mu"] + found["U_tau"], single["U_mu"], rtol=1e-12)


def test_light_vertices_add_up_over_flavours():
    """Decays to any light neutrino are the sum over what a beam of each flavour makes, but for U^2."""
    of = jax.jit(dark_seesaw_flavours.light_vertices)
    found = of(NINE)
    np.testing.assert_allclose(jnp.sum(found.of_beam**2, axis=0), found.to_light**2, rtol=2e-5)
    signed = {**NINE, **{name: -NINE[name] for name in ("U_e4", "U_e5", "U_e6")}}
    again = of(signed)  # the sign of the field nu_e
    np.testing.assert_allclose(again.of_beam, found.of_beam, rtol=1e-12)


def test_electrons_and_taus_decay_weakly():
    """N_6 of 450 MeV: e pi adds to hadrons, and nothing knows nu_tau but through Z."""
    no_electrons = as_point(dict.fromkeys(("U_e4", "U_e5", "U_e6"), 0.0))
    found, muon = three_generations(NINE), three_generations({**NINE, **no_electrons})
    added = np.asarray(found["to_hadrons"] - muon["to_hadrons"])[2]
    pion = 2.0 * float(width_to_lepton_pion(0.45, NINE["U_e6"] ** 2, M_E))
    assert added > pion > 0.0  # the rest is nu pi0, and N_j -> nu hadrons by Z'
    np.testing.assert_allclose(found["U_tau"], [9e-8, 1e-6, 2.5e-7], rtol=1e-12)


def test_against_100_digits():
    """Eight fields: masses to 1e-14, |U_aj|^2 of heavy states to 1e-12 and the block of light masses to 1e-10."""
    own = benchmark_entries("BP-B")
    entries: Entries = own._replace(M_D=jnp.concatenate([0.3 * own.M_D[:, ::-1], own.M_D, 0.2 * own.M_D**2 / 1e-3]))
    states = jax.jit(mass_states)(entries)
    masses, products = many_digits.solve(np.asarray(mass_matrix(entries)))
    np.testing.assert_allclose(states.masses, np.array(masses, float), rtol=1e-14)
    for j in range(3, 8):
        squared = np.diag(products[j]).astype(float)[:3]
        np.testing.assert_allclose(np.asarray(states.mixing[:3, j]) ** 2, squared, rtol=1e-12)
    with many_digits.localcontext() as context:
        context.prec = many_digits.DIGITS
        block = sum(mass * product[:3, :3] for mass, product in zip(masses[:3], products[:3], strict=True))
    np.testing.assert_allclose(light_block(states), block.astype(float), rtol=1e-10)


def test_the_light_block_is_that_of_the_seesaw():
    """-M_D M^-1 M_D^T of the heavy block, but for squared mixings; the masses are its eigenvalues."""
    point = as_point(dark_seesaw_flavours.points["BP-D"] | {"M_De1": 3e-5, "M_Dtau2": 2e-4})
    matrix = np.asarray(mass_matrix(dark_seesaw_flavours.entries(point)))
    block = np.asarray(jax.jit(dark_seesaw_flavours.light_masses)(point))
    heavy = -matrix[:3, 3:] @ np.linalg.solve(matrix[3:, 3:], matrix[3:, :3])
    np.testing.assert_allclose(block, heavy, atol=1e-4 * np.max(np.abs(heavy)))


# -- parametrisations, rows, slopes -----------------------------------------------------------------------------------


def test_it_is_a_model_of_the_catalogue_that_knows_all_flavours():
    assert find_model("dark-seesaw-flavours") is dark_seesaw_flavours
    assert isinstance(dark_seesaw_flavours, MixesElectronNeutrinos)
    assert isinstance(dark_seesaw_flavours, MixesMuonNeutrinos)
    assert not isinstance(dark_seesaw, MixesElectronNeutrinos)
    for point in dark_seesaw_flavours.points.values():
        assert set(point) == set(LAGRANGIAN.names)


def test_matrices_become_mixings():
    nine = FLAVOURS.from_physical(as_point(dark_seesaw_flavours.points["BP-D"]))
    ratio = MIXINGS.from_physical(as_point(dark_seesaw_flavours.points["BP-D"]))
    one = jax.jit(of_one_generation)(as_point(dark_seesaw.points["BP-D"]))
    assert set(nine) == set(FLAVOURS.names)
    assert set(ratio) == set(MIXINGS.names)
    assert float(ratio["electron_ratio"]) == pytest.approx(0.11, rel=1e-12)
    for name, value in one.items():  # M_D of the electron changes what the heavy states are by its squared mixing
        assert float(ratio[name]) == pytest.approx(float(value), rel=1e-5)
    for j in (4, 5, 6):
        assert float(nine[f"U_e{j}"]) == pytest.approx(0.11 * float(nine[f"U_mu{j}"]), rel=1e-6)
    again = FLAVOURS.from_physical(ratio)
    assert set(again) == set(FLAVOURS.names)
    other = as_point(dark_seesaw_flavours.points["BP-D"] | {"M_De1": 1e-4})
    assert set(MIXINGS.from_physical(other)) == {"alpha_D", "epsilon", "m_Zprime"}
    assert set(MIXINGS.from_physical(NINE)) == {"alpha_D", "epsilon", "m_Zprime"}


def test_rows_of_electrons_see_bp_d():
    """Equations A4 and B19 of the paper, and 0.8 % of NA62's hint, as of a model without nu_e that takes 0.11 U_mu.

    M_D of the electron changes what the heavy states are by its squared mixing.
    """
    single = jax.jit(dark_seesaw.mass_states)(as_point(dark_seesaw.points["BP-D"]))
    squared = 0.11**2 * single.mixing[0, 1:4] ** 2
    found = of_rows(as_point(dark_seesaw_flavours.points["BP-D"]))
    hint = found["na62-electron-hint"]
    assert float(hint.predicted / hint.limit) == pytest.approx(0.008, rel=0.06)
    assert float(found["line-na62-electron"].predicted) == pytest.approx(float(squared[2]), rel=1e-5)
    mass = 1e9 * float(effective_mass(single.masses[1:4], squared, 0.1))
    assert float(found["neutrinoless-double-beta"].predicted) == pytest.approx(mass, rel=1e-4)


@jax.jit
def along(point, direction):
    return jax.jvp(of_states, (point,), (direction,))


def test_slopes_are_finite_where_nothing_mixes():
    """At U_e = U_tau = 0 and with no mixing at all but the muon's with N_6; of matrices at BP-B."""
    still = {name: 0.0 * value if name.startswith("U_") else value for name, value in NINE.items()}
    for point in (still, {**still, "U_mu6": NINE["U_mu6"]}, as_point(dark_seesaw_flavours.points["BP-B"])):
        everywhere = {name: jnp.ones(()) for name in point}
        assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(along(point, everywhere)))


def test_slopes_of_the_matrix_are_those_of_differences():
    point, step = as_point(dark_seesaw_flavours.points["BP-D"] | {"M_Dtau2": 2e-4}), 1e-6
    direction = {name: jnp.asarray(float(name == "M_De2")) for name in point}
    up, down = ({**point, "M_De2": point["M_De2"] + sign * step} for sign in (1.0, -1.0))
    _, slopes = along(point, direction)
    for slope, high, low in zip(slopes, along(up, direction)[0], along(down, direction)[0], strict=True):
        difference = (high - low) / (2.0 * step)
        np.testing.assert_allclose(slope, difference, rtol=1e-5, atol=1e-8 * np.max(np.abs(difference)))
