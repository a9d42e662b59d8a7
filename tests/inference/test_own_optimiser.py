"""An optimiser of somebody else's on -2 ln L: the code of docs/optimise.md prints what the page says."""

import contextlib
import io
import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "optimise.md").read_text(encoding="utf-8")


def test_the_page_s_code_prints_what_the_page_shows():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    (shown,) = re.findall(r"```text\n(.*?)```", PAGE, flags=re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "docs/optimise.md", "exec"), {})
    assert printed.getvalue() == shown
