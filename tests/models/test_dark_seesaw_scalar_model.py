"""The dark seesaw with a light scalar: KOTO, what phi takes from heavy neutrinos, and the Higgs boson."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.catalogue import find_model
from anomfit.constraints.conditions import OF_SCALARS, PAPERS_OWN
from anomfit.constraints.decay_conditions import constraints as of_decays
from anomfit.constraints.higgs import constraints as with_higgs
from anomfit.constraints.neutrino_line import constraints as with_neutrino_lines
from anomfit.constraints.penguins import constraints as with_penguins
from anomfit.constraints.refusals import reason_of_refusal
from anomfit.constraints.scattering_conditions import constraints as of_scattering
from anomfit.measurements.koto import load_koto_inferred
from anomfit.models.dark_scalar import dark_scalar
from anomfit.models.dark_seesaw import dark_seesaw
from anomfit.models.dark_seesaw_scalar import KOTO, dark_seesaw_scalar
from anomfit.physics.constants import M_MU, V_EW
from anomfit.physics.dark_neutrinos import decays, total_widths
from anomfit.physics.dark_seesaw import M_HIGGS
from anomfit.physics.dark_seesaw_scalar import widths_to_scalar
from anomfit.physics.lepton_moments import scalar_moment
from anomfit.physics.penguin_decays import penguin_branching_ratio


def as_point(values):
    return {name: jnp.asarray(float(value)) for name, value in values.items()}


INFERRED = load_koto_inferred()
MUON_ALONE = next(entry for entry in with_neutrino_lines() if entry.name == "Kplus-muN-invisible")
KOTO_ROW = next(entry for entry in with_penguins() if entry.name == "KL-pi0-invisible-koto")


@jax.jit
def all_of(point):
    vector, scalar = dark_seesaw_scalar.light_bosons(point)
    states = dark_seesaw_scalar.dark_neutrinos(point)
    return {
        "vector": vector,
        "scalar": scalar,
        "total": total_widths(states, decays(states)),
        "to_scalar": states.to_others,
        "higgs": dark_seesaw_scalar.higgs_decays(point),
        "K_L": dark_seesaw_scalar.meson_branching_ratios(point, "K_L -> pi0"),
        "K+": dark_seesaw_scalar.meson_branching_ratios(point, "K+ -> pi+"),
        "koto": INFERRED.predict(dark_seesaw_scalar, point, {}).total[0],
        "koto_row": KOTO_ROW.outcome(dark_seesaw_scalar, point, {}).predicted,
        "muon_alone": MUON_ALONE.outcome(dark_seesaw_scalar, point, {}).predicted,
        "largest": dark_seesaw_scalar.largest_coupling(point),
        "muon": dark_seesaw_scalar.lepton_moment(point, "muon"),
    }


@jax.jit
def alone(point):
    states = dark_seesaw.dark_neutrinos(point)
    return total_widths(states, decays(states)), dark_seesaw.light_bosons(point)[0]


@pytest.fixture(scope="module")
def found():
    return {name: all_of(as_point(point)) for name, point in dark_seesaw_scalar.points.items()}


@pytest.fixture(scope="module")
def without():
    return {name: alone(as_point(point)) for name, point in dark_seesaw.points.items()}


def test_it_is_a_model_of_the_catalogue():
    assert find_model("dark-seesaw-scalar") is dark_seesaw_scalar
    names = list(dark_seesaw_scalar.parametrisations["lagrangian"].names)
    assert names[-2:] == ["m_phi", "sin_theta"]
    for name, point in dark_seesaw_scalar.points.items():
        assert set(point) == set(names)
        assert {key: point[key] for key in KOTO} == KOTO
        own = dark_seesaw.points[name.replace("koto", "BP")]
        assert {key: point[key] for key in own} == own


def test_requirements_on_scalars_that_make_heavy_neutrinos_are_not_asked():
    """They are those of the dark scalar's paper; here Z' makes N_5, and the data themselves are asked."""
    own = [entry for entry in (*of_scattering(), *of_decays()) if PAPERS_OWN in entry.accepts]
    assert len(own) == 6
    for entry in own:
        assert reason_of_refusal(dark_seesaw_scalar, entry) == OF_SCALARS
        assert not reason_of_refusal(dark_scalar, entry)


def test_all_four_make_what_koto_showed_in_2019(found):
    """The branching ratio of the penguin, all invisible, within the error of what was inferred."""
    expected = float(penguin_branching_ratio("K_L -> pi0", 0.135, 6.5e-4))
    for at in found.values():
        of_vector, of_scalar = at["K_L"]
        invisible = float(of_scalar[0] * at["scalar"].branching_ratio("invisible")[0])
        assert float(of_vector[0]) == 0.0
        assert invisible == pytest.approx(expected, rel=1e-4)
        assert abs(invisible - float(INFERRED.value)) < float(INFERRED.sigma_minus)


def test_koto_and_its_row_see_it(found):
    at = found["koto-A"]
    assert float(at["koto"]) == pytest.approx(2.06e-9, rel=5e-3)
    assert float(at["koto_row"]) == pytest.approx(float(at["koto"]), rel=1e-9)


def test_an_invisible_phi_off_the_neutrino_leaves_the_muon_alone(found):
    """K+ -> mu+ N phi with phi -> N_4 N_4 counts, far below the limit of 1e-6."""
    assert 1e-14 < float(found["koto-A"]["muon_alone"]) < 1e-8


def test_heavier_states_decay_to_phi(found, without):
    """BP-A: N_6 -> N_4 phi is open, symmetry keeps N_5; BP-B and D: N_5 -> nu phi; BP-C: N_6 -> nu phi alone."""
    left = {name: np.asarray(without[name.replace("koto", "BP")][0] / at["total"]) for name, at in found.items()}
    assert left["koto-A"] == pytest.approx([1.0, 1.0, 3.7e-7], rel=0.02)
    assert left["koto-B"] == pytest.approx([1.0, 2.9e-4, 1.4e-8], rel=0.05)
    assert left["koto-C"] == pytest.approx([1.0, 1.0, 6.9e-3], rel=0.02)
    assert left["koto-D"] == pytest.approx([2.3e-10, 5.7e-5, 2.0e-8], rel=0.05)
    for at in found.values():
        assert float(jnp.sum(at["total"])) > float(jnp.sum(at["to_scalar"]))


def test_two_decays_to_phi_by_hand(found):
    """N_5 -> nu phi at BP-B, |S_53|^2 m/(32 pi) (1 - r^2)^2; phi -> N_4 N_4 at BP-A, |S_44|^2 m/(32 pi) beta^3."""
    masses, S = by_lapack("koto-B")
    m = abs(masses[2])
    expected = S[2, 0] ** 2 * m / (32.0 * np.pi) * (1.0 - (0.135 / m) ** 2) ** 2
    assert float(found["koto-B"]["to_scalar"][1]) == pytest.approx(expected, rel=1e-5)  # H adds 2e-6
    masses, S = by_lapack("koto-A")
    beta = np.sqrt(1.0 - (2.0 * masses[1] / 0.135) ** 2)
    expected = S[1, 1] ** 2 * 0.135 / (32.0 * np.pi) * beta**3
    heavy = float(found["koto-A"]["scalar"].to_invisible[0])
    assert heavy == pytest.approx(expected, rel=1e-4)  # nu N_4 adds 2e-5


def by_lapack(name):
    """Masses and S of equation A3, sizes in order of |m|."""
    point, matrix = dark_seesaw_scalar.points[name], np.zeros((6, 6))
    for k in (1, 2, 3):
        matrix[0, k], matrix[4, k], matrix[5, k] = (point[f"{field}{k}"] for field in ("M_D", "Lambda_L", "Lambda_R"))
        matrix[k, k] = 0.5 * point[f"M_{k}"]
    matrix[4, 5] = point["M_X"]
    masses, U = np.linalg.eigh(matrix + matrix.T)
    order = np.argsort(np.abs(masses))
    masses, U = masses[order], U[:, order]
    yukawas = np.sqrt(2.0) * matrix[4:, 1:4] / v_Phi(name)
    scalar = U[1:4].T @ yukawas.T @ U[4:]
    return masses, scalar + scalar.T


def test_without_mixing_and_with_a_heavy_phi_it_is_the_dark_seesaw(without):
    """At BP-A: nothing is heavier than phi of 1 GeV; what is left is the vector's."""
    point = as_point({**dark_seesaw.points["BP-A"], "m_phi": 1.0, "sin_theta": 1e-7})
    at = all_of(point)
    np.testing.assert_allclose(at["total"], without["BP-A"][0], rtol=1e-12)
    for name in ("to_invisible", "to_semivisible", "semivisible_flight", "to_electrons", "g_nu"):
        np.testing.assert_allclose(getattr(at["vector"], name), getattr(without["BP-A"][1], name), rtol=1e-9)


