from __future__ import annotations

import os
from pathlib import Path

import pytest

from entro_nb.errors import ReportError
from entro_nb.report import Checkout, Entry, Manifest
from entro_nb.report.folder import Destination


def manifest(*names: str) -> str:
    """Text of a manifest that lists these pages."""
    entries = tuple(
        Entry(n, n, "", "passed", "", {}, None, 1.0, None, f"{n}.html", "0", None) for n in names
    )
    return Manifest("2026-01-01T00:00:00+00:00", Checkout(), {}, None, {}, 1.0, entries).to_json()


def publish(folder: Path, *names: str) -> None:
    with Destination(folder, names) as out:
        for name in (*names, "index"):
            (out.work / f"{name}.html").write_text(name)
        files = {f"{name}.html": out.work / f"{name}.html" for name in (*names, "index")}
        out.publish(files, manifest(*names))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_former_report_is_replaced_and_nothing_else(tmp_path) -> None:
    publish(tmp_path, "a", "b")
    (tmp_path / "note.txt").write_text("mine")
    publish(tmp_path, "b", "c")
    assert names(tmp_path) == {"b.html", "c.html", "index.html", "manifest.json", "note.txt"}


def test_the_manifest_goes_first_and_comes_last(tmp_path, monkeypatch) -> None:
    publish(tmp_path, "a")
    original, seen = Path.replace, []

    def replace(self: Path, target: Path) -> Path:
        seen.append((target.name, (tmp_path / "manifest.json").exists()))
        return original(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    publish(tmp_path, "a")
    assert seen[-1] == ("manifest.json", False)
    assert not any(complete for _, complete in seen)


@pytest.mark.parametrize("name", ["index.html", "a.html", "manifest.json"])
def test_a_file_of_somebody_elses_is_in_the_way(tmp_path, name) -> None:
    (tmp_path / name).write_text("{}")
    with pytest.raises(ReportError, match="in the way and no report made it"):
        publish(tmp_path, "a")
    assert names(tmp_path) == {name}
    assert (tmp_path / name).read_text() == "{}"


def test_a_folder_with_the_name_of_a_page_is_in_the_way(tmp_path) -> None:
    (tmp_path / "a.html").mkdir()
    with pytest.raises(ReportError, match="in the way"):
        publish(tmp_path, "a")


def test_a_file_where_the_folder_should_be(tmp_path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(ReportError, match="is a file"):
        publish(tmp_path / "out", "a")
    with pytest.raises(ReportError, match="cannot write to"):
        publish(tmp_path / "out" / "deeper", "a")


def test_an_unwritable_folder_is_named_and_nothing_is_left(tmp_path, monkeypatch) -> None:
    if os.geteuid() != 0:
        tmp_path.chmod(0o500)
    else:  # root may write anywhere, so the system's answer is put in its mouth

        def refuse(**_: object) -> str:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with pytest.raises(ReportError, match=r"cannot write to .*out: Permission denied"):
        publish(tmp_path / "out", "a")
    tmp_path.chmod(0o700)
    assert names(tmp_path) == set()


def test_an_error_leaves_nothing(tmp_path) -> None:
    def interrupted() -> None:
        with Destination(tmp_path / "x" / "out", []) as out:
            (out.work / "half.html").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert names(tmp_path) == set()


def test_an_edited_manifest_does_not_reach_outside(tmp_path) -> None:
    folder = tmp_path / "out"
    publish(folder, "a")
    (tmp_path / "treasure.html").write_text("mine")
    (folder / "manifest.json").write_text(manifest("../treasure"))
    (folder / "a.html").unlink()
    publish(folder, "b")
    assert (tmp_path / "treasure.html").read_text() == "mine"
