"""Batches: what is run, what is not run again, and the table that shows it."""

from __future__ import annotations

import errno
import json
import math
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

from entro_nb import cli, record
from entro_nb.errors import ParameterError, ParameterTypeError, ReportError
from entro_nb.record import NotebookRecord
from entro_nb.report import Manifest, run_report
from entro_nb.report.notebook import Outcome, Parameter
from entro_nb.report.run import agreed, count, run_label, runs_of

WORK = """\
from pathlib import Path
from entro_nb import record
record.result("square", seed**2, "1")
record.verdict("C01", "reproduced" if seed < 3 else "refuted")
record.attach("note.txt", f"{seed} {name}\\n")
if log_file:
    with Path(log_file).with_suffix(".ran").open("a") as file:
        _ = file.write(f"{seed}\\n")"""

PARAMETERS = 'seed: int = 1\nname: str = "a"\nlog_file: str = ""  # a file'


@pytest.fixture(scope="module")
def books(folder, make) -> Path:
    make("00_work", WORK, parameters=PARAMETERS, title="# Work\n\nSee [rest](01_rest.ipynb).")
    make("01_rest", "1 + 1", title="# Rest\n\nBack to [work](00_work.ipynb).")
    make("reports/deep", "1", title="# Deep\n\nUp to [rest](../01_rest.ipynb).")
    return folder


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> Path:
    """A file whose neighbour tells which runs really ran."""
    path = tmp_path_factory.mktemp("log") / "log.txt"
    path.write_text("as it was")
    return path


@pytest.fixture(scope="module")
def whole(books, log, tmp_path_factory) -> tuple[Manifest, Path]:
    """Every notebook, one of them with two seeds: what ran, and the folder of the report."""
    out = tmp_path_factory.mktemp("whole") / "out"
    asked = {"seed": [2, 30], "log_file": str(log)}
    report = run_report([], parameters=asked, out=out, folder=books, max_memory=1e4)
    assert [(entry.name, entry.error) for entry in report.failed] == []
    return report, out


@pytest.fixture
def former(whole, tmp_path) -> Path:
    """A copy of that report."""
    return shutil.copytree(whole[1], tmp_path / "out")


def seeds(log: Path) -> list[str]:
    told = log.with_suffix(".ran")
    return sorted(told.read_text().split()) if told.exists() else []


def test_the_product_is_run(whole) -> None:
    report, out = whole
    names = ["00_work--seed-2", "00_work--seed-30", "01_rest", "reports-deep"]
    assert [e.name for e in report.entries] == names
    assert [e.title for e in report.entries][:2] == ["Work (seed = 2)", "Work (seed = 30)"]
    two = report.entries[0]
    assert two.parameters["seed"] == 2
    assert two.varied == ("seed",)
    assert two.verdicts == {"C01": "reproduced"}
    assert two.results == {"square": [4, "1"]}
    assert two.attachments == ("00_work--seed-2.note.txt",)
    assert (out / "00_work--seed-2.note.txt").read_text() == "2 a\n"
    assert Manifest.from_json((out / "manifest.json").read_text()).entries == report.entries
    assert not [path for path in out.iterdir() if path.name.startswith(".")]


def test_links_lead_to_the_run_most_alike_and_out_of_folders(whole) -> None:
    _, out = whole
    assert 'href="00_work--seed-2.html"' in (out / "01_rest.html").read_text()
    assert 'href="01_rest.html"' in (out / "reports-deep.html").read_text()


def test_the_table_tells_parameters_results_verdicts_and_cost(whole) -> None:
    index = (whole[1] / "index.html").read_text()
    for column in ("notebook", "seed", "status", "square (1)", "verdicts", "run time"):
        assert f'<th scope="col" aria-sort="none">{column}</th>' in index
    assert '<td data-value="900" class="number">900</td>' in index
    assert "1 reproduced, 1 refuted" not in index  # one claim has one verdict
    assert "Verdicts on published claims: 1 refuted." in index
    assert "4 runs" in index
    assert index.count("<tr data-run=") == 4


