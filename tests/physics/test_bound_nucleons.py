"""What binding leaves of incoherent scattering: against closed shells of an oscillator, and on bound nucleons alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.beams.booster import CH2
from anomfit.beams.molecules import CH, GLASS, HYDROGEN, compound
from anomfit.capabilities import choices_of
from anomfit.errors import InputError
from anomfit.models.two_higgs_doublet import as_published, two_higgs_doublet
from anomfit.physics.bound_nucleons import closure, fermi_gas, momentum_squared
from anomfit.physics.constants import HBAR_C_FM, M_P
from anomfit.physics.exchange import ScalarExchange, d_sigma_d_q_squared
from anomfit.physics.nuclei import nucleus
from anomfit.physics.targets import FormFactors, TargetChoices, stack_targets

SHELLS = {"He4": [(0, 0, 0)], "O16": [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]}  # quanta along x, y, z
LENGTH = {"He4": 1.40, "O16": 1.76}  # fm, of the oscillator


def overlaps(name: str, q: float) -> np.ndarray:
    """<i| exp(iqz) |j> of the filled spatial orbitals, by Gauss and Hermite; q in GeV."""
    x, w = np.polynomial.hermite.hermgauss(40)
    waves = np.pi**-0.25 * np.stack([np.ones_like(x), np.sqrt(2.0) * x])
    along = np.einsum("k,ik,jk,k->ij", w, waves, waves, np.exp(1j * q / HBAR_C_FM * LENGTH[name] * x))
    return np.array([[along[s[2], t[2]] * (s[:2] == t[:2]) for t in SHELLS[name]] for s in SHELLS[name]])


def exact(name: str, q: float) -> float:
    """(A - sum_ij |<i|exp(iqr)|j>|^2)/A of the Slater determinant; each orbital holds four nucleons."""
    matrix = overlaps(name, q)
    return 1.0 - float(np.sum(np.abs(matrix) ** 2)) / len(matrix)


def form_factor(name: str, q: float) -> float:
    return float(np.trace(overlaps(name, q)).real) / len(SHELLS[name])


@pytest.mark.parametrize("q", [0.1, 0.15, 0.3])
def test_closure_is_exact_for_one_closed_s_shell(q):
    assert float(closure(jnp.asarray(form_factor("He4", q)))) == pytest.approx(exact("He4", q), rel=1e-12)


@pytest.mark.parametrize(
    ("q", "by_shells", "by_gas", "by_closure"),
    [(0.1, 0.302, 0.328, 0.455), (0.15, 0.510, 0.481, 0.754), (0.3, 0.883, 0.852, 0.999)],
)
def test_the_fermi_gas_is_close_to_the_shell_model_of_oxygen_and_closure_is_not(q, by_shells, by_gas, by_closure):
    gas = float(fermi_gas(q**2, nucleus("O16").fermi_momentum))
    assert exact("O16", q) == pytest.approx(by_shells, abs=1e-3)
    assert gas == pytest.approx(by_gas, abs=1e-3)
    assert float(closure(jnp.asarray(form_factor("O16", q)))) == pytest.approx(by_closure, abs=1e-3)
    assert abs(gas - by_shells) < 0.035
    # blocked twice: too little is left wherever it matters
    assert by_shells - gas * by_closure > 0.03


def test_the_fermi_gas_is_the_part_of_a_sphere_outside_its_shifted_copy():
    """By throwing no dice: slices of the sphere along the shift."""
    z = np.linspace(-1.0, 1.0, 20001)
    for shift in (0.01, 0.5, 1.3, 1.99, 2.5):
        radius, other = 1.0 - z**2, np.maximum(1.0 - (z - shift) ** 2, 0.0)
        common = np.trapezoid(np.minimum(radius, other), z) / np.trapezoid(radius, z)
        assert float(fermi_gas(shift**2, 1.0)) == pytest.approx(1.0 - common, abs=1e-6)


def test_value_and_slope_are_continuous_and_finite():
    slope = jax.grad(lambda q: fermi_gas(q**2, 0.221))
    below, above = (float(slope(0.442 * (1.0 + sign * 1e-7))) for sign in (-1, 1))
    assert below == pytest.approx(above, abs=1e-5)
    assert float(fermi_gas(0.442**2, 0.221)) == pytest.approx(1.0, abs=1e-12)
    assert float(jax.grad(lambda x: fermi_gas(x, 0.221))(0.0)) == 0.0
    assert np.isfinite(float(jax.grad(jax.grad(lambda x: fermi_gas(x, 0.221)))(1e-6)))


def test_the_momentum_is_that_of_the_recoil():
    recoil = 0.1
    assert float(momentum_squared(2.0 * M_P * recoil, M_P)) == pytest.approx((M_P + recoil) ** 2 - M_P**2, rel=1e-12)


# -- where it acts ----------------------------------------------------------------------------------------------------


FREE = FormFactors("dipole", "measured", 0.775)
ONE = ScalarExchange(jnp.asarray(0.13), *(jnp.array([x]) for x in (0.2, 1e-3, 1e-4, 1e-4)), FREE)


def by_target(composition, bound: str, q_squared=0.02) -> np.ndarray:
    targets, forms = stack_targets(composition), FormFactors("dipole", "measured", 0.775, bound)
    at = jnp.full(len(composition), q_squared)
    return np.asarray(
        d_sigma_d_q_squared(ONE._replace(form_factors=forms), jnp.full(len(composition), 0.8), at, targets)
    )


@pytest.mark.parametrize("bound", ["fermi-gas", "closure"])
def test_free_protons_and_whole_nuclei_are_left_alone(bound):
    ratio = by_target(CH2, bound) / by_target(CH2, "none")
    assert ratio[0] == 1.0
    proton, neutron = ratio[1:]
    assert neutron < 0.95
    # the masses of the two differ by a per mille, and with them |q| at one Q^2
    assert proton == pytest.approx((2.0 + 6.0 * neutron) / 8.0, rel=1e-4)


def test_a_mixture_blocks_with_the_fermi_momentum_of_each_nucleus():
    proton = (by_target(GLASS, "fermi-gas") / by_target(GLASS, "none"))[2]
    momentum = momentum_squared(0.02, M_P)
    parts = [float(fermi_gas(momentum, nucleus(name).fermi_momentum)) for name in ("Si28", "O16")]
    assert proton == pytest.approx((14.0 * parts[0] + 16.0 * parts[1]) / 30.0, rel=1e-12)


def test_a_compound_counts_its_nucleons():
    found = compound({"C12": 1.0, HYDROGEN: 1.0})
    for mine, shipped in zip(found, CH, strict=True):
        assert (mine.name, mine.count, mine.protons, mine.neutrons) == (
            shipped.name,
            shipped.count,
            shipped.protons,
            shipped.neutrons,
        )
        assert mine.bound == shipped.bound
        assert mine.mass == pytest.approx(shipped.mass, rel=1e-6)


def test_one_choice_a_model_and_none_as_published():
    assert two_higgs_doublet.form_factors({}).bound == "fermi-gas"
    assert as_published.form_factors({}).bound == "none"
    assert TargetChoices(bound="closure").form_factors({}).bound == "closure"
    assert "Pauli blocking" in choices_of(two_higgs_doublet)["bound nucleons"]
    assert choices_of(as_published)["bound nucleons"].startswith("none")
    for field in ("bound", "nucleus", "nucleon"):
        with pytest.raises(InputError, match=f"targets.{field}"):
            TargetChoices(**{field: "both"})


def test_an_unknown_nucleus_is_refused():
    with pytest.raises(InputError, match="C12"):
        nucleus("C13")
