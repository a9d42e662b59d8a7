"""A problem whose MiniBooNE looks its pairs up, and what that can be done for."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.beams import Beam
from anomfit.capabilities import HasTargets, Upscatters
from anomfit.errors import InputError, quoted
from anomfit.folder_lock import locked
from anomfit.measurements.miniboone import MiniBooneQuasiElastic
from anomfit.physics.constants import M_P
from anomfit.physics.exchange import ScalarExchange
from anomfit.physics.reaction import Reaction
from anomfit.physics.targets import stack_targets
from anomfit.problem import Problem, with_measurements
from anomfit.tables.building import Progress, build
from anomfit.tables.charges import groups_of, is_held
from anomfit.tables.checking import Errors, errors_at, prior_points
from anomfit.tables.grids import Grid
from anomfit.tables.kernels import Scattering
from anomfit.tables.store import PIECES, About, about, keep, load, made_folder, table_folder, write_about
from anomfit.tables.tabulated import Kind, TabulatedMiniBoone
from anomfit.tables.transfers import Family

LOOKED_AT = 32  # points of the prior at which it is found out what a model's reaction is like
# points of the prior at which a table is compared with the exact rule: of 512, six were beyond the tolerance, more than
# the hundredth that is allowed, where half a hundredth of 3056 are
CHECKED = 2048
GRID = Grid()
NUCLEI = Family(highest=0.5, nodes=10, kept=2e-4)  # GeV^2; form factors of nuclei leave nothing beyond
DIPOLE = (0.3, 1.3)  # GeV, 3.6 and 4 standard deviations from what is known of it
HARDEST = 8.0  # GeV^2

Say = Callable[[str], None]


class Plan(NamedTuple):
    """Which measurement of a problem can be tabulated, and for which reaction."""

    place: int
    exact: MiniBooneQuasiElastic
    scattering: Scattering
    kind: Kind


def tabulated(
    problem: Problem,
    say: Say | None = None,
    progress: Progress | None = None,
    grid: Grid | None = None,
    checked: int | None = None,
) -> Problem:
    """`problem` with MiniBooNE's pairs looked up in a table of kernels; parameters, data and likelihood stay.

    The table is taken from the user's cache folder or, where it is not there, built (minutes) and compared with the
    exact rule at `checked` points of the prior, 2048 without that; `say` is told what it costs and how good it is.
    Where a point is outside of the table, the prediction is not a number, and whatever fits and scans asks the exact
    rule there (`inference.compiled`).

    Raises InputError for a problem that cannot be tabulated, with what stands in the way.
    """
    plan, say = planned(problem), say or (lambda line: None)
    grid, checked = grid or GRID, CHECKED if checked is None else checked
    folder = table_folder(plan.exact.chain, plan.scattering, grid)
    table = load(folder, grid)
    if table is None:
        made_folder(folder)
        with _alone(folder):
            table = load(folder, grid)
            if table is None:
                title = f"{problem.model.name} at {plan.exact.name}:{plan.exact.era}"
                say(f"building the table of {title}; Ctrl-C stops, and it goes on later")
                began = time.process_time()
                table = build(plan.exact, plan.scattering, grid, folder / PIECES, progress)
                keep(folder, table)
                spent = time.process_time() - began
                write_about(folder, About(title, table.megabytes, spent, "", False))
                say(f"built in {spent:.0f} s of processor time, {table.megabytes:.0f} MB")
    fast = with_table(problem, plan, TabulatedMiniBoone(plan.exact, table, plan.scattering, plan.kind))
    known = about(folder) or About(plan.exact.name, table.megabytes, 0.0, "", False)
    if not known.error and checked > 0:
        errors = compared(problem, fast, plan.place, checked, progress)
        known = known._replace(error=errors.sentence(), passes=errors.passes)
        write_about(folder, known)
    say(f"table of {known.title}, {known.megabytes:.0f} MB: {known.error}")
    return fast


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder of a table; InputError while another run builds it."""
    with ExitStack() as held_open:
        try:
            held_open.enter_context(locked(folder))
        except InputError as error:
            raise InputError(
                f"tables: another run builds {quoted(str(folder))}; wait for its end, or stop it"
            ) from error
        yield


def compared(exact: Problem, fast: Problem, place: int, number: int, progress: Progress | None = None) -> Errors:
    """The errors of the measurement at `place` at points of the prior."""
    one, other = (with_measurements(problem, (place,)) for problem in (exact, fast))
    return errors_at(one, other, prior_points(exact, number, seed=1), progress)


def checked_again(exact: Problem, fast: Problem, number: int, progress: Progress | None = None) -> Errors:
    """The errors at other points of the prior than those that were looked at when the table was built."""
    place = planned(exact).place
    one, other = (with_measurements(problem, (place,)) for problem in (exact, fast))
    return errors_at(one, other, prior_points(exact, number, seed=3), progress)


def planned(problem: Problem) -> Plan:
    """What of a problem can be tabulated; InputError where nothing can, with what stands in the way."""
    places = [i for i, m in enumerate(problem.measurements) if isinstance(m, MiniBooneQuasiElastic)]
    if not places:
        raise InputError("tables: only pairs at miniboone:enuqe can be tabulated, which is not among the measurements")
    exact = problem.measurements[places[0]]
    assert isinstance(exact, MiniBooneQuasiElastic)
    if not (isinstance(problem.model, Upscatters) and isinstance(problem.model, HasTargets)):
        raise InputError(f"tables: {problem.model.name} makes no pairs by scattering off targets; leave the tables out")
    found = _reactions(problem)
    if words := _obstacle(found):
        raise InputError(f"tables: {problem.model.name} {words}, which tables cannot hold; leave them out")
    reaction = found[0]
    production = reaction.production
    assert isinstance(production, ScalarExchange)
    masses, pair = np.asarray(production.mass), np.asarray(reaction.pair.mass)[:, None]
    light = int(np.argmax(np.all(masses == pair, axis=0)))
    massless = tuple(bool(np.all(np.asarray(channel.daughter_mass) == 0.0)) for channel in reaction.channels)
    words, beam = problem.model.targets, exact.chain.beam
    charges = groups_of(stack_targets(beam.scatterers))
    scattering = Scattering(NUCLEI, _nucleons(words.nucleon, beam), charges, words.nucleus, words.bound)
    return Plan(places[0], exact, scattering, Kind(light, massless))


def with_table(problem: Problem, plan: Plan, measurement: TabulatedMiniBoone) -> Problem:
    """The problem with another measurement in the place of the exact one."""
    measurements = [measurement if i == plan.place else m for i, m in enumerate(problem.measurements)]
    return dataclasses.replace(problem, measurements=tuple(measurements))


def _reactions(problem: Problem) -> tuple[Any, ...]:
    """The model's reactions, every array with a leading axis of points of the prior."""
    assert isinstance(problem.model, Upscatters)
    model = problem.model

    def at(z):
        parameters, _ = problem.from_normal(z)
        return model.reactions(problem.physical_point(parameters), problem.nuisance_values(parameters))

    return jax.vmap(at)(jnp.asarray(prior_points(problem, LOOKED_AT, seed=2)))


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
