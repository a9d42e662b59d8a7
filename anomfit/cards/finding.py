"""Finding a card by what the user names: a TOML file, a shipped card or model, a model in a Python file."""

from pathlib import Path

from anomfit.capabilities import offers
from anomfit.cards.building import chosen_parametrisation
from anomfit.cards.card import Card, FreeParameter, MeasurementChoice
from anomfit.cards.reading import card_from_text, nearest, read_card
from anomfit.data import data_folder, read_intact
from anomfit.errors import reject
from anomfit.measurements.base import is_prediction_alone
from anomfit.userfiles import anchored, is_user_file, resolve_measurement, resolve_model


def load_card(name: str | Path) -> Card:
    """The card of a TOML file, of a shipped card's or model's name, or of a user's model ("my_model.py:model").

    Raises InputError for a file that is missing, cut short, no TOML or not a card, and for an unknown name.
    """
    text = str(name)
    if not _is_utf_8(text):
        raise reject("model or card", text, "the name is no UTF-8 text, and a card must be; rename the file")
    if is_user_file(text):
        return generated_card(anchored(text, Path.cwd()))
    if isinstance(name, Path) or text.endswith(".toml") or "/" in text or "\\" in text:
        return read_card(Path(name))
    return default_card(text)


def shipped_card_names() -> tuple[str, ...]:
    """The names of the cards that come with anomfit; a model's default card has the model's name."""
    return tuple(sorted(path.stem for path in (data_folder() / "cards").glob("*.toml")))


def shipped_card_text(name: str) -> str:
    """The shipped card as it stands, comments included."""
    if name not in shipped_card_names():
        raise reject("card", name, f"{nearest(name, shipped_card_names())}")
    return read_intact(data_folder(), f"cards/{name}.toml")


def _is_utf_8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes of a command line that are no text
        return False
    return True


def default_card(model_name: str) -> Card:
    """The card that ships for a model; for a model without one, the card that frees everything it has.

    Raises InputError for a name that is neither a model's nor a shipped card's, with the nearest known one.
    """
    from anomfit.catalogue import model_names

    if model_name in shipped_card_names():
        return card_from_text(shipped_card_text(model_name), source=model_name)
    if model_name in model_names():
        return generated_card(model_name)
    known = sorted({*model_names(), *shipped_card_names()})
    raise reject("model or card", model_name, f"{nearest(model_name, known)}; see 'anomfit models'")


def generated_card(model_name: str) -> Card:
    """A card for a model without one: first parametrisation, all parameters free, all measurements it can predict."""
    from anomfit.catalogue import measurement_listing

    model = resolve_model(model_name)
    chosen = chosen_parametrisation(model, None)
    shipped = {entry.name: resolve_measurement(entry.name) for entry in measurement_listing() if entry.default}
    usable = [name for name, m in shipped.items() if offers(model, m.accepts) and not is_prediction_alone(m)]
    return Card(
        model=model_name,
        parametrisation=chosen.name,
        point=None,
        free=tuple(FreeParameter(name) for name in chosen.names),
        fixed=(),
        measurements=tuple(MeasurementChoice(name) for name in usable),
    )