@jax.jit
def of_matrix(point):
    """What needs no decays of heavy neutrinos to Z', which take long to compile."""
    states, widths = dark_seesaw_scalar.scalar_vertices(point), dark_seesaw_scalar.scalar_widths(point)
    return widths_to_scalar(point["m_phi"], states, 3), widths, dark_seesaw_scalar.largest_coupling(point)


def test_phases_of_0_are_the_real_matrix():
    complex_ = dark_seesaw_scalar.parametrisations["complex"]
    real = as_point(dark_seesaw_scalar.points["koto-C"])
    point = complex_.from_physical(real)
    assert set(point) == set(complex_.names)
    (into, widths, _), (expected, other, _) = of_matrix(point), of_matrix(real)
    np.testing.assert_allclose(into, expected, rtol=1e-8, atol=1e-30)
    np.testing.assert_allclose(widths.to_heavy, other.to_heavy, rtol=1e-7, atol=1e-30)


def test_the_higgs_boson_excludes_all_four(found):
    """Two invisible phi alone; as many Z' Z' make the Higgs boson wider and count as seen."""
    (row,), ratios = with_higgs(), {}
    for name, at in found.items():
        pairs = 6.5e-4**2 * M_HIGGS**3 / (32.0 * np.pi * v_Phi(name) ** 2)
        assert float(at["higgs"].to_unseen) == pytest.approx(pairs, rel=1e-3)
        ratio = float(at["higgs"].unseen_ratio(4.07e-3))
        assert ratio == pytest.approx(pairs / (2.0 * pairs + 4.07e-3), rel=1e-3)
        ratios[name] = ratio / float(np.asarray(row.data["limit"]))
    assert all(ratio > 4.0 for ratio in ratios.values())


