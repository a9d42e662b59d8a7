"""Kernels in few numbers: each block over its own size, on principal spectra of a sample, then on principal numbers.

A block is what one kind of component (coherent, incoherent) and one power of the heavier scalars' amplitude gives: the
parts of a rate that couplings weight against each other over many orders of magnitude. Each has a size for each place
of birth. Over these sizes births in both places are much alike, and all powers of nuclei: they share their numbers. So
are the powers of nucleons, but to turn shared numbers into so many terms would cost more time than memory.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from anomfit.tables.exchanged.scattering import Scattering

FAINT = 1e-3  # events that a block may get wrong at the strongest couplings: below, its size is held up
KINDS = 2
SETS = ((0, 1, 2), (3,), (4,), (5,))  # blocks that share numbers
KEPT = (6e-5, 1e-4)  # principal spectra of births in the detector, and around it, over the largest
AROUND = 1.4  # how much more may be left out of births around the detector
# root mean square, over the blocks' sizes, of numbers that are left out where the sample has no more of them
TRACE = 9e-7
NUMBERS = 1045  # of all sets together, the largest: with them a table has at most 90 MB


class Compression(NamedTuple):
    """spectra: for each place of birth, (principal, beams, bins, flights); projections: for each, what gives principal
    numbers, (beams x bins x flights, principal); strength: by block, what the couplings of its terms can be; floor: by
    block, of its size; weight: how much an event counts in a bin; turns: by block, from numbers of its terms and
    principal spectra, one place after the other, to those that the sample has more than a trace of.
    """

    spectra: tuple[np.ndarray, ...]
    projections: tuple[np.ndarray, ...]
    strength: tuple[np.ndarray, ...]
    floor: Float[np.ndarray, "blocks"]
    weight: Float[np.ndarray, "beams bins 1"]
    turns: tuple[np.ndarray, ...]

    @property
    def parts(self) -> list[slice]:
        """Which of what `compressed` gives belongs to each of `SETS`."""
        sizes = [sum(self.turns[block].shape[1] for block in blocks) for blocks in SETS]
        return [slice(end - size, end) for end, size in zip(np.cumsum(sizes).tolist(), sizes, strict=True)]


def compression(
    sample: Float[np.ndarray, "samples terms places beams bins flights"],
    scattering: Scattering,
    shares: Sequence[Float[np.ndarray, "lifetimes flights"]],
    coupling: float,
    weight: Float[np.ndarray, "beams bins"],
) -> Compression:
    """From kernels of some masses; shares: by place of birth, of pairs that decay in sight, for lifetimes of all sizes.

    coupling: the strongest product of Yukawa coupling and isoscalar coupling to nucleons that is thought of; weight:
    how much an event counts in a bin.
    """
    strength = scattering.strongest
    floor = FAINT / (coupling**2 * np.array([one.max() for one in strength]))
    made = Compression((), (), tuple(strength), floor, weight[..., None], ())
    spectra, projections = [], []
    for place, (decayed, kept) in enumerate(zip(shares, KEPT, strict=False)):
        own = sample[:, :, place]
        rows = np.concatenate([one for one, _ in _over_sizes(own, made)], axis=1)
        # errors count as they are seen: through the shares of any lifetime
        metric, inverse = _roots(decayed)
        flat = (rows @ metric).reshape(-1, np.prod(rows.shape[2:]))
        size, right = np.linalg.eigh(flat.T @ flat)
        chosen = np.sqrt(np.maximum(size, 0.0)) > kept * np.sqrt(size[-1])
        principal = right.T[chosen][::-1].reshape(-1, *rows.shape[2:])
        scale = AROUND ** -float(place)
        spectra.append(principal @ inverse / scale / made.weight)
        projections.append((principal @ metric).reshape(len(principal), -1).T * scale)
    made = made._replace(spectra=tuple(spectra), projections=tuple(projections))
    turns = []
    for rows in _rows(sample, made)[0]:
        size, turned = _principal(rows.T @ rows, len(rows))
        turns.append(turned[:, size >= min(TRACE, size[0])].astype(np.float32))
    return made._replace(turns=tuple(turns))


def compressed(kernels: Float[np.ndarray, "... terms places beams bins flights"], made: Compression):
    """(..., numbers), block by block, and logarithms of sizes (..., places x blocks)."""
    rows, sizes = _rows(kernels, made)
    numbers = [own.astype(np.float32) @ turn for own, turn in zip(rows, made.turns, strict=True)]
    return np.concatenate(numbers, axis=-1), np.log(sizes)


def shared(squares: Sequence[np.ndarray], number: int) -> list[np.ndarray]:
    """By set, the orthogonal directions that matter, (numbers, fewer): the largest `NUMBERS` of all sets; squares: sums
    over `number` places of products of the numbers.
    """
    found = [_principal(square, number) for square in squares]
    sizes = np.sort(np.concatenate([size for size, _ in found]))[::-1]
    least = max(TRACE, sizes[min(NUMBERS, len(sizes)) - 1])
    return [turned[:, size >= min(least, size[0])] for size, turned in found]


def onto_spectra(turned: Sequence[np.ndarray], made: Compression) -> list[list[np.ndarray]]:
    """By place of birth and block, from the numbers that `shared` has left of its set to principal spectra by term, at
    coefficients of 1, (numbers, terms, principal).
    """
    ends = np.cumsum([len(spectra) for spectra in made.spectra])
    found: list[list[np.ndarray]] = [[] for _ in made.spectra]
    for blocks, final in zip(SETS, turned, strict=True):
        sizes = [made.turns[block].shape[1] for block in blocks]
        for block, rows in zip(blocks, np.split(final, np.cumsum(sizes)[:-1]), strict=True):
            strength = made.strength[block]
            whole = (made.turns[block].astype(float) @ rows).T
            for place, part in enumerate(np.split(whole, len(strength) * ends[:-1], axis=1)):
                found[place].append(part.reshape(len(whole), len(strength), -1) / strength[:, None])
    return found


def _rows(kernels, made: Compression):
    """By block, numbers of its terms and principal spectra, one place after the other, and sizes by place and block."""
    by_place, sizes = [], []
    for place, project in enumerate(made.projections):
        found = _over_sizes(kernels[..., place, :, :, :], made)
        projected = [(rows.reshape(*rows.shape[:-3], -1) @ project) for rows, _ in found]
        by_place.append([one.reshape(*one.shape[:-2], -1) for one in projected])
        sizes += [size for _, size in found]
    return [np.concatenate(parts, axis=-1) for parts in zip(*by_place, strict=True)], np.stack(sizes, axis=-1)


def _over_sizes(kernels: Float[np.ndarray, "... terms beams bins flights"], made: Compression):
    """By block of one place of birth, its kernels at the strongest couplings over its size, and that: the root mean
    square plus a floor.

    In which measure does not matter, as long as it is smooth in the masses.
    """
    found, first = [], 0
    for strength, floor in zip(made.strength, made.floor, strict=True):
        rows = kernels[..., first : first + len(strength), :, :, :] * (made.weight * strength[:, None, None, None])
        size = np.sqrt(np.sum(rows**2, axis=(-4, -3, -2, -1))) + floor
        found.append((rows / size[..., None, None, None, None], size))
        first += len(strength)
    return found


def _principal(square: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Root mean squares along orthogonal directions, the largest first, and these; square: the sum over `number` places
    of products of numbers.
    """
    size, turned = np.linalg.eigh(square)
    return np.sqrt(np.maximum(size[::-1], 0.0) / number), turned[:, ::-1]


def _roots(decayed: Float[np.ndarray, "lifetimes flights"]):
    """The root of the mean square that an error of a flight's number makes in what is seen, and its inverse."""
    size, turned = np.linalg.eigh(decayed.T @ decayed / len(decayed))
    root = np.sqrt(np.maximum(size, 1e-10 * size[-1]))
    return turned * root @ turned.T, turned / root @ turned.T
