"""The Higgs boson's decays to new particles, as searches see them."""

from typing import NamedTuple

from jaxtyping import Array, ArrayLike, Float


class HiggsDecays(NamedTuple):
    """Widths of h (GeV) that the Standard Model lacks; strength: squared coupling to its particles, in units of it."""

    to_unseen: Float[Array, ""]
    to_others: Float[Array, ""]
    strength: Float[Array, ""]

    def unseen_ratio(self, standard: ArrayLike) -> Float[Array, ""]:
        """Rate of h made and not seen over that of h made in the Standard Model, whose width is `standard` (GeV)."""
        total = self.strength * standard + self.to_unseen + self.to_others
        return self.strength * self.to_unseen / total
