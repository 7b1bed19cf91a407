"""The made parts of the README: claims, badges, times; each from one place."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import readme

from entro_nb import claims, settings
from entro_nb.errors import ReportError
from entro_nb.report import Checkout, Entry, Manifest, notebook

ROOT = Path(__file__).resolve().parents[2]
MARKED = "".join(
    f"{name}\n<!-- {name}: begin -->\nold\n<!-- {name}: end -->\n"
    for name in ("claims", "counts", "findings", "badges", "times")
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A README to be made, and the project it belongs to."""
    (tmp_path / "README.md").write_text(MARKED)
    (tmp_path / "pyproject.toml").write_text(
        '[project.urls]\nRepository = "https://github.com/o/n"\n'
    )
    return tmp_path / "README.md"


def entry(name: str, seconds: float, peak: int) -> Entry:
    return Entry(
        name, name, "", "passed", "", {}, None, seconds, peak, f"{name}.html", "0",
        f"{name}.ipynb", source=name,
    )  # fmt: skip


REPORT = Manifest(
    "2026-01-02T03:04:05+00:00",
    Checkout("abcdef0123", False),
    {"python": "3.11.7"},
    None,
    {},
    199.0,
    (entry("a", 100.0, 400_000_000), entry("b", 120.0, 606_000_000)),
    cores=2,
    jobs=2,
)


def test_the_readme_is_up_to_date() -> None:
    texts = [str(ROOT / "README.md"), str(ROOT / "notebooks" / "RUNNING.md")]
    assert readme.main(["--check", *texts]) == 0, (
        "run python .ci/tools/readme.py README.md notebooks/RUNNING.md"
    )


def test_every_number_of_a_finding_is_printed_by_its_notebook() -> None:
    told = readme.numbers(settings.notebooks())
    wanted = set(re.findall(r"\{(\w+)\}", "".join(text for *_, text in readme.FINDINGS)))
    assert wanted == set(told)


def test_a_finding_that_no_longer_holds_is_refused(tmp_path: Path) -> None:
    for name in {name for name, _ in readme.PRINTED}:
        text = (settings.notebooks() / f"{name}.ipynb").read_text()
        text = text.replace("above the claimed ceiling: True", "above the claimed ceiling: False")
        (tmp_path / f"{name}.ipynb").write_text(text)
    with pytest.raises(ReportError, match="10_scaling_law does not print"):
        readme.findings(tmp_path)


def test_pictures_of_findings_are_there_and_small() -> None:
    shown = re.findall(r'(?:src|srcset)="([^"]+)"', readme.findings(settings.notebooks()))
    assert len(shown) == 2 * len(readme.FINDINGS)
    for name in shown:
        assert 0 < (ROOT / name).stat().st_size < 40_000


def test_links_of_the_texts_lead_somewhere() -> None:
    for text in (ROOT / "README.md", ROOT / "notebooks" / "RUNNING.md"):
        for place in re.findall(r"\]\((?!https?:|#)([^)#]+)", text.read_text()):
            assert (text.parent / place).exists(), place


def test_the_readme_says_what_the_notebook_found() -> None:
    summary = readme.claims(settings.notebooks())
    (total,) = (line for line in summary.splitlines() if line.startswith("| **all**"))
    assert sum(map(int, re.findall(r"\d+", total))) == len(claims.published())
    assert f"\n{summary}<!-- claims: end -->" in (ROOT / "README.md").read_text()


def test_it_is_made_once_and_stays(project: Path) -> None:
    assert readme.main(["--check", str(project)]) == 1
    assert readme.main([str(project)]) == 0
    assert readme.main(["--check", str(project)]) == 0
    text = project.read_text()
    assert text.startswith("claims\n<!-- claims: begin -->\n| claims |")
    assert text.endswith("<!-- times: begin -->\nold\n<!-- times: end -->\n")


def test_a_badge_opens_each_notebook(project: Path) -> None:
    readme.main([str(project)])
    opened = {
        parse_qs(urlsplit(part.split(")")[0]).query)["urlpath"][0]
        for part in project.read_text().split("](")[1:]
        if "urlpath" in part
    }
    folder = settings.notebooks()
    there = {f"lab/tree/notebooks/{p.relative_to(folder)}" for p in folder.rglob("*.ipynb")}
    assert opened == there


@pytest.mark.parametrize(
    ("repository", "where"),
    [
        ("https://github.com/o/n.git", "gh/o/n"),
        ("https://gitlab.com/group/sub/n", "gl/group%2Fsub%2Fn"),
        ("https://git.example.org/o/n", "git/https%3A%2F%2Fgit.example.org%2Fo%2Fn"),
    ],
)
def test_any_place_git_can_clone_from_will_do(repository: str, where: str) -> None:
    assert readme.launch(repository).startswith(f"https://mybinder.org/v2/{where}/HEAD?")


def test_times_are_those_of_manifests() -> None:
    full = replace(REPORT, preset="full", seconds=386.4, created="2026-01-03T00:00:00+00:00")
    lines = readme.times([REPORT, full], "ab").splitlines()
    assert lines[2] == "| `quick` | 2 | 2 | 3.3 | 0.61 GB, b |"
    assert lines[3] == "| `full` | 2 | 2 | 6.4 | 0.61 GB, b |"
    assert lines[5].startswith(
        "Measured on 2026-01-02 at commit abcdef0 on 2 cores, Python 3.11.7; 2026-01-03 at"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"kept": 1},
        {"jobs": None},
        {"asked": {"seed": "2"}},
        {"source": Checkout("abcdef0123", True)},
        {"source": Checkout()},
        {"entries": REPORT.entries[:1]},
        {"entries": (REPORT.entries[0], replace(REPORT.entries[1], status="failed"))},
    ],
)
def test_a_report_that_tells_no_time_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ReportError, match="whole and at once"):
        readme.times([replace(REPORT, **wrong)], "ab")  # type: ignore[arg-type]


def test_the_command_takes_the_times_of_all_notebooks(project: Path, tmp_path: Path) -> None:
    names = notebook.available(settings.notebooks())
    whole = replace(REPORT, entries=tuple(entry(name, 1.0, 1) for name in names))
    file = tmp_path / "manifest.json"
    file.write_text(whole.to_json())
    assert readme.main([str(project), "--times", str(file)]) == 0
    assert f"| `quick` | {len(names)} | 2 | 3.3 |" in project.read_text()
    assert readme.main(["--check", str(project)]) == 0
    file.write_text(REPORT.to_json())
    assert readme.main([str(project), "--times", str(file)]) == 2


def test_what_cannot_be_made_is_said(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "no.json").write_text(json.dumps({"a": 1}))
    assert readme.main([str(project), "--times", str(tmp_path / "no.json")]) == 2
    assert "no manifest" in capsys.readouterr().err
    project.write_text("nothing marked\n")
    assert readme.main([str(project)]) == 2
    assert "no marks" in capsys.readouterr().err
    assert project.read_text() == "nothing marked\n"
