"""A table built over its grid, parent mass by parent mass, on threads; what is done is kept, and a stopped build goes
on.
"""

import threading
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from anomfit import interrupts
from anomfit.detectors.flight_tables import tabulated_shares
from anomfit.measurements.miniboone import MiniBooneQuasiElastic, PairChain
from anomfit.tables.exchanged.grid import Grid
from anomfit.tables.exchanged.miniboone.compression import compressed, compression, onto_spectra, shared
from anomfit.tables.exchanged.miniboone.kernels import Chain, made_kernels
from anomfit.tables.exchanged.miniboone.table import Table, Values, make_table
from anomfit.tables.exchanged.scattering import Scattering
from anomfit.tables.flights import flight_momenta
from anomfit.tables.pieces import Progress, kept, side_by_side

COUPLING = 1e-4  # product of Yukawa and isoscalar coupling: the strongest that priors of shipped cards have
LIFETIMES = np.geomspace(1e-2, 1e3, 100)  # m/GeV
TYPICAL_PAIR = 0.017  # GeV: shares that weight errors are taken for it
SAMPLED = (6, 9, 12)  # nodes of parents, pairs and energies of a patch at which principal spectra are looked for
ENERGIES = 80  # production energies while building; the rule's own 112 differ from them by 0.2 of the tolerance at 99 %
# of points of the prior, 0.5 at most


def build(
    exact: MiniBooneQuasiElastic, scattering: Scattering, grid: Grid, folder: Path, progress: Progress | None = None
) -> Table:
    """The table; pieces of it are kept in `folder` until it is whole, and taken from there if they are.

    Of the data it knows how large statistical errors are: where they are small, kernels are held more closely.

    KeyboardInterrupt after Ctrl-C (interrupts.handled), with the pieces that are done kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    show = progress or (lambda stage, done, total: None)
    chain = exact.chain
    kernels = _kernels(chain, scattering)
    shares = _shares(chain)
    sampled = kept(folder / "sample.npz", lambda: {"kernels": _sample(kernels, grid)})["kernels"]
    made = compression(sampled, scattering, shares, COUPLING, _weight(exact))
    del sampled
    parents = [(which, float(mass)) for which in (0, 1) for mass in grid.parents(which)]

    def piece(i: int, stop: threading.Event) -> dict[str, np.ndarray]:
        def of_parent() -> dict[str, np.ndarray]:
            which, mass = parents[i]
            pairs = grid.pairs(which, mass)
            rows = []
            for pair, daughters in zip(pairs, grid.daughters(which, mass, pairs), strict=True):
                if stop.is_set():
                    raise CancelledError
                features, sizes = compressed(kernels(mass, pair, daughters), made)
                rows.append((features, sizes))
            features, sizes = (np.stack(part) for part in zip(*rows, strict=True))
            return {"features": features, "sizes": sizes}

        return kept(folder / f"parent-{i:03d}.npz", of_parent)

    squares = [np.zeros((part.stop - part.start,) * 2) for part in made.parts]
    for done, (_, found) in enumerate(side_by_side(piece, len(parents))):
        show("table", done + 1, len(parents))
        rows = found["features"].reshape(-1, found["features"].shape[-1]).astype(float)
        for square, part in zip(squares, made.parts, strict=True):
            square += rows[:, part].T @ rows[:, part]
    turned = shared(squares, grid.places)
    numbers = sum(turn.shape[1] for turn in turned)
    sizes_of_all = len(made.turns) * len(shares)
    patches = [
        Values(np.empty((*patch.shape, numbers), dtype=np.float32), np.empty((*patch.shape, sizes_of_all)))
        for patch in grid.patches
    ]
    for i, (_, found) in enumerate(side_by_side(piece, len(parents))):  # from the files
        interrupts.check()
        which = parents[i][0]
        features, sizes = (part[i - which * grid.light.parent] for part in patches[which])
        rows = found["features"].reshape(-1, found["features"].shape[-1])
        turns = [rows[:, part] @ turn.astype(np.float32) for part, turn in zip(made.parts, turned, strict=True)]
        features[:], sizes[:] = np.concatenate(turns, axis=-1).reshape(features.shape), found["sizes"]
    return make_table(patches, grid, onto_spectra(turned, made), made.spectra)


def _kernels(chain: PairChain, scattering: Scattering):
    """`made_kernels` compiled, of numbers."""
    nodes = replace(chain.nodes, energy=min(ENERGIES, chain.nodes.energy))

    @jax.jit
    def compiled(beam, response, parent, pair, daughters):
        return made_kernels(parent, pair, daughters, Chain(beam, response, chain.selection, nodes), scattering)

    def at(parent: float, pair: float, daughters: np.ndarray) -> np.ndarray:
        place = (jnp.asarray(parent), jnp.asarray(pair), jnp.asarray(daughters))
        return np.asarray(compiled(chain.beam, chain.response, *place))

    return at


def _sample(kernels, grid: Grid) -> np.ndarray:
    """(samples, terms, places, beams, bins, flights) at masses spread over the grid."""
    found = []
    for which, patch in enumerate(grid.patches):
        parents, sampled = grid.parents(which), [_spread(*both) for both in zip(patch.shape, SAMPLED, strict=True)]
        for i in sampled[0]:
            parent = float(parents[i])
            pairs = grid.pairs(which, parent)
            daughters = grid.daughters(which, parent, pairs)
            for j in sampled[1]:
                interrupts.check()
                found.append(kernels(parent, pairs[j], daughters[j])[sampled[2]].astype(np.float32))
    return np.concatenate(found)


def _spread(number: int, wanted: int) -> np.ndarray:
    return np.unique(np.linspace(0, number - 1, wanted).astype(int))


def _shares(chain: PairChain) -> list[np.ndarray]:
    """By place of birth, shares of pairs that decay in sight for lifetimes of all sizes, over the largest of each."""
    momenta = flight_momenta(jnp.asarray(TYPICAL_PAIR), chain.nodes)
    found = np.asarray(tabulated_shares(jnp.asarray(LIFETIMES)[:, None] * momenta, chain.around))
    found = found / np.max(found[0] + found[2], axis=1, keepdims=True)
    return [found[0], found[2]] if chain.beam.surroundings else [found[0]]


def _weight(exact: MiniBooneQuasiElastic) -> np.ndarray:
    """(beams, bins): how much an event counts in a bin, by the data's statistical error; 1 where it counts least."""
    counts = np.maximum([one.data for one in exact.bins()], 1.0)
    return np.sqrt(np.max(counts) / counts).reshape(len(exact.chain.beam.exposure), -1)
