"""Binder badges: one place for the address, and a README that follows it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from entro_nb import resources
from entro_nb.report import badges

ROOT = Path(__file__).resolve().parents[2]


def test_the_readme_is_up_to_date() -> None:
    readme = ROOT / "README.md"
    assert badges.BEGIN in readme.read_text()
    assert badges.main(["--check", str(readme)]) == 0, (
        "run python -m entro_nb.report.badges README.md"
    )


def test_a_badge_opens_each_notebook(tmp_path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{badges.BEGIN}\nold\n{badges.END}\nafter\n")
    project = tmp_path / "pyproject.toml"
    project.write_text('[project.urls]\nRepository = "https://github.com/o/n"\n')
    assert badges.main(["--check", str(readme)]) == 1
    assert badges.main([str(readme)]) == 0
    assert badges.main(["--check", str(readme)]) == 0
    text = readme.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    opened = {
        parse_qs(urlsplit(part.split(")")[0]).query)["urlpath"][0]
        for part in text.split("](")[1:]
        if "urlpath" in part
    }
    folder = resources.notebooks()
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
def test_any_place_git_can_clone_from_will_do(repository, where) -> None:
    assert badges.launch(repository).startswith(f"https://mybinder.org/v2/{where}/HEAD?")