def test_what_is_finished_is_not_run_again(whole, former, books, log) -> None:
    asked = {"seed": [2, 30], "log_file": str(log)}
    assert seeds(log) == ["2", "30"]
    before = {path.name: path.read_bytes() for path in former.iterdir()}
    again = run_report([], parameters=asked, out=former, folder=books)
    assert seeds(log) == ["2", "30"]
    assert again.entries == whole[0].entries
    after = {path.name: path.read_bytes() for path in former.iterdir()}
    assert {n for n in after if after[n] != before.get(n)} <= {"index.html", "manifest.json"}

    more = run_report(["work"], parameters=asked | {"seed": [30, 4]}, out=former, folder=books)
    assert seeds(log) == ["2", "30", "4"]
    assert more.entries[0].seconds == whole[0].entries[1].seconds
    assert more.entries[0].html_sha256 != whole[0].entries[1].html_sha256  # other neighbours now
    page = (former / "00_work--seed-30.html").read_text()
    assert 'href="00_work--seed-4.html"' in page
    assert 'href="01_rest.html"' not in page

    log.write_text("changed")
    run_report(["work"], parameters=asked | {"seed": 4}, out=former, folder=books)
    assert seeds(log) == ["2", "30", "4", "4"]
    run_report(["work"], parameters=asked | {"seed": 4}, out=former, folder=books, again=True)
    assert seeds(log) == ["2", "30", "4", "4", "4"]


