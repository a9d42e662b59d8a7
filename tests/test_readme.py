"""The README's code runs and prints what the README says."""

import contextlib
import io
import re
from pathlib import Path

from anomfit.cli.app import command

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_pieces_print_what_the_readme_shows():
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    shown = re.search(r"```text\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) == 2
    assert shown
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(blocks[1], "README.md", "exec"), {})
    assert printed.getvalue() == shown.group(1)


def test_verbs_of_the_readme_exist():
    known = set(command().commands)
    commands = "".join(re.findall(r"```\n(.*?)```", README, flags=re.DOTALL))
    verbs = set(re.findall(r"^anomfit ([a-z]+)", commands, flags=re.MULTILINE))
    assert verbs
    assert verbs <= known
