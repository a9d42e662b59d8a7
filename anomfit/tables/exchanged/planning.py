"""What can be tabulated of pairs from heavy neutrinos that exchange scalars: MiniBooNE's."""

from functools import partial
from typing import Any

import jax
import numpy as np

from anomfit.beams import Beam
from anomfit.capabilities import HasTargets
from anomfit.errors import InputError
from anomfit.measurements.miniboone import MiniBooneQuasiElastic
from anomfit.physics.constants import M_P
from anomfit.physics.exchange import ScalarExchange
from anomfit.physics.reaction import Reaction
from anomfit.physics.targets import TargetChoices, stack_targets
from anomfit.problem import Problem
from anomfit.tables.exchanged.charges import groups_of, is_held
from anomfit.tables.exchanged.grid import Grid
from anomfit.tables.exchanged.miniboone.building import build
from anomfit.tables.exchanged.miniboone.counts import LookedUp, folder_of
from anomfit.tables.exchanged.miniboone.table import arrays_of, from_arrays
from anomfit.tables.exchanged.reactions import Kind
from anomfit.tables.exchanged.scattering import Scattering
from anomfit.tables.exchanged.transfers import Family
from anomfit.tables.plan import Plan, TablePlan
from anomfit.tables.stand_ins import with_tables_of

GRID = Grid()
NUCLEI = Family(highest=0.5, nodes=10, kept=2e-4)  # GeV^2; form factors of nuclei leave nothing beyond
DIPOLE = (0.3, 1.3)  # GeV, 3.6 and 4 standard deviations from what is known of it
HARDEST = 8.0  # GeV^2
# s of processor time to build and check a table, and what a likelihood saves: 1.3 ms with few nodes less 0.13
SECONDS, SAVED = 166.0, 1.17e-3


def plans(problem: Problem, found: tuple[Any, ...], grid: Grid | None = None) -> list[Plan]:
    """For a problem whose model has the reactions `found`, every array with a leading axis of points of the prior.

    InputError with what stands in the way, where the model makes pairs that no table holds.
    """
    places = [i for i, m in enumerate(problem.measurements) if isinstance(m, MiniBooneQuasiElastic)]
    if not places:
        return []
    if words := _obstacle(found):
        raise InputError(f"tables: {problem.model.name} {words}, which tables cannot hold; leave them out")
    assert isinstance(problem.model, HasTargets)
    exact, grid = problem.measurements[places[0]], grid or GRID
    assert isinstance(exact, MiniBooneQuasiElastic)
    reaction, chain = found[0], exact.chain
    masses, pair = np.asarray(reaction.production.mass), np.asarray(reaction.pair.mass)[:, None]
    light = int(np.argmax(np.all(masses == pair, axis=0)))
    massless = tuple(bool(np.all(np.asarray(channel.daughter_mass) == 0.0)) for channel in reaction.channels)
    scattering, kind = _scattering(problem.model.targets, chain.beam), Kind(light, massless)

    def built(pieces, progress):
        return build(exact, scattering, grid, pieces, progress)

    def stand_in(tables):
        return with_tables_of(exact, (LookedUp(chain, tables[0], scattering, kind),))

    table = TablePlan(folder_of(chain, scattering, grid), built, arrays_of, partial(from_arrays, grid=grid))
    return [Plan(places[0], exact, (table,), stand_in, SECONDS, SAVED)]


def _scattering(words: TargetChoices, beam: Beam) -> Scattering:
    charges = groups_of(stack_targets(beam.scatterers))
    return Scattering(NUCLEI, _nucleons(words.nucleon, beam), charges, words.nucleus, words.bound)


def _obstacle(found: tuple[Any, ...]) -> str:
    """What of a model's reactions no table can hold, in words; empty where one can."""
    if len(found) != 1 or not isinstance(found[0], Reaction):
        return "has more than one reaction, or one whose pairs have many masses"
    reaction = found[0]
    if not isinstance(reaction.production, ScalarExchange):
        return "makes heavy neutrinos by something else than scalars"
    if reaction.asymmetry is not None or reaction.pair.alignment is not None:
        return "has decays that are not isotropic"
    if reaction.pair.flight is None or not reaction.prompt or reaction.species != "e+e-":
        return "has other decays than N -> boson at once and boson -> e+e- in flight"
    masses, pair = np.asarray(reaction.production.mass), np.asarray(reaction.pair.mass)
    if not np.any(np.all(masses == pair[:, None], axis=0)):
        return "has pairs from something else than an exchanged scalar"
    if not np.any(jax.vmap(is_held)(reaction.production)):
        return "has couplings to protons and neutrons of opposite sign"
    return ""


def _nucleons(word: str, beam: Beam) -> Family:
    """The family of nucleons' functions, up to the hardest transfer that the beam makes or anything is left of."""
    highest = min(HARDEST, 2.0 * M_P * float(beam.highest_energy))
    return Family(highest=highest, nodes=14, dipole=DIPOLE if word == "dipole" else None, kept=2e-4)