def v_Phi(name):
    point = dark_seesaw_scalar.points[name]
    return point["m_Zprime"] / np.sqrt(4.0 * np.pi * point["alpha_D"])


def test_phi_adds_to_moments_and_couplings(found, without):
    at, point = found["koto-C"], as_point(dark_seesaw.points["BP-C"])
    own = float(at["muon"] - dark_seesaw.lepton_moment(point, "muon"))
    assert own == pytest.approx(float(scalar_moment(M_MU, 0.135, 6.5e-4 * M_MU / V_EW)), rel=1e-3)
    assert float(at["largest"]) == pytest.approx(np.sqrt(4.0 * np.pi * 0.76), rel=1e-9)


def test_slopes_are_finite_in_the_prior():
    """Directions through masses, couplings and mixing; phi from closed to every open channel."""
    chosen, rng = dark_seesaw_scalar.parametrisations["lagrangian"], np.random.default_rng(5)
    slope = jax.jit(lambda at, along: jax.jvp(of_matrix, (at,), (along,)))
    for m_phi in (0.002, 0.05, 0.135, 0.4, 0.95):
        base = as_point({**dark_seesaw_scalar.points["koto-C"], "m_phi": m_phi})
        at = {name: base[name] * np.exp(0.3 * rng.normal()) for name in chosen.names} | {"m_phi": base["m_phi"]}
        along = {name: jnp.asarray(rng.normal()) * at[name] for name in chosen.names}
        for found in jax.tree.leaves(slope(at, along)):
            assert np.all(np.isfinite(found))
