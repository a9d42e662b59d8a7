"""The models that ship, by name."""

from anomfit.capabilities import Model
from anomfit.errors import reject
from anomfit.models.dark_photon import dark_photon, dark_photon_dirac
from anomfit.models.dark_scalar import as_published as dark_scalar_as_published
from anomfit.models.dark_scalar import dark_scalar
from anomfit.models.oscillation import oscillation
from anomfit.models.two_higgs_doublet import as_published, two_higgs_doublet

_MODELS: tuple[Model, ...] = (
    two_higgs_doublet,
    as_published,
    dark_scalar,
    dark_scalar_as_published,
    dark_photon,
    dark_photon_dirac,
    oscillation,
)


def model_names() -> tuple[str, ...]:
    """All names, in the order of listing."""
    return tuple(model.name for model in _MODELS)


def find_model(name: str) -> Model:
    """The model of that name."""
    for model in _MODELS:
        if model.name == name:
            return model
    raise reject("model", name, f"use one of {', '.join(model_names())}, or FILE.py:NAME for your own")
