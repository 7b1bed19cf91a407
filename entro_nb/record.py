"""What a notebook hands to the report that runs it: verdicts, results, files, figures.

Outside a report these functions do nothing, so that a cell may always call them. The figures
stand alone: what they would fetch is put into them.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

from entro_nb.errors import ParameterError, ParameterTypeError

#: Set by the report runner: figures must then live without a kernel.
REPORT = "ENTRO_NB_REPORT"
#: Set by the report runner: where the notebook's picture for the gallery goes.
THUMBNAIL = "ENTRO_NB_THUMBNAIL"
#: Set by the report runner: the folder that takes what a notebook hands over.
FOLDER = "ENTRO_NB_RECORD"
LINES = "record.jsonl"

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,60}")

Number = int | float | bool | str


def verdict(claim: str, verdict: str) -> None:
    """Tell what came of a claim; the gallery counts the verdicts of each notebook.

    Parameters
    ----------
    claim : str
        Number of the claim. A later verdict on it takes the place of an earlier one.
    verdict : str
        "reproduced", say.

    Raises
    ------
    ParameterError
        If either says nothing.

    Examples
    --------
    >>> verdict("C07", "not reproduced")
    """
    for name, text in (("claim", claim), ("verdict", verdict)):
        if not text.strip():
            raise ParameterError(name, text, "a few words")
    _append({"verdict": verdict, "claim": claim}, _folder())


def result(name: str, value: Number, units: str = "") -> None:
    """Tell a result by which runs of the notebook can be sorted and filtered in the gallery.

    Parameters
    ----------
    name : str
        What it is.
    value : float, int, bool or str
        A finite number, a truth value or text.
    units : str
        Units of a number.

    Raises
    ------
    ParameterError, ParameterTypeError
        If the value is none of these.

    Examples
    --------
    >>> result("violations", 12, "steps")
    """
    plain = value.item() if hasattr(value, "item") else value
    allowed = "a finite number, a truth value or text"
    if not isinstance(plain, (int, float, bool, str)):
        raise ParameterTypeError(name, value, allowed)
    if isinstance(plain, float) and not math.isfinite(plain):
        raise ParameterError(name, value, allowed)
    _append({"result": str(name), "value": plain, "units": units}, _folder())


def attach(name: str, text: str) -> None:
    """Put a text file beside the notebook's page; the gallery and the manifest name it.

    Parameters
    ----------
    name : str
        Name of the file: letters, digits, dot, dash and underscore.
    text : str
        Its content.

    Raises
    ------
    ParameterError
        If the name could lead anywhere but into the report's folder.

    Examples
    --------
    >>> attach("alerts.csv", "time,kind,severity,message,value")
    """
    if not NAME.fullmatch(name) or name == LINES:
        raise ParameterError("name", name, "letters, digits, dot, dash and underscore")
    if (folder := _folder()) is not None:
        partial = folder / f".{name}"
        partial.write_text(text, encoding="utf-8")
        partial.replace(folder / name)


@dataclass(frozen=True)
class NotebookRecord:
    """What a notebook handed over.

    Parameters
    ----------
    verdicts : mapping
        Claim to its verdict.
    results : mapping
        Name to [value, units].
    files : tuple of str
        Names of its files.
    """

    verdicts: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[str, ...] = ()

    @classmethod
    def of(cls, folder: Path) -> NotebookRecord:
        """Record in a folder, empty if there is none; half a last line is left out."""
        verdicts: dict[str, str] = {}
        results: dict[str, Any] = {}
        lines = folder / LINES
        for line in lines.read_text(encoding="utf-8").splitlines() if lines.exists() else ():
            try:
                said = json.loads(line)
            except ValueError:
                continue  # the kernel died as it wrote
            if "claim" in said:
                verdicts[said["claim"]] = said["verdict"]
            else:
                results[said["result"]] = [said["value"], said["units"]]
        found = folder.iterdir() if folder.is_dir() else ()
        files = sorted(p.name for p in found if NAME.fullmatch(p.name) and p.name != LINES)
        return cls(verdicts, results, tuple(files))

    def write(self, folder: Path) -> None:
        """Write verdicts and results back into a folder, as a notebook would."""
        (folder / LINES).unlink(missing_ok=True)
        for claim, text in self.verdicts.items():
            _append({"verdict": text, "claim": claim}, folder)
        for name, (value, units) in self.results.items():
            _append({"result": name, "value": value, "units": units}, folder)


def _folder() -> Path | None:
    if not (place := os.environ.get(FOLDER)):
        return None
    folder = Path(place)
    folder.mkdir(exist_ok=True)
    return folder


def _append(said: Mapping[str, Any], folder: Path | None) -> None:
    if folder is not None:
        with (folder / LINES).open("a", encoding="utf-8") as file:
            file.write(json.dumps(said, ensure_ascii=False) + "\n")


#: A style sheet of Panel's as a figure's document names it, even where scripts are inline.
IMPORTED = re.compile(
    r'"name":"ImportedStyleSheet","id":"(?P<id>[^"]+)","attributes":'
    r'\{"url":"https://cdn\.holoviz\.org/panel/[^/"]+/dist/(?P<file>[^"?]+)(\?[^"]*)?"\}'
)


def carry_styles(html: str) -> str:
    """Replace the style sheets of Panel's that figures import by copies of them.

    Examples
    --------
    >>> carry_styles("nothing to fetch")
    'nothing to fetch'
    """
    return IMPORTED.sub(_inline, html)


def _inline(match: re.Match[str]) -> str:
    path = _panel() / match["file"]
    if not path.is_file():
        return match[0]
    css = json.dumps(path.read_text(encoding="utf-8")).replace("</", r"<\/")
    return f'"name":"InlineStyleSheet","id":"{match["id"]}","attributes":{{"css":{css}}}'


@cache
def _panel() -> Path:
    """Where Panel keeps what its network address serves; found without the cost of importing it."""
    spec = importlib.util.find_spec("panel")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "dist"


def quick_schemas() -> None:
    """Import jsonschema without a grammar of addresses that notebooks have no use for.

    All that reads notebooks imports jsonschema, in a kernel HoloViews does. Where rfc3987_syntax
    is installed, as with JupyterLab, that builds its grammar, which takes longer than the rest of
    a notebook's first cell.

    Examples
    --------
    >>> quick_schemas()
    """
    grammar = "rfc3987_syntax"
    if "jsonschema" in sys.modules or grammar in sys.modules:
        return
    sys.modules[grammar] = cast(Any, None)  # an import that fails
    try:
        importlib.import_module("nbformat")
    finally:
        del sys.modules[grammar]
