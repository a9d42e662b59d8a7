"""The light Z' with a second doublet: numbers of the paper, parametrisations, gauge groups, what is derived here."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from anomfit.capabilities import (
    DecaysLeptons,
    GaugesCharges,
    HasCouplings,
    HasLightBosons,
    HasSecondDoublet,
    MixesHeavyNeutrinos,
    Model,
    PredictsLeptonMoment,
    Upscatters,
    pair_reactions,
    productions,
)
from anomfit.constraints.second_doublet import constraints
from anomfit.errors import InputError
from anomfit.models.zprime_two_higgs_doublet import (
    ZprimeTwoHiggsDoublet,
    as_published,
    zprime_baryon,
    zprime_two_higgs_doublet,
)
from anomfit.models.zprime_two_higgs_doublet_parameters import PARAMETRISATIONS, TABLE_I, quartics, singlet_couplings
from anomfit.physics import gauged_scalar_sector as sector
from anomfit.physics.constants import E_CHARGE, V_EW
from anomfit.physics.gauged_neutrino import (
    M_OMEGA,
    WIDTH_OMEGA,
    Charges,
    baryonic_width,
    kinetic_mixing,
    neutrino_widths,
    off_shell,
)
from anomfit.physics.scalar_sector import Quartics, is_bounded_from_below
from anomfit.physics.weak_decays import width_to_three_neutrinos

MODELS = (zprime_two_higgs_doublet, zprime_baryon, as_published)
KINDS = (
    *(Model, Upscatters, PredictsLeptonMoment, HasLightBosons, MixesHeavyNeutrinos, GaugesCharges, DecaysLeptons),
    *(HasSecondDoublet, HasCouplings),
)


def at(**changes):
    return {name: jnp.asarray(float(value)) for name, value in {**TABLE_I, **changes}.items()}


def thrown(name: str, number: int, seed: int):
    """Points of the prior, in physical parameters."""
    chosen, random = PARAMETRISATIONS[name], np.random.default_rng(seed)
    for _ in range(number):
        point: dict[str, float] = {}
        for p in chosen.parameters:
            high = min(p.high, float(chosen.upper[p.name](point))) if p.name in chosen.upper else p.high
            low, high = (np.log(p.low), np.log(max(high, p.low))) if p.is_log else (p.low, high)
            drawn = random.uniform(low, high)
            point[p.name] = float(np.exp(drawn)) if p.is_log else float(drawn)
        # of one type, so that one program serves all parametrisations
        yield {key: jnp.asarray(float(value)) for key, value in chosen.to_physical(point).items()}


@pytest.mark.parametrize("model", MODELS, ids=[model.name for model in MODELS])
def test_it_offers_what_measurements_ask_for(model):
    for kind in KINDS:
        assert isinstance(model, kind)
    assert len(productions(model, at(), {})) == 1  # nu_4 alone, by Z'
    assert len(pair_reactions(model, at(), {})) == 2  # with h' and with H


def test_moments_and_lives_of_table_one():
    """Printed: 2.74e-9 and -8.7e-13 with masses and couplings of two digits, and 3.5e-13 s."""
    model, point = zprime_two_higgs_doublet, at()
    assert float(model.lepton_moment(point, "muon")) == pytest.approx(2.74e-9, rel=0.01)
    assert float(model.lepton_moment(point, "electron")) == pytest.approx(-8.7e-13, rel=0.01)
    assert float(model.light_bosons(point)[0].lifetime[1]) == pytest.approx(3.56e-13, rel=2e-3)


def test_the_couplings_of_table_one():
    scalars = zprime_two_higgs_doublet.light_bosons(at())[0]
    assert np.allclose(scalars.g_e, [1.5e-4, 0.45e-4], rtol=0.03)
    assert np.allclose(scalars.g_mu, [6.0e-4, 1.8e-4], rtol=0.03)


@pytest.mark.parametrize("name", PARAMETRISATIONS)
def test_parametrisations_invert_each_other(name):
    chosen = PARAMETRISATIONS[name]
    for point in (at(), at(m_Hpm=150.0, m_A=220.0, lambda_345=0.01, sin_delta=0.6)):
        own = chosen.from_physical(point)
        again = chosen.to_physical(own)
        assert set(own) == set(chosen.names)
        assert set(again) == set(point)
        for key, value in point.items():
            assert float(again[key]) == pytest.approx(float(value), rel=1e-9, abs=1e-12)


def test_entries_of_appendix_a():
    """(102 MeV)^2, -(53.8 MeV)^2 and (37 MeV)^2, to the paper's digits."""
    singlet, v_prime = singlet_couplings(at()), TABLE_I["m_Zprime"] / TABLE_I["g_d"]
    assert float(jnp.sqrt(singlet.mbar_H_squared)) == pytest.approx(0.102, abs=5e-4)
    assert float(jnp.sqrt(-singlet.lambda_5_prime * V_EW * v_prime)) == pytest.approx(0.0538, abs=5e-4)
    assert float(jnp.sqrt(2.0 * singlet.lambda_2_prime) * v_prime) == pytest.approx(0.037, abs=5e-4)


