"""A file with its own digest: its last bytes say what the SHA-256 of all bytes before them is.

HDF5, in which results are written, ignores what follows its own content, so that every program that reads NetCDF opens
a sealed file. The seal is checked before any byte reaches HDF5, which damaged bytes can keep in an endless loop.
"""

import hashlib
from pathlib import Path

from anomfit.errors import InputError, quoted

_MARK = b"\nanomfit result, SHA-256 of all before this line: "
_LENGTH = len(_MARK) + 64 + 1
_BLOCK = 2**20


def sealed(content: bytes) -> bytes:
    """`content` with its seal behind it."""
    return content + _seal(hashlib.sha256(content))


def check_seal(path: Path, again: str) -> None:
    """Read the file once and compare; `again` completes the sentence, "make it again with ...".

    Raises InputError for a file without a seal, for one that differs from its seal, and for one that cannot be read.
    """
    try:
        with path.open("rb") as file:
            left = path.stat().st_size - _LENGTH
            file.seek(max(left, 0))
            seal = file.read(_LENGTH)
            if not seal.startswith(_MARK):
                raise InputError(
                    f"result: {quoted(str(path))} carries no digest: it is cut short, or no result of anomfit, or of "
                    f"version 0.1, which wrote none; {again}"
                )
            file.seek(0)
            digest = hashlib.sha256()
            while left > 0 and (block := file.read(min(left, _BLOCK))):
                digest.update(block)
                left -= len(block)
    except OSError as error:
        raise InputError(f"result: {quoted(str(path))} cannot be read ({error.strerror})") from error
    if seal != _seal(digest):
        raise InputError(f"result: {quoted(str(path))} is damaged: it differs from its own digest; {again}")


def _seal(digest) -> bytes:
    return _MARK + digest.hexdigest().encode() + b"\n"
