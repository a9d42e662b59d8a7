"""What a card may be at most: TOML readers take minutes and gigabytes over keys and brackets nested a thousand deep."""

import re

from anomfit.errors import InputError, quoted

LARGEST = 1_000_000  # characters, or bytes of a file
DEEPEST = 10  # parts of a key, brackets inside brackets

# Texts and comments, closed or not: what is left has only keys, numbers and brackets. No run of characters matches in
# two ways, so that the longest card takes a moment.
_QUOTED_OR_COMMENT = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"""|\Z)' + r"|'''.*?(?:'''|\Z)" + r'|"(?:\\.|[^"\\\n])*"?' + r"|'[^'\n]*'?" + r"|#[^\n]*",
    re.DOTALL,
)
_LONG_KEY = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{DEEPEST}}}", re.ASCII)
_BRACKET = re.compile(r"[\[\]{}]")


def check_limits(text: str, source: str) -> None:
    """Raise InputError for a card, called `source`, that is too large or too deeply nested to be read as TOML."""
    if len(text) > LARGEST:
        raise too_large(source)
    bare = _QUOTED_OR_COMMENT.sub(lambda found: "" if found[0].startswith("#") else "q", text)
    if _LONG_KEY.search(bare):
        raise InputError(
            f"card: {quoted(source)} has a key of more than {DEEPEST} parts; a card's keys have two at most"
        )
    depth = 0
    for bracket in _BRACKET.finditer(bare):
        depth = depth + 1 if bracket[0] in "[{" else max(depth - 1, 0)
        if depth > DEEPEST:
            example = "{range = [low, high]}"
            raise InputError(
                f"card: {quoted(source)} has more than {DEEPEST} brackets inside each other; write {example}"
            )


def too_large(source: str) -> InputError:
    """The error for a card that is too large."""
    return InputError(
        f"card: {quoted(source)} is larger than {LARGEST // 1_000_000} MB, so it is no card; name another"
    )
