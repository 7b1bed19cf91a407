"""Try the published packages as a reader would: ``python .ci/tools/packages.py``.

Downloads each source distribution from the package index into a fresh environment, imports what
its quick start imports, runs the tests it ships, and writes what happened to
``data/published_packages.json``. Nothing of the packages is kept. The claims read that file, so
that they need no network.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import venv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from entro_nb import settings
from entro_nb.claims.table import OBSERVED
from entro_nb.errors import ReportError

#: Name, version, and the imports of the quick start.
PACKAGES = {
    "entro-engine": ("1.0.0", "from entro_engine import ENTROEngineController"),
    "entro-net": ("1.0.0", "from entro_net import PsiSync, CollectiveAEW, NetThreshold"),
}


def tally(output: str) -> dict[str, int]:
    """Counts in the closing line of pytest.

    Examples
    --------
    >>> tally("== 14 failed, 4 passed in 0.2s ==")
    {'failed': 14, 'passed': 4}
    """
    found = re.findall(r"(\d+) (passed|failed|error)", output)
    return {name: int(count) for count, name in found}


def _run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=600
    )


def _must(*command: str | Path, cwd: Path) -> None:
    if (done := _run(*command, cwd=cwd)).returncode:
        raise ReportError(f"{' '.join(map(str, command[:4]))} failed: {done.stderr.strip()[-300:]}")


def _try(name: str, version: str, imports: str, folder: Path) -> dict[str, Any]:
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / "bin" / "python"
    source = ("--no-deps", "--no-binary", ":all:", f"{name}=={version}")
    _must(python, "-m", "pip", "download", "-q", *source, cwd=folder)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    (tree,) = (p for p in folder.iterdir() if p.is_dir() and p.name != "env")
    _must(python, "-m", "pip", "install", "-q", str(tree), "pytest", "numpy", cwd=folder)
    tried = _run(python, "-c", imports, cwd=folder)
    tests = {
        str(path.relative_to(tree)): tally(
            _run(python, "-m", "pytest", "-q", path, cwd=tree).stdout
        )
        for path in sorted((tree / "tests").rglob("test_*.py"))
    }
    return {
        "version": version,
        "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
        "imports": imports,
        "import_works": tried.returncode == 0,
        "import_error": tried.stderr.strip().splitlines()[-1].split(" (")[0]
        if tried.stderr
        else "",
        "tests": tests,
    }


def main() -> None:
    """Observe every published package and write down what happened."""
    found: dict[str, Any] = {"observed": datetime.now(UTC).date().isoformat()}
    for name, (version, imports) in PACKAGES.items():
        with tempfile.TemporaryDirectory() as folder:
            found[name] = _try(name, version, imports, Path(folder))
        sys.stdout.write(f"{name} {version}: {found[name]['tests']}\n")
    text = json.dumps(found, indent=1) + "\n"
    settings.data(OBSERVED).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
