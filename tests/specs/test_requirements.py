"""Every requirement says who must do what, has something that tests it, and what tests it names one that exists."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import requirements
import table

ROOT = Path(__file__).resolve().parents[2]
ALL = requirements.read(ROOT)
OF_THE_PROTOCOL = [one for one in ALL if not one.implementation]


def test_what_is_generated_is_up_to_date() -> None:
    make = [sys.executable, str(ROOT / "specs" / "tools" / "make.py"), "--check"]
    ended = subprocess.run(make, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_requirement_has_a_word_of_rfc_2119() -> None:
    assert [one.id for one in ALL if not one.words] == []


def names_of(found: table.Coverage) -> Iterator[tuple[str, str]]:
    for by_requirement in found.by_kind.values():
        for number, names in by_requirement.items():
            yield from ((number, name) for name in names)


def test_checks_name_only_requirements_that_exist() -> None:
    known = {one.id for one in ALL}
    assert [pair for pair in names_of(table.coverage(ROOT)) if pair[0] not in known] == []


def test_no_requirement_is_without_a_test() -> None:
    found = table.coverage(ROOT).named()
    assert [one.id for one in OF_THE_PROTOCOL if one.id not in found] == []


PAGE = """# A page

## First *part*

Words before.

- **ABC-1** A node MUST do this. It SHOULD do that too, with `code` and a [link](other.md#there).
  And a third sentence, which nobody needs to see in a list of all of them, since it goes on and on and on, and then
  on for some more, and then comes the end of it, which is here.
- **ABC-2** A vendor MAY:

| this | that |
|---|---|

```
- **ABC-9** nothing
## No heading
```

## First *part*

- **ABC-3** Nothing.
"""


def test_a_page_is_read() -> None:
    found = list(requirements.of_page("node/page.md", PAGE))
    assert [(one.id, one.anchor, one.level) for one in found] == [
        ("ABC-1", "first-part", "MUST"),
        ("ABC-2", "first-part", "MAY"),
        ("ABC-3", "first-part-1", "MUST"),
    ]
    assert found[0].text == "A node MUST do this. It SHOULD do that too, with code and a link."
    assert found[0].words == {"MUST", "SHOULD"}
    assert found[0].implementation
    assert not found[2].words


MODULE = """
import pytest
pytestmark = [pytest.mark.timeout(5), pytest.mark.requirement("ABC-1")]

@pytest.mark.requirement("ABC-2", "ABC-3")
class TestIt:
    @pytest.mark.requirement("ABC-4")
    async def test_more(self): ...

@pytest.mark.parametrize("number", ["ABC-5"])
def test_other(number): ...
"""


def test_marks_are_found(tmp_path: Path) -> None:
    (tmp_path / "tests" / "deep").mkdir(parents=True)
    (tmp_path / "tests" / "deep" / "test_it.py").write_text(MODULE)
    assert table.coverage(tmp_path).by_kind["tests"] == {
        "ABC-1": ["deep/test_it"],
        "ABC-2": ["deep/test_it::TestIt"],
        "ABC-3": ["deep/test_it::TestIt"],
        "ABC-4": ["deep/test_it::test_more"],
    }


def test_vectors_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "specs" / "vectors"
    folder.mkdir(parents=True)
    (folder / "times.json").write_text(
        '{"cases": [{"requirements": ["ABC-1"]}, {"requirements": ["ABC-1"]}, {}]}'
    )
    assert table.coverage(tmp_path).by_kind["vectors"] == {"ABC-1": ["times"]}
