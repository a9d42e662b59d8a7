"""The assumed geometries of data/surroundings: spheres for `surroundings`, earth's composition, the number's error."""

from collections.abc import Mapping
from dataclasses import replace

import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.beams.molecules import HYDROGEN, compound
from anomfit.data import load_record
from anomfit.detectors.surroundings import Shell, Surroundings
from anomfit.errors import reject
from anomfit.parameters import Nuisance, Point
from anomfit.physics.targets import Target

CHOICES = {
    "earth": "pairs born around the detector count where they decay inside, with the efficiency of those born inside",
    "none": "pairs born around the detector are left out",
}
QUARTZ, WATER = 60.084, 18.015  # g/mol
EVEN = 1e9  # m to the source: no divergence


def check_choice(surroundings: str) -> str:
    """The option of a measurement; an unknown one is refused."""
    if surroundings not in CHOICES:
        raise reject("surroundings", surroundings, f"use one of {', '.join(CHOICES)}")
    return surroundings


def surroundings_words(surroundings: str) -> str:
    """The option and what it means."""
    return f"{surroundings}: {CHOICES[surroundings]}"


def assumed(detector: str) -> Mapping[str, float]:
    """The numbers of the part of data/surroundings/geometry of this name."""
    return load_record("surroundings/geometry").parts[detector].values


def earth(water: float, grams: float) -> tuple[Target, ...]:
    """Scatterers in some grams of a mole of earth: quartz with a share `water` of water by weight."""
    quartz, drops = (1.0 - water) * grams / QUARTZ, water * grams / WATER
    return compound({"O16": 2.0 * quartz + drops, "Si28": quartz, HYDROGEN: 2.0 * drops})


def spheres(
    values: Mapping[str, float], seen: float, born: float, medium: float, density: float, distance: float
) -> Surroundings:
    """Of the assumed numbers and the detector: radii and distance in m, density of its medium in g/cm^3."""
    shell = Shell(values["inner"], values["outer"], values["density"] / density)
    return Surroundings(seen, born, medium, (shell,), distance)


def births_name(detector: str) -> str:
    """The nuisance's name."""
    return f"{detector}_dirt"


def births_nuisance(detector: str, symbol: str) -> Nuisance:
    """x, where exp(x - 1) is the factor on births outside: 1 at its mean, positive everywhere."""
    width = assumed(detector)["width"]
    words = f"births outside of {detector}: exp(x - 1) times the assumed geometry's, {width:.0%} for density and shape"
    return Nuisance(births_name(detector), symbol, 1.0, width, words)


def births_factor(detector: str, nuisances: Point) -> Float[Array, ""]:
    """The factor on births outside; 1 where the nuisance is not given."""
    return jnp.exp(jnp.asarray(nuisances.get(births_name(detector), 1.0)) - 1.0)


def variations(around: Surroundings) -> dict[str, Surroundings]:
    """The surroundings with one assumed number of the first shell changed, by what is changed."""
    shell = around.shells[0]
    middle = 0.5 * (around.medium + shell.inner)
    changes = {
        f"earth from {middle:.1f} m": replace(shell, inner=middle),
        f"from {1.25 * shell.inner:.1f} m": replace(shell, inner=1.25 * shell.inner),
        "density 10 % lower": replace(shell, density=0.9 * shell.density),
        "10 % higher": replace(shell, density=1.1 * shell.density),
        f"reach {0.3 * shell.outer:.0f} m": replace(shell, outer=0.3 * shell.outer),
        f"reach {3.0 * shell.outer:.0f} m": replace(shell, outer=3.0 * shell.outer),
    }
    changed = {words: replace(around, shells=(one, *around.shells[1:])) for words, one in changes.items()}
    return changed | {"an even flux": replace(around, distance=EVEN)}