SCRIPT = """\
import sys
from entro_nb.report import Progress, run_report
class Tell(Progress):
    def finished(self, job, outcome):
        print(job.name, flush=True)
run_report(["work", "slow"], parameters={"seed": [2, 30], "log_file": sys.argv[3]}, out=sys.argv[1],
    folder=sys.argv[2], jobs=1, progress=Tell())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="kills by signal")
@pytest.mark.parametrize("name", ["SIGINT", "SIGKILL"])
def test_an_interrupted_report_goes_on_and_ends_the_same(whole, books, tmp_path, name) -> None:
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (folder / "00_work.ipynb").write_bytes((books / "00_work.ipynb").read_bytes())
    slow = v4.new_notebook(cells=[v4.new_code_cell("import time; time.sleep(600)")])
    nbformat.write(slow, folder / "09_slow.ipynb")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    log = tmp_path / "log.txt"
    log.write_text("its own")
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, str(script), str(out), str(folder), str(log)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "00_work--seed-2\n"
    process.send_signal(getattr(signal, name))
    process.wait(30)
    process.stdout.close()
    assert not (out / "manifest.json").exists()
    asked = {"seed": [2, 30], "log_file": str(log)}
    report = run_report(["work"], parameters=asked, out=out, folder=folder)
    assert seeds(log).count("2") == 1  # the finished one was taken over
    assert [(e.name, e.status, e.error, e.results) for e in report.entries] == [
        (e.name, e.status, e.error, e.results) for e in whole[0].entries[:2]
    ]
    assert not [path for path in out.iterdir() if path.name.startswith(".")]


def test_a_report_cut_short_while_its_files_were_moved_can_be_run_again(former, books) -> None:
    (former / ".publishing").write_text(json.dumps(sorted(path.name for path in former.iterdir())))
    (former / "manifest.json").unlink()
    run_report(["rest"], out=former, folder=books)
    left = {"01_rest.html", "01_rest.ipynb", "index.html", "manifest.json"}
    assert {path.name for path in former.iterdir()} == left


def test_a_full_disk_leaves_the_former_report_and_what_is_finished(
    former, books, monkeypatch
) -> None:
    before = {path.name: path.read_bytes() for path in former.iterdir()}

    def full(*_: object) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("entro_nb.report.html.gallery_page", full)
        with pytest.raises(ReportError, match=r"No space left on device .* run it again"):
            run_report(["work"], out=former, folder=books)
        patched.undo()
        patched.setattr(Manifest, "to_json", full)
        with pytest.raises(ReportError, match="No space left on device"):
            run_report(["work"], out=former, folder=books)
    kept = {path.name: path.read_bytes() for path in former.iterdir() if path.is_file()}
    assert kept == before
    assert len(list((former / ".finished").iterdir())) == 1


DECLARED = {
    "a": {"seed": Parameter("seed", "int", 1), "alpha": Parameter("alpha", "float", 0.5)},
    "b": {"seed": Parameter("seed", "int", 1), "kind": Parameter("kind", "str", "x")},
    "c": {},
}


def test_each_notebook_is_varied_in_its_own_parameters_only() -> None:
    asked = {"seed": ["1", "2"], "alpha": [0.1, "0.2", 0.3], "kind": "y/z"}
    runs = list(runs_of(DECLARED, asked, None))
    assert len(runs) == count(DECLARED, asked) == 6 + 2 + 1
    labels = [run_label(*made) for made in runs]
    assert len(set(labels)) == 9
    assert labels[0] == "a--seed-1--alpha-0.1"
    assert labels[-1] == "c"
    assert runs[6] == ("b", {"seed": 1, "kind": "y/z"}, ("seed",))


def test_labels_are_files_and_differ() -> None:
    odd = [run_label("n", {"s": text}, ["s"]) for text in ("a/b", "a_b", "a:b", "é", "x" * 300)]
    assert len(set(odd)) == 5
    assert all(len(text) < 140 and "/" not in text for text in odd)


def test_a_great_number_of_reports_is_not_begun_by_mistake() -> None:
    asked = {"seed": list(range(1000)), "alpha": list(range(1000))}
    assert count(DECLARED, asked) == 10**6 + 1000 + 1
    with pytest.raises(ReportError, match="1001001 reports"):
        agreed(count(DECLARED, asked), None)
    with pytest.raises(ReportError, match="--yes"):
        agreed(1001, lambda _: False)
    agreed(1001, lambda _: True)
    agreed(1000, None)


def test_what_cannot_be_run_is_refused_before_anything_is(books, tmp_path) -> None:
    for asked, kind, message in (
        ({"seed": []}, ParameterError, "at least one value"),
        ({"seed": [1, "1"]}, ParameterError, "each value once"),
        ({"seed": [1, "x"]}, ParameterTypeError, "seed = 'x'"),
        ({"sede": [1, 2]}, ParameterError, "did you mean 'seed'"),
        ({"log_file": "none/such.db"}, ParameterError, "a file that exists"),
    ):
        with pytest.raises(kind, match=message):
            run_report([], parameters=asked, out=tmp_path / "out", folder=books)
    assert not (tmp_path / "out").exists()


def test_a_notebook_that_takes_too_much_memory_has_failed(former, books, tmp_path) -> None:
    for out in (former, tmp_path / "fresh"):  # taken over, and run
        (entry,) = run_report(["rest"], out=out, folder=books, max_memory=1).entries
        assert entry.status == "failed"
        assert "more than the 1 MB allowed" in entry.error


def test_a_record_survives_a_kernel_that_died_as_it_wrote(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(record.FOLDER, str(tmp_path / "r"))
    record.verdict("C01", "refuted")
    record.verdict("C01", "reproduced")
    record.result("x", 0.5, "s")
    record.attach("a.csv", "1,2")
    with (tmp_path / "r" / record.LINES).open("a") as file:
        file.write('{"verdict": "ref')
    told = NotebookRecord.of(tmp_path / "r")
    assert told == NotebookRecord({"C01": "reproduced"}, {"x": [0.5, "s"]}, ("a.csv",))
    told.write(tmp_path / "r")
    assert NotebookRecord.of(tmp_path / "r") == told
    for wrong in (math.nan, [1], None):
        with pytest.raises(ParameterError):
            record.result("x", wrong)  # type: ignore[arg-type]
    for name in ("../a", "", ".hidden", record.LINES, "a/b"):
        with pytest.raises(ParameterError):
            record.attach(name, "")
    assert NotebookRecord.of(tmp_path / "none") == NotebookRecord()


def test_a_file_says_what_the_line_says(tmp_path, monkeypatch) -> None:
    calls: list[dict] = []

    def take(names, **options):
        calls.append({"names": names} | options)
        return Manifest("2026-01-01T00:00:00+00:00", None, {}, None, {}, 1.0, ())  # type: ignore

    monkeypatch.setattr("entro_nb.report.run_report", take)
    file = tmp_path / "batch.yaml"
    file.write_text(
        "notebooks: ['02']\npreset: full\njobs: 2\nparameters: {seed: [1, 2], alpha: 0.5}\n"
    )
    assert cli.main(["report", str(file), "-p", "seed", "7,8", "--out", "there"]) == 0
    (asked,) = calls
    assert asked["names"] == ["02"]
    assert asked["parameters"] == {"seed": ["7", "8"], "alpha": 0.5}
    assert (asked["preset"], asked["jobs"], asked["out"]) == ("full", 2, "there")
    file.write_text("notebooks: [02]")  # to YAML the number 2
    assert cli.main(["report", str(file)]) == 2
    file.write_text("notebook: ['02']")
    assert cli.main(["report", str(file)]) == 2
    file.write_text("parameters: [1]")
    assert cli.main(["report", str(file)]) == 2
    assert cli.main(["report", str(tmp_path / "none.toml")]) == 2
    assert len(calls) == 1


def test_a_dask_cluster_runs_the_jobs(books, tmp_path) -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, dashboard_address="127.0.0.1:0", processes=True
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        report = run_report(
            ["work"], parameters={"seed": [1, 2]}, out=tmp_path, folder=books,
            executor=client.get_executor(pure=False),
        )  # fmt: skip
    assert [(e.status, e.error) for e in report.entries] == [("passed", "")] * 2


def test_a_worker_with_other_code_refuses(tmp_path) -> None:
    from entro_nb.report.job import execute
    from entro_nb.report.notebook import FAILED, Job

    outcome = execute(Job("a", "a.ipynb", str(tmp_path), code="other"))
    assert outcome == Outcome(
        FAILED, "this worker has another version of the package than the one asking"
    )
    assert list(tmp_path.iterdir()) == []
