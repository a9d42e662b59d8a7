"""A table of radiated scalars built over its grid, heavy neutrino by heavy neutrino; a stopped build goes on."""

import threading
from concurrent.futures import CancelledError
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.tables.blocks import BlockTable, make_table
from anomfit.tables.counters import Counter
from anomfit.tables.pieces import Progress, kept, side_by_side
from anomfit.tables.radiated.grid import Grid, Masses
from anomfit.tables.radiated.kernels import Strahlung

FAINT = 1e-3  # events that a component may get wrong at the strongest couplings: below, its size is held up
STRONGEST = (
    0.1  # (g charge G)^2 over the vector's mass squared: g_d 3.5, U_mu4 0.1, g_B 0.1 and G = 2 g_d m_V have 0.06
)
AT_ONCE = 6  # vectors


def build(
    counter: Counter,
    strahlung: Strahlung,
    grid: Grid,
    folder: Path,
    progress: Progress | None = None,
) -> BlockTable:
    """The table; pieces of it are kept in `folder` until it is whole, and taken from there if they are.

    KeyboardInterrupt after Ctrl-C (interrupts.handled).
    """
    folder.mkdir(parents=True, exist_ok=True)
    show = progress or (lambda stage, done, total: None)
    each = [axis.masses() for axis in grid.axes]
    kernels = _compiled(counter, strahlung, each[2])

    def piece(i: int, stop: threading.Event) -> dict[str, np.ndarray]:
        def of_neutrino() -> dict[str, np.ndarray]:
            rows = []
            for m_scalar in each[1]:
                if stop.is_set():
                    raise CancelledError
                rows.append(kernels(each[0][i], m_scalar))
            return {"kernels": np.concatenate(rows).astype(np.float32)}

        return kept(folder / f"neutrino-{i:03d}.npz", of_neutrino)

    found = []
    for done, (_, one) in enumerate(side_by_side(piece, len(each[0]))):
        show("table", done + 1, len(each[0]))
        found.append(one["kernels"])
    rows = np.concatenate(found)
    return make_table(list(np.moveaxis(rows, 1, 0)), grid, [FAINT / STRONGEST] * rows.shape[1])


def _compiled(counter: Counter, strahlung: Strahlung, vectors: Float[np.ndarray, "vectors"]):
    """A function of the masses of heavy neutrino and scalar: kernels for all masses of the vector, times its square."""

    @jax.jit
    def compiled(counter: Counter, m_N: Array, m_scalar: Array):
        def at(m_vector):
            reaction = strahlung.reaction(Masses(m_N, m_scalar, m_vector))
            events = counter.rule(reaction, counter.beam, counter.nodes)
            return counter.counted(events) * m_vector**2

        return jax.lax.map(at, jnp.asarray(vectors), batch_size=AT_ONCE)

    return lambda m_N, m_scalar: np.asarray(compiled(counter, jnp.asarray(m_N), jnp.asarray(m_scalar)))
