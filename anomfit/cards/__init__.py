"""Fit cards: one small TOML file that says model, parameters, priors, measurements and settings of a fit."""

from anomfit.cards.building import problem_from_card
from anomfit.cards.card import (
    Card,
    CardFit,
    CardSampling,
    FreeParameter,
    MeasurementChoice,
    with_fixed,
    with_target_choices,
)
from anomfit.cards.finding import default_card, generated_card, load_card, shipped_card_names, shipped_card_text
from anomfit.cards.reading import card_from_text
from anomfit.cards.writing import card_text

__all__ = [
    "Card",
    "CardFit",
    "CardSampling",
    "FreeParameter",
    "MeasurementChoice",
    "card_from_text",
    "card_text",
    "default_card",
    "generated_card",
    "load_card",
    "problem_from_card",
    "shipped_card_names",
    "shipped_card_text",
    "with_fixed",
    "with_target_choices",
]
