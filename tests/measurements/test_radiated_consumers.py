"""Scalars radiated in the scattering (2 -> 3) in the measurements that other tests of them leave out.

Tolerances were written first: what is made is cross section times flux to 5e-3, couplings scale rates to 1e-12.
"""

from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.beams import Beam
from anomfit.catalogue import shipped_constraints
from anomfit.measurements.ccfr import load_ccfr
from anomfit.measurements.microboone import load_microboone
from anomfit.measurements.neutrino_electron_charm2 import load_charm2
from anomfit.measurements.neutrino_electron_minerva import load_minerva
from anomfit.physics import boson_strahlung
from anomfit.physics.boson_strahlung import BosonStrahlung, threshold_energy
from anomfit.physics.reaction import Pair, RadiatedReaction
from anomfit.physics.targets import FormFactors, Target

FORMS = FormFactors("dipole", "measured", 0.775, "fermi-gas")
MEASURED = {
    "microboone": lambda: load_microboone(targets="all"),
    "minerva": lambda: load_minerva("me", targets="all"),
    "charm2": lambda: load_charm2(targets="all"),
}
STEPS = 400  # in energy
HEAVY = 300.0  # GeV: beyond every beam here


@dataclass(frozen=True)
class Radiates:
    """One scalar of 23 MeV that decays to e+e- at once, off an exchanged vector of 0.8 GeV."""

    name: str = "radiates"
    title: str = "one radiated scalar"
    references = ()
    nuisances = ()

    def reactions(self, point, nuisances) -> tuple[RadiatedReaction, ...]:
        masses = (point["m_N"], jnp.asarray(0.023), jnp.asarray(0.8))
        couplings = (jnp.asarray(0.0145), point["g_B"], jnp.asarray(4.38))
        how = BosonStrahlung(*masses, *couplings, form_factors=FORMS)
        return (RadiatedReaction(how, Pair(jnp.asarray(0.023), jnp.asarray(1e-9)), jnp.asarray(0.7)),)


POINTS = {"m_N": jnp.array([0.05, 0.05, HEAVY]), "g_B": jnp.array([3e-4, 6e-4, 3e-4])}


@partial(jax.jit, static_argnames="target")
def sections(how: BosonStrahlung, energy, target: Target):
    """One program for all beams that a target is in."""
    return jax.vmap(lambda e: boson_strahlung.cross_section(how, e, target))(energy)


def folded(beam: Beam) -> float:
    """Cross sections times flux by an equidistant sum, all targets and fluxes of the beam."""
    (reaction,) = Radiates().reactions({name: x[0] for name, x in POINTS.items()}, {})
    end, total = float(beam.highest_energy), 0.0
    for target in beam.composition:
        start = float(threshold_energy(0.05, 0.023, target.mass))
        span = np.log(end / start)
        energy = jnp.asarray(start * np.exp(span * (np.arange(STEPS) + 0.5) / STEPS))
        section = sections(reaction.production, energy, target.alone)
        rate = section @ (beam.flux_at(energy) * energy[:, None] * beam.exposure)
        total += target.count * float(jnp.sum(rate)) * span / STEPS
    return 0.7 * total


@pytest.mark.slow
@pytest.mark.parametrize("name", list(MEASURED))
def test_pairs_are_made_as_cross_sections_say_and_some_are_seen(name):
    measured = MEASURED[name]()
    nuisances = {nuisance.name: jnp.asarray(nuisance.mean) for nuisance in measured.nuisances}
    found = jax.jit(jax.vmap(lambda point: measured.predict(Radiates(), point, nuisances)))(POINTS)
    made, seen = (
        np.sum([np.asarray(x) for x in one.values()], axis=0) for one in (found.before_efficiency, found.signal)
    )
    beams = [measured.search.beam] if name == "microboone" else [one.beam for one in measured.samples_of_pairs]
    inside = [replace(beam, surroundings=()) for beam in beams]
    np.testing.assert_allclose(made[0], sum(folded(beam) for beam in inside), rtol=5e-3)
    np.testing.assert_allclose([made[1], *seen[1]], 4.0 * np.array([made[0], *seen[0]]), rtol=1e-12)
    assert np.all(seen[0] >= 0.0)
    assert 0.0 < np.sum(seen[0]) < made[0]
    assert made[2] == 0.0
    assert np.all(seen[2] == 0.0)


@pytest.mark.slow
def test_counts_at_nd280_have_the_same_laws():
    rows = [row for row in shipped_constraints() if row.name in ("nd280-fgd1", "nd280-photon-sample")]
    for row in rows:
        found = jax.jit(jax.vmap(lambda point, row=row: row.outcome(Radiates(), point, {}).predicted))(POINTS)
        assert float(found[0]) > 0.0
        np.testing.assert_allclose(found[1], 4.0 * found[0], rtol=1e-12)
        assert float(found[2]) == 0.0


def test_a_scalar_that_is_radiated_has_no_second_vertex():
    ccfr = load_ccfr("nc-nc")
    found = jax.jit(lambda point: ccfr.predict(Radiates(), point, {}))({name: x[0] for name, x in POINTS.items()})
    assert all(np.all(np.asarray(counts) == 0.0) for counts in found.signal.values())
