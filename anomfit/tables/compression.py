"""Kernels in few numbers: each block over its own size, on principal spectra of a sample, then on principal numbers.

A block is what one kind of component (coherent, incoherent) and one power of the heavier scalars' amplitude gives, born
in one place: the parts of a rate that couplings weight against each other over many orders of magnitude.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from anomfit.tables.kernels import Scattering
from anomfit.tables.transfers import transfers

FAINT = 1e-3  # events that a block may get wrong at the strongest couplings: below, its size is held up
KEPT = (6e-5, 1e-4)  # principal spectra of births in the detector, and around it, over the largest
SHARED = (2.5e-5, 3.5e-5)  # principal numbers of a block, root mean square over all places, over the block's size


class Compression(NamedTuple):
    """spectra: for each place of birth, (principal, beams, bins, flights); strength: by term, what its couplings can
    be; floor: by block, of its size; block: by term, which of a place.
    """

    spectra: tuple[np.ndarray, ...]
    strength: Float[np.ndarray, "terms"]
    floor: Float[np.ndarray, "blocks"]
    block: np.ndarray

    @property
    def blocks(self) -> int:
        """Of one place of birth."""
        return len(self.floor)

    @property
    def parts(self) -> list[slice]:
        """Which of what `compressed` gives belongs to a block, by place of birth and block."""
        numbers = np.bincount(self.block)
        sizes = [number * len(spectra) for spectra in self.spectra for number in numbers]
        return [slice(end - size, end) for end, size in zip(np.cumsum(sizes).tolist(), sizes, strict=True)]


def compression(
    sample: Float[np.ndarray, "samples terms places beams bins flights"],
    scattering: Scattering,
    shares: Sequence[Float[np.ndarray, "lifetimes flights"]],
    coupling: float,
) -> Compression:
    """From kernels of some masses; shares: by place of birth, of pairs that decay in sight, for lifetimes of all sizes.

    coupling: the strongest product of Yukawa coupling and charge of the proton that is thought of.
    """
    strength, block = _terms(scattering)
    sizes = coupling**2 * np.array([strength[block == b].max() for b in range(block.max() + 1)])
    made = Compression((), strength, FAINT / sizes, block)
    spectra = []
    for place, (decayed, kept) in enumerate(zip(shares, KEPT, strict=False)):
        kernels = sample[:, :, place]
        size = block_sizes(kernels, made)[..., block]
        rows = kernels * (strength / size)[..., None, None, None]
        # errors count as they are seen: through the shares of any lifetime
        metric, inverse = _roots(decayed)
        flat = (rows @ metric).reshape(-1, np.prod(rows.shape[2:]))
        size, right = np.linalg.eigh(flat.T @ flat)
        chosen = np.sqrt(np.maximum(size, 0.0)) > kept * np.sqrt(size[-1])
        principal = right.T[chosen][::-1].reshape(-1, *rows.shape[2:])
        spectra.append(principal @ inverse)
    return made._replace(spectra=tuple(spectra))


def block_sizes(kernels: Float[np.ndarray, "... terms beams bins flights"], made: Compression):
    """Root mean square of each block of one place of birth at its strongest couplings, plus its floor: (..., blocks).

    In which measure does not matter, as long as it is smooth in the masses.
    """
    squared = np.sum((kernels * made.strength[:, None, None, None]) ** 2, axis=(-3, -2, -1))
    by_block = [np.sum(squared[..., made.block == b], axis=-1) for b in range(made.blocks)]
    return np.sqrt(np.stack(by_block, axis=-1)) + made.floor


def compressed(kernels: Float[np.ndarray, "... terms places beams bins flights"], made: Compression, projections):
    """(..., features) and logarithms of sizes (..., places x blocks); projections: of `projections`."""
    features, sizes = [], []
    for place, project in enumerate(projections):
        own = kernels[..., place, :, :, :]
        size = block_sizes(own, made)
        rows = own * (made.strength / size[..., made.block])[..., None, None, None]
        found = rows.reshape(*rows.shape[:-3], -1) @ project
        features.append(found.reshape(*found.shape[:-2], -1))
        sizes.append(np.log(size))
    return np.concatenate(features, axis=-1), np.concatenate(sizes, axis=-1)


def shared(squares: Sequence[np.ndarray], number: int, made: Compression) -> list[np.ndarray]:
    """By place of birth and block, the orthogonal directions that matter, (numbers, fewer); squares: sums over `number`
    places of products of the numbers.
    """
    found = []
    for i, square in enumerate(squares):
        size, turned = np.linalg.eigh(square)
        chosen = np.sqrt(np.maximum(size, 0.0) / number) > SHARED[i // made.blocks]
        chosen[-1] = True
        found.append(turned[:, chosen][:, ::-1])
    return found


def projections(made: Compression, shares: Sequence[np.ndarray]) -> list[np.ndarray]:
    """By place of birth, from spectra by flight to their principal ones, (beams x bins x flights, principal)."""
    found = []
    for spectra, decayed in zip(made.spectra, shares, strict=True):
        metric, _ = _roots(decayed)
        found.append((spectra @ metric @ metric).reshape(len(spectra), -1).T)
    return found


def _roots(decayed: Float[np.ndarray, "lifetimes flights"]):
    """The root of the mean square that an error of a flight's number makes in what is seen, and its inverse."""
    size, turned = np.linalg.eigh(decayed.T @ decayed / len(decayed))
    root = np.sqrt(np.maximum(size, 1e-10 * size[-1]))
    return turned * root @ turned.T, turned / root @ turned.T


def _terms(scattering: Scattering):
    """By term, the largest coefficient and the block."""
    strongest = [one for family in scattering.families for one in transfers(family).strongest]
    return np.concatenate(strongest), np.repeat(np.arange(len(strongest)), [len(one) for one in strongest])