def test_H_to_two_hprime_from_derivatives_of_the_potential():
    """The potential of equation 8 in fields H_2 and H_3, its third derivative along H h' h' taken by JAX."""
    point = at()
    singlet, v_prime = singlet_couplings(point), point["m_Zprime"] / point["g_d"]
    sine = point["sin_delta"]
    cosine = jnp.sqrt(1.0 - sine**2)

    def potential(H, hprime):
        two, three = cosine * H + sine * hprime, v_prime - sine * H + cosine * hprime
        squared = 0.5 * three**2
        mu_prime = -singlet.lambda_2_prime * v_prime**2
        own = singlet.lambda_2_prime * squared**2 + mu_prime * squared + 0.5 * singlet.mbar_H_squared * two**2
        return own + singlet.lambda_5_prime * (squared - 0.5 * v_prime**2) * V_EW * two

    third = jax.grad(lambda H: jax.grad(jax.grad(potential, 1), 1)(H, 0.0))(0.0)
    mixing = jax.grad(lambda H: jax.grad(potential, 1)(H, 0.0))(0.0)
    masses = (point["m_H"], point["m_hprime"])
    kappa = sector.pair_coupling(*masses, sine, v_prime)
    assert float(2.0 * kappa) == pytest.approx(float(third), rel=1e-6)
    assert abs(float(mixing)) < 1e-12  # H and h' are the mass eigenstates
    m, light = (float(mass) for mass in masses)
    width = (2.0 * float(kappa)) ** 2 * np.sqrt(1.0 - 4.0 * light**2 / m**2) / (32.0 * np.pi * m)
    found = zprime_two_higgs_doublet.scalar_widths(point)
    assert float(found.to_pair[0]) == pytest.approx(width, rel=1e-12)
    assert float(found.to_pair[0]) > 1e4 * float(found.to_electrons[0])  # what the paper leaves out
    assert float(as_published.scalar_widths(point).to_pair[0]) == 0.0


def test_three_neutrinos_as_with_the_z_boson():
    """C = sqrt2 G_F |U| for each light neutrino is the Z's: G_F^2 m^5 |U|^2/(192 pi^3), twice that for Majorana."""
    point = at(U_mu4=1e-3, m_Zprime=3.0)
    gauged = zprime_two_higgs_doublet.gauged(point)
    m = gauged.m_nu4
    electron, own, tau = gauged.light
    C = float(gauged.to_light / gauged.m_Zprime**2)
    for majorana, factor in ((False, 1.0), (True, 2.0)):
        expected = factor * C**2 * (electron**2 + 2.0 * own**2 + tau**2) * m**5 / (1536.0 * np.pi**3)
        found = neutrino_widths(gauged, majorana=majorana)
        assert float(found.to_neutrinos) == pytest.approx(float(expected), rel=1e-3)  # the propagator's momentum
        weak = float(width_to_three_neutrinos(m, 1e-6, majorana=majorana))
        of_z = factor * 4.0 * 2.0 * (1.1663788e-5) ** 2 * 1e-6 * float(m) ** 5 / (1536.0 * np.pi**3)
        assert weak == pytest.approx(of_z, rel=1e-9)


@pytest.mark.parametrize("x", [0.0, 0.3, 0.9])
def test_the_propagator_of_three_body_decays(x):
    expected = quad(lambda s: 2.0 * (1.0 - s) ** 2 * (1.0 + 2.0 * s) / (1.0 - x * s) ** 2, 0.0, 1.0)[0]
    assert float(off_shell(x)) == pytest.approx(expected, rel=1e-6)


def test_kinetic_mixing_runs_as_one_loop_has_it():
    """From 1 to 2 TeV: e g_B ln 4/(12 pi^2) times the sum of charges, 1 for B and 4 for B - 3 L_tau, and the sign."""
    for charges, total in ((Charges(0.0, 0.0, 0.0), 1.0), (Charges(0.0, 0.0, -3.0), 4.0)):
        one, two = (float(kinetic_mixing(3e-4, charges, 0.8, scale)) for scale in (1e3, 2e3))
        assert two - one == pytest.approx(-E_CHARGE * 3e-4 * total * np.log(4.0) / (12.0 * np.pi**2), rel=1e-9)


