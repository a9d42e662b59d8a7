"""The digests of the data room, written anew: `python -m anomfit.data_digests`, after a change of data that is meant.

A record gets the number of rows and the SHA-256 of its table, then data/SHA256SUMS the SHA-256 of every TOML file.
"""

import re
from pathlib import Path

from anomfit.data import SUMS, data_folder, digest

_TABLE = re.compile(r'file = "(?P<file>[^"\n]+)"\nrows = \d+\nsha256 = "\w*"')


def refresh(folder: Path) -> list[str]:
    """Write all digests of a data room; the names of the files whose digests were others before."""
    for path in folder.rglob("*.toml"):
        text = path.read_text(encoding="utf-8")
        renewed = _TABLE.sub(lambda found, place=path.parent: _table_lines(place, found["file"]), text)
        if renewed != text:
            path.write_text(renewed, encoding="utf-8")
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.toml"))
    lines = [f"{digest((folder / name).read_text(encoding='utf-8'))}  {name}" for name in names]
    sums = folder / SUMS
    before = set(sums.read_text(encoding="utf-8").splitlines()) if sums.is_file() else set()
    sums.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [line.split("  ", 1)[1] for line in lines if line not in before]


def _table_lines(place: Path, file: str) -> str:
    text = (place / file).read_text(encoding="utf-8")
    return f'file = "{file}"\nrows = {len(text.splitlines()) - 1}\nsha256 = "{digest(text)}"'


if __name__ == "__main__":
    for name in refresh(data_folder()):
        print(f"new digest: {name}")
