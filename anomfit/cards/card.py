"""What a fit card says, as frozen data: no file, no physics."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from anomfit.errors import reject

Quantity = float | str  # a number in the parameter's own unit, or text with a unit: "130MeV"
LARGEST_SEED = 2**32 - 1
START_FROM = ("prior", "draws")


@dataclass(frozen=True)
class FreeParameter:
    """A free parameter; None for range or prior means the model's own. A mean and a sigma make the prior Gaussian."""

    name: str
    low: Quantity | None = None
    high: Quantity | None = None
    prior: str | None = None
    mean: Quantity | None = None
    sigma: Quantity | None = None


@dataclass(frozen=True)
class MeasurementChoice:
    """A measurement (catalogue name or a user's file), its era, and its options; None for the era means the default."""

    name: str
    era: str | None = None
    options: tuple[tuple[str, str], ...] = ()

    @property
    def full_name(self) -> str:
        """The name with the era after a colon, as the catalogue takes it."""
        return self.name if self.era is None else f"{self.name}:{self.era}"


@dataclass(frozen=True)
class CardFit:
    """The multi-start fit: prior points looked at, how many of them are followed by gradient, and the seed.

    tension: whether each measurement is also fitted alone and left out, two more fits a measurement.
    start_from: "prior", or "draws" for descents that start where the tempered populations ended, which are led first.
    """

    screened: int = 2048
    starts: int = 24
    seed: int = 1
    tension: bool = False
    start_from: str = "prior"

    def __post_init__(self):
        if self.start_from not in START_FROM:
            raise reject("fit.start_from", self.start_from, f"use one of {', '.join(START_FROM)}")
        _check_integer("fit.starts", self.starts, 1, 100_000)
        _check_integer("fit.screened", self.screened, self.starts, 100_000_000)
        _check_integer("fit.seed", self.seed, 0, LARGEST_SEED)
        if not isinstance(self.tension, bool):
            raise reject("fit.tension", self.tension, "write true or false")


# Settings that only one method has.
METHODS = {
    "nuts": ("warmup", "max_draws", "target_accept"),
    "nested": ("live",),
    "tempered": ("points", "moves", "weighted"),
}


@dataclass(frozen=True)
class CardSampling:
    """NUTS: chains, warm-up and least draws a chain; more follow until the quality or `max_draws` is reached.

    With `method` "nested": chains x draws equal draws of nested sampling with `live` points. With "tempered": draws of
    each of so many `chains`, populations of `points` that are moved `moves` times whenever the likelihood counts more;
    with `weighted`, up to so many draws of mixtures fitted to them, weighted, in their place.
    """

    method: str = "nuts"
    chains: int = 4
    warmup: int = 500
    draws: int = 500
    max_draws: int = 4000
    target_accept: float = 0.9
    live: int = 1500
    points: int = 1024
    moves: int = 20
    weighted: int = 0
    seed: int = 2

    def __post_init__(self):
        if self.method not in tuple(METHODS):
            raise reject("sampling.method", self.method, f"use one of {', '.join(METHODS)}")
        _check_integer("sampling.live", self.live, 1, 10_000_000)
        _check_integer("sampling.points", self.points, 4, 10_000_000)
        _check_integer("sampling.moves", self.moves, 1, 10_000)
        _check_integer("sampling.weighted", self.weighted, 0, 100_000_000)
        _check_integer("sampling.chains", self.chains, 1, 1024)
        _check_integer("sampling.warmup", self.warmup, 1, 10_000_000)
        _check_integer("sampling.draws", self.draws, 4, 10_000_000)
        if self.method == "tempered" and self.points < self.draws:
            raise reject("sampling.points", self.points, f"give at least the number of draws, {self.draws}")
        if self.method == "nuts":
            _check_integer("sampling.max_draws", self.max_draws, self.draws, 100_000_000)
        _check_integer("sampling.seed", self.seed, 0, LARGEST_SEED)
        accept = self.target_accept
        if isinstance(accept, bool) or not isinstance(accept, int | float) or not 0.0 < accept < 1.0:
            raise reject("sampling.target_accept", accept, "give a number between 0 and 1, for example 0.9")

    @property
    def foreign(self) -> tuple[str, ...]:
        """Settings that mean nothing to `method`."""
        return tuple(name for method, names in METHODS.items() if method != self.method for name in names)


@dataclass(frozen=True)
class Card:
    """One fit. `point` names the values of every parameter that is neither free nor fixed; None: there is none such.

    bibtex: entries for keys that a user's model or measurement cites. targets: choices about form factors and binding,
    by field of `anomfit.physics.targets.TargetChoices`, for all measurements alike.
    """

    model: str
    parametrisation: str | None
    point: str | None
    free: tuple[FreeParameter, ...]
    fixed: tuple[tuple[str, Quantity], ...]
    measurements: tuple[MeasurementChoice, ...]
    fit: CardFit = field(default_factory=CardFit)
    sampling: CardSampling = field(default_factory=CardSampling)
    bibtex: str = ""
    targets: tuple[tuple[str, str], ...] = ()

    def __post_init__(self):
        if self.fit.start_from == "draws" and self.sampling.method != "tempered":
            remedy = f'only [sampling] with method = "tempered" draws before the fit, not "{self.sampling.method}"'
            raise reject("fit.start_from", "draws", f'{remedy}; take that method, or write "prior"')


def with_fixed(card: Card, values: Mapping[str, Quantity]) -> Card:
    """The card with these parameters fixed, whether it had them free, fixed or neither.

    Names are looked up when the card becomes a problem.
    """
    free = tuple(entry for entry in card.free if entry.name not in values)
    kept = tuple((name, value) for name, value in card.fixed if name not in values)
    return replace(card, free=free, fixed=(*kept, *values.items()))


def with_target_choices(card: Card, words: Mapping[str, str]) -> Card:
    """The card with these choices about targets in place of its own; they are looked up when it becomes a problem."""
    return replace(card, targets=tuple({**dict(card.targets), **words}.items()))


def _check_integer(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise reject(name, value, f"give a whole number from {low} to {high}")