def test_baryon_number_decays_as_the_omega():
    """On the resonance, by hidden local symmetry: coupling g/2 to quarks for the omega against g_B/3, g^2/4pi = 3."""
    g_squared = 4.0 * np.pi * 3.0
    width = float(baryonic_width(M_OMEGA, 1.0)) * (WIDTH_OMEGA / M_OMEGA) ** 2 * 2.25 * g_squared
    assert width == pytest.approx(WIDTH_OMEGA, rel=0.3)
    assert float(baryonic_width(0.1, 1.0)) == 0.0


def test_the_closed_conditions_of_stability_against_a_minimisation():
    random = np.random.default_rng(4)
    lowest = jax.jit(sector.lowest_quartic_potential)
    for _ in range(40):
        values = [*random.uniform(0.05, 2.0, 2), *random.uniform(-1.5, 1.5, 3), *random.uniform(0.01, 1.0, 2)]
        found = Quartics(*(jnp.asarray(value) for value in values))
        ratio, least = float(sector.stability_ratio(found)), float(lowest(found))
        assert bool(is_bounded_from_below(found)) == (ratio < 1.0)
        if abs(ratio - 1.0) > 0.02:
            assert (least > 0.0) == (ratio < 1.0), (values, ratio, least)


def test_T_against_the_formula_of_masses():
    """F(x, y) = (x + y)/2 - x y ln(x/y)/(x - y); nothing at equal masses of A and H+-."""

    def F(x, y):
        return 0.5 * (x + y) - x * y * np.log(x / y) / (x - y)

    point = at(m_Hpm=180.0, m_A=220.0)
    doublet = zprime_two_higgs_doublet.second_doublet(point)
    c, A = 180.0**2, 220.0**2
    mixed = sum(s**2 * (F(c, m**2) - F(A, m**2)) for s, m in ((0.96, 0.106), (0.28, 0.023)))
    expected = 128.0 * (F(c, A) + mixed) / (16.0 * np.pi**2 * V_EW**2)
    assert float(sector.oblique_T(doublet, 1.0 / 128.0)) == pytest.approx(expected, rel=1e-5)
    assert float(sector.oblique_T(zprime_two_higgs_doublet.second_doublet(at()), 1.0 / 128.0)) == 0.0


def test_what_a_second_doublet_is_asked():
    point = at()
    found = {entry.name: float(entry.outcome(zprime_two_higgs_doublet, point, {}).ratio) for entry in constraints()}
    assert found["charged-higgs-lep"] == pytest.approx(0.55)
    assert all(ratio < 1.0 for ratio in found.values())
    light = {entry.name: entry for entry in constraints()}["charged-higgs-lep"]
    assert float(light.outcome(zprime_two_higgs_doublet, at(m_Hpm=100.0), {}).ratio) > 1.0
    assert float(quartics(at(m_A=300.0)).lambda_5) == pytest.approx(-(300.0**2) / V_EW**2, rel=1e-6)


def test_gauge_groups():
    for r in ((1.0, 1.0, 1.0), (0.0, 3.0, 0.0), (0.0, 1.5, 1.5)):
        charges = ZprimeTwoHiggsDoublet(r=r).gauged_charges(at())
        assert float(charges.anomaly) == pytest.approx(0.0, abs=1e-12)
    assert float(zprime_baryon.gauged_charges(at()).anomaly) == pytest.approx(1.5)
    with pytest.raises(InputError, match="add up to 3"):
        ZprimeTwoHiggsDoublet(r=(1.0, 0.0, 0.0))


@pytest.mark.slow
@pytest.mark.parametrize("model", [zprime_two_higgs_doublet, zprime_baryon], ids=["b-3ltau", "baryon"])
def test_numbers_and_slopes_are_finite_over_the_prior(model):
    def everything(point):
        states, widths = model.heavy_neutrinos(point), model.scalar_widths(point)
        lifetimes = [family.lifetime for family in model.light_bosons(point)]
        moments = [model.lepton_moment(point, lepton) for lepton in ("electron", "muon", "tau")]
        doublet = model.second_doublet(point)
        others = [sector.oblique_T(doublet, 0.008), sector.stability_ratio(doublet.quartics)]
        last = [model.largest_coupling(point), model.radiative_width(point, "tau", "electron"), states.width[0]]
        found = jnp.concatenate([*lifetimes, widths.total, jnp.stack([*moments, *others, *last])])
        return found, found

    both = jax.jit(jax.jacfwd(everything, has_aux=True))
    for name in ("products", "quartics"):
        for point in thrown(name, 12, seed=2):
            if float(point["m_hprime"]) <= 0.0 or float(point["m_Hpm"]) <= 0.0 or float(point["m_A"]) <= 0.0:
                continue  # a tachyon: the couplings have no vacuum here
            derivatives, values = both(point)
            assert np.all(np.isfinite(values)), point
            assert all(np.all(np.isfinite(slope)) for slope in derivatives.values()), point
