"""MiniBooNE with pairs from the earth around it: what is switched off, what stays, the nuisance, the remarks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.figure import Figure

from anomfit.catalogue import find_measurement
from anomfit.errors import InputError
from anomfit.measurements.flights import remarks_of
from anomfit.measurements.miniboone_choices import surroundings_sentences
from anomfit.measurements.miniboone_radius import by_radius
from anomfit.models.oscillation import oscillation
from anomfit.models.two_higgs_doublet import two_higgs_doublet
from anomfit.plotting.radius import plot_births, plot_decays
from anomfit.problem import merged_nuisances

CHOSEN = two_higgs_doublet.parametrisations["products"]
TABLE_I = two_higgs_doublet.points["table-I"]
# the best fit of E_nu^QE and the magnetic moments alone in version 1.8
LONG_LIVED = {"m_N1": 0.9930, "m_N2": 1.09, "m_hprime": 0.0015, "m_H": 10.0, "sin_delta": 0.60886, "y_nu_F_N": 3.348e-5}
LONG_LIVED |= {"lambda_N12": 0.2886, "y_mu": 2.355e-4, "y_e": 2e-5}

MEAN = {"miniboone_dirt": jnp.asarray(1.0)}


@pytest.fixture(scope="module")
def predict():
    return jax.jit(lambda measured, point, nuisances: measured.predict(two_higgs_doublet, point, nuisances))


@pytest.fixture(scope="module")
def both():
    return {name: find_measurement("miniboone", surroundings=name) for name in ("earth", "none")}


def point(**changes):
    table = CHOSEN.from_physical({name: jnp.asarray(float(value)) for name, value in TABLE_I.items()})
    return CHOSEN.to_physical({**table, **{name: jnp.asarray(value) for name, value in changes.items()}})


def test_table_one_hardly_changes(predict, both):
    """Its h' flies millimetres."""
    with_earth, without = (predict(both[name], point(), MEAN) for name in ("earth", "none"))
    assert set(without.signal) == {"coherent", "incoherent"}
    assert set(with_earth.signal) == {"coherent", "incoherent", "dirt"}
    np.testing.assert_allclose(np.asarray(with_earth.total), np.asarray(without.total), rtol=1e-6)
    assert set(with_earth.before_efficiency) == set(without.before_efficiency)


def test_a_long_lived_boson_comes_from_outside(predict, both):
    with_earth, without = (predict(both[name], point(**LONG_LIVED), MEAN) for name in ("earth", "none"))
    for name in ("coherent", "incoherent"):
        np.testing.assert_allclose(np.asarray(with_earth.signal[name]), np.asarray(without.signal[name]), rtol=1e-10)
    ratio = float(np.sum(with_earth.signal["dirt"]) / np.sum(without.total))
    assert ratio == pytest.approx(5.6, abs=0.2)


def test_the_nuisance_scales_what_comes_from_outside(predict, both):
    found = [predict(both["earth"], point(**LONG_LIVED), {"miniboone_dirt": jnp.asarray(x)}) for x in (1.0, 1.3, -9.0)]
    at_mean, more, less = (np.asarray(prediction.signal["dirt"]) for prediction in found)
    np.testing.assert_allclose(more, np.exp(0.3) * at_mean, rtol=1e-12)
    assert np.all(less > 0.0)
    np.testing.assert_array_equal(found[0].signal["coherent"], found[1].signal["coherent"])


def test_only_models_with_pairs_have_the_nuisance(both):
    def names(model, measured):
        return [n.name for n in merged_nuisances(model, next(iter(model.parametrisations.values())), [measured])]

    for era in ("enuqe", "evis", "costheta-antineutrino"):
        assert "miniboone_dirt" in names(two_higgs_doublet, find_measurement(f"miniboone:{era}"))
        assert "miniboone_dirt" not in names(oscillation, find_measurement(f"miniboone:{era}"))
    assert names(oscillation, both["earth"]) == []
    assert "miniboone_dirt" not in names(two_higgs_doublet, both["none"])


def test_projections_have_it_too():
    for era in ("evis-costheta", "costheta-antineutrino"):
        for option, parts in (("earth", 3), ("none", 2)):
            measured = find_measurement(f"miniboone:{era}", surroundings=option)
            shapes = jax.eval_shape(lambda at, m=measured: m.predict(two_higgs_doublet, at, {}).signal, point())
            assert len(shapes) == parts


def test_an_unknown_choice_is_refused():
    with pytest.raises(InputError, match="surroundings: 'rock' is not usable; use one of earth, none"):
        find_measurement("miniboone", surroundings="rock")


def test_a_report_says_what_comes_from_outside_and_on_what_it_rests(both):
    chain = both["earth"].chain
    said = " ".join(surroundings_sentences(chain, two_higgs_doublet, point(**LONG_LIVED), {}))
    assert "(84.9%) are of pairs born outside" in said
    assert "reach 30 m -27%" in said
    assert "composition of oil +2%" in said
    assert "fewer than one in a thousand" in " ".join(surroundings_sentences(chain, two_higgs_doublet, point(), {}))


def test_without_surroundings_a_report_says_that_pairs_fly_far(both):
    said = " ".join(surroundings_sentences(both["none"].chain, two_higgs_doublet, point(**LONG_LIVED), {}))
    assert "a pair of 400 MeV is seen 15.2 m from where the neutrino scatters" in said
    assert tuple(surroundings_sentences(both["none"].chain, two_higgs_doublet, point(), {})) == ()


def test_detectors_without_surroundings_say_that_pairs_fly_far():
    seen = find_measurement("lsnd:high-energy")
    assert "seen 3.79 m" in " ".join(remarks_of(seen, two_higgs_doublet, point(**LONG_LIVED), {}))
    assert remarks_of(seen, two_higgs_doublet, point(), {}) == ()
    assert remarks_of(find_measurement("g-2-muon"), two_higgs_doublet, point(), {}) == ()


def test_births_and_decays_by_radius_add_up(predict, both):
    chosen = point(**LONG_LIVED)
    signal = predict(both["earth"], chosen, MEAN).signal
    oil, earth = (
        sum(float(jnp.sum(signal[name])) for name in ("coherent", "incoherent")),
        float(jnp.sum(signal["dirt"])),
    )
    births, decays = by_radius(both["earth"], two_higgs_doublet, chosen, MEAN)
    for radial in (births, decays):
        assert np.sum(radial.oil) == pytest.approx(oil, rel=1e-4)
        assert np.sum(radial.earth) == pytest.approx(earth, rel=1e-3)
    assert np.all(births.oil[births.edges[1:] > 6.2] == 0.0)
    assert np.all(births.earth[births.edges[1:] < 6.9] == 0.0)
    assert decays.edges[-1] == 5.0
    assert births.edges[-1] == 100.0
    assert 0.7 < decays.oil[-1] / decays.oil[0] < 0.85  # of the oil's own, fewer decay at its edge
    assert 1.0 < decays.earth[-1] / decays.earth[0] < 1.2  # of what comes in, more
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert plot_births(births, left) is left
    assert plot_decays(decays, right) is right
    figure.canvas.draw()
    with pytest.raises(InputError, match="leaves out pairs born outside"):
        by_radius(both["none"], two_higgs_doublet, chosen, MEAN)
