"""Light vectors from decays of mesons to a photon and a vector: NA48/2 at once, NuCal and CHARM behind their dumps.

A boson of spin 0 is not made so: pi0 and eta have spin 0 and C = +1, a photon and a boson of spin 0 cannot. Vectors are
compared with the published curve of a dark photon; couplings to quarks enter as 2 g_u + g_d, the charge of a proton
(which bremsstrahlung of protons goes with, too).
"""

from functools import lru_cache, partial

import jax
import jax.numpy as jnp

from anomfit.capabilities import HasLightVectors
from anomfit.constraints.base import NOT_IN_TABLE, About, Constraint, HasLightBosons, Outcome
from anomfit.constraints.dark_photon_curves import COMPILATION, SOURCES, dark_photon_curve
from anomfit.constraints.production import decades_in_table, decades_of_events, nearest, numbers_on_edges, relative
from anomfit.data import load_record
from anomfit.parameters import Point
from anomfit.physics.dark_photon import vector_shares
from anomfit.physics.extremes import largest
from anomfit.physics.light_bosons import of_spin
from anomfit.physics.meson_dumps import ProtonDump, displaced_decays
from anomfit.physics.meson_vector_decays import squared_epsilon
from anomfit.physics.vector_decays import dark_photon_widths
from anomfit.statistics.limits import foremost, is_covered


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return (
        _prompt(),
        _dump("NuCAL_1991", "nucal-vectors", "NuCal: vectors behind a dump of 70 GeV protons", "1989"),
        _dump("CHARM", "charm-vectors", "CHARM: vectors behind a dump of 400 GeV protons", "1983-1984"),
    )


def _about(curve: str, name: str, title: str, era: str, **words) -> About:
    reference, source = SOURCES[curve]
    return About(
        name=name,
        title=title,
        era=era,
        source=source,
        references=(reference, COMPILATION),
        accepts=(HasLightVectors,),
        other_spins="pi0 and eta cannot decay to a photon and a boson of spin 0 (angular momentum, C)",
        **words,
    )


def _prompt() -> Constraint:
    about = _about(
        "NA48_2_2015",
        "na48-pi0",
        "NA48/2: pi0 -> gamma X, X -> e+e-",
        "2003-2004",
        quantity="eps of a dark photon with the same rate",
        unit="1",
        kind="curve",
        assumption="made by 2 g_u + g_d; B(X -> e+e-) of the model; a decay at once",
    )
    table = dark_photon_curve("NA48_2_2015")
    return Constraint({key: table[key] for key in ("m", "low")}, about, _pairs_of_pions)


def _pairs_of_pions(model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    vectors = of_spin(model.light_bosons(point), "vector")
    electrons, _, _ = vector_shares(vectors.mass)
    seen = relative(vectors.branching_ratio("electrons"), electrons)
    return nearest(vectors, squared_epsilon(vectors.g_u, vectors.g_d) * seen, data)


def _dump(curve: str, name: str, title: str, era: str) -> Constraint:
    about = _about(
        curve,
        name,
        title,
        era,
        quantity="decays to leptons over the number at the edge of the region",
        unit="1",
        kind="region",
        samples=(name.partition("-")[0],),
        assumption="made by 2 g_u + g_d like a dark photon; spectrum (1 - x)^4 exp(-6 p_T/GeV), geometry of ALPINIST",
    )
    values = load_record("ee_colliders/beam_dumps").parts[curve].values
    dump = ProtonDump(*(values[name] for name in ProtonDump._fields))

    def rate(m, eps):
        electrons, muons, hadrons = dark_photon_widths(m, eps)
        return _decays(dump, m, eps**2, electrons + muons + hadrons, electrons + muons)

    return Constraint(numbers_on_edges(dark_photon_curve(curve), rate), about, partial(_displaced, dump))


def _decays(dump: ProtonDump, m, squared_eps, width, seen):
    return squared_eps * seen / width * displaced_decays(m, width, dump)


def _displaced(dump: ProtonDump, model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    vectors = of_spin(model.light_bosons(point), "vector")

    def decades_of(mass, squared_eps, width, seen):
        def at(inside, scale):
            rate = _decays(dump, inside, squared_eps, width * scale, seen * scale)
            return decades_of_events(data, inside, width * scale, rate, lambda m: sum(dark_photon_widths(m, 1.0)))

        return decades_in_table(data, mass, at)

    made, seen = squared_epsilon(vectors.g_u, vectors.g_d), vectors.partial_width("electrons", "muons")
    decades = jax.vmap(decades_of)(vectors.mass, made, vectors.width, seen)
    ratio, covered = 10.0 ** largest(decades), is_covered(vectors.mass, data["m"])
    limit = jnp.where(covered[foremost(decades, covered)], 1.0, NOT_IN_TABLE)
    return Outcome(ratio, jnp.where(jnp.any(seen > 0.0), limit, jnp.inf), ratio)
