from __future__ import annotations

import base64
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from entro_nb.errors import EntroError, ParameterError, ReportError
from entro_nb.report import Bar, Lines, Manifest, Progress, job, run_report
from entro_nb.report.folder import checkout, sha256
from entro_nb.report.job import Status
from entro_nb.report.notebook import Job, Outcome

PIXEL = base64.b64encode(
    base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
).decode()

OK = f"""\
import base64, os, sys, time
from ipykernel.kernelapp import IPKernelApp
assert IPKernelApp.instance().transport == ("ipc" if sys.platform == "linux" else "tcp")
assert os.environ["ENTRO_NB_REPORT"] == "1"
with open(os.environ["ENTRO_NB_THUMBNAIL"], "wb") as file:
    file.write(base64.b64decode({PIXEL!r}))
ballast = bytearray(300_000_000)
for place in range(0, len(ballast), 4096):
    ballast[place] = 1
time.sleep(1.5)
print(f"{{seed=}} {{preset=}}")"""


class Watch(Progress):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.sections: set[str] = set()
        self.most = 0
        self.ended: dict[str, str] = {}

    def running(self, statuses) -> None:
        self.sections |= {status.section for status in statuses.values()}
        self.most = max(self.most, len(statuses))

    def finished(self, job, outcome) -> None:
        self.ended[job.name] = outcome.status


@pytest.fixture(scope="module")
def books(folder, make) -> Path:
    """Notebooks that end in all the ways there are."""
    make("00_ok", "## Work", OK, parameters='seed: int = 3\npreset: str = "quick"')
    make("01_fail", "## Break", "before = 1", "1 / before.missing", "never")
    make("02_slow", "## Sleep", "import time; time.sleep(600)")
    make("03_dies", "## Die", "import os; os.kill(os.getpid(), 9)")
    return folder


@pytest.fixture(scope="module")
def watch() -> Watch:
    return Watch()


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("report") / "deep" / "out"


@pytest.fixture(scope="module")
def report(books, out, watch) -> Manifest:
    return run_report(
        ["ok", "fail", "dies"],
        parameters={"seed": "7"},
        preset="full",
        jobs=2,
        out=out,
        timeout=300,
        folder=books,
        progress=watch,
    )


def test_every_way_to_end_is_told(report, watch) -> None:
    assert {e.name: (e.status, e.error) for e in report.entries} == {
        "00_ok": ("passed", ""),
        "01_fail": (
            "failed",
            "AttributeError: 'int' object has no attribute 'missing' (in “Break”)",
        ),
        "03_dies": ("failed", "the kernel died (in “Die”)"),
    }
    assert [e.name for e in report.failed] == ["01_fail", "03_dies"]
    assert watch.ended == {e.name: e.status for e in report.entries}


def test_running_sections_are_told_and_jobs_are_bounded(report, watch) -> None:
    assert "Work" in watch.sections
    assert watch.most == 2


def test_a_notebook_that_runs_out_of_time_is_ended_and_kept(books, tmp_path) -> None:
    (entry,) = run_report(["slow"], out=tmp_path / "out", folder=books, timeout=3).entries
    assert entry.status == "timed out"
    assert entry.error.startswith("ran out of the 3 s allowed")
    assert 3 <= entry.seconds < 3 + job.GRACE
    assert "This notebook timed out." in (tmp_path / "out" / "02_slow.html").read_text()
    assert "time.sleep" in (tmp_path / "out" / "02_slow.ipynb").read_text()


def test_manifest_tells_the_truth(report, out) -> None:
    assert Manifest.from_json((out / "manifest.json").read_text()) == report
    ok = report.entries[0]
    assert ok.parameters == {"seed": 7, "preset": "full"}
    assert ok.seed == 7
    assert (report.preset, dict(report.asked)) == ("full", {"seed": "7"})
    assert (ok.title, ok.summary) == ("The title", "First paragraph about H, in two lines.")
    assert 1.5 < ok.seconds < 300
    assert ok.peak_bytes is not None
    assert 300e6 < ok.peak_bytes < 600e6
    assert report.versions["python"] == ".".join(map(str, sys.version_info[:3]))
    for entry in report.entries:
        assert sha256(out / entry.html) == entry.html_sha256


def test_parameters_reach_the_notebook(report, out) -> None:
    executed = json.loads((out / "00_ok.ipynb").read_text())
    assert executed["cells"][-1]["outputs"][0]["text"] == ["seed=7 preset='full'\n"]


def test_a_failed_notebook_keeps_its_output(report, out) -> None:
    executed = (out / "01_fail.ipynb").read_text()
    assert "AttributeError" in executed
    page = (out / "01_fail.html").read_text()
    assert "This notebook failed." in page
    assert "no attribute" in page
    assert 'role="alert"' not in (out / "00_ok.html").read_text()


def test_folder_holds_the_report_and_nothing_else(report, out) -> None:
    names = [e.name for e in report.entries]
    expected = {f"{name}.{end}" for name in names for end in ("html", "ipynb")} | {"00_ok.png"}
    assert {path.name for path in out.iterdir()} == expected | {"index.html", "manifest.json"}


def test_gallery_shows_all(report, out) -> None:
    index = (out / "index.html").read_text()
    assert f"data:image/png;base64,{PIXEL}" in index
    assert index.count('class="blank"') == 2
    for entry in report.entries:
        assert f'href="{entry.html}"' in index
    assert "2 did not run to the end" in index


def test_an_executor_of_the_callers_runs_the_jobs_and_a_new_report_replaces_the_old(
    report, books, out
) -> None:
    (out / "mine.txt").write_text("stays")
    used = []

    class Pool(ThreadPoolExecutor):
        def submit(self, *call):  # type: ignore[no-untyped-def]
            used.append(call)
            return super().submit(*call)

    with Pool(1) as pool:
        again = run_report(["fail"], out=out, folder=books, executor=pool)
    assert len(used) == 1
    assert [e.name for e in again.entries] == ["01_fail"]
    assert {path.name for path in out.iterdir()} == {
        "01_fail.html", "01_fail.ipynb", "index.html", "manifest.json", "mine.txt",
    }  # fmt: skip


class Trap:
    """An executor that must not be used: what is refused is refused before anything starts."""

    def submit(self, *call: object) -> None:
        raise AssertionError("a notebook was started")


REFUSED: dict[str, tuple[dict[str, object], type[EntroError], str]] = {
    "unknown notebook": ({"names": ["slwo"]}, ParameterError, "did you mean '02_slow'"),
    "unknown parameter": ({"parameters": {"sede": 1}}, ParameterError, "did you mean 'seed'"),
    "mistyped parameter": ({"parameters": {"seed": "x"}}, ParameterError, "seed = 'x'"),
    "unknown preset": ({"preset": "slow"}, ParameterError, "one of quick, full"),
    "no jobs": ({"jobs": 0}, ParameterError, "jobs = 0"),
    "no time": ({"timeout": 0}, ParameterError, "timeout = 0"),
    "not a number of jobs": ({"jobs": 1.5}, ParameterError, "jobs = 1.5"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_starts_nothing_and_writes_nothing(books, tmp_path, case) -> None:
    wrong, kind, message = REFUSED[case]
    with pytest.raises(kind, match=message):
        run_report(out=tmp_path / "out", folder=books, executor=Trap(), **wrong)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_commit_is_told_only_of_the_repository_that_keeps_the_notebooks(tmp_path) -> None:
    assert checkout(tmp_path).commit is None

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "--quiet")
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "--quiet", "--message=one")
    assert checkout(tmp_path).commit == git("rev-parse", "HEAD")
    assert not checkout(tmp_path).changed
    (tmp_path / "a").write_text("2")
    assert checkout(tmp_path).changed
    inside = tmp_path / "installed"
    inside.mkdir()
    assert checkout(inside).commit is None


SCRIPT = """\
import sys
from entro_nb.report import run_report
run_report(["02_slow", "00_ok"], out=sys.argv[1], folder=sys.argv[2], jobs=1)
"""


@pytest.fixture
def started(books, tmp_path) -> Iterator[subprocess.Popen[bytes]]:
    """A report in a process of its own, with a notebook that would run for ten minutes."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    process = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "out"), str(books)], stderr=subprocess.DEVNULL
    )
    yield process
    process.kill()
    process.wait()


def kernel_of(out: Path, deadline: float = 90.0) -> int:
    """Process of the kernel, once its slow cell runs."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        for path in out.glob("**/02_slow/status.json"):
            if json.loads(path.read_text())["section"] == "Sleep":
                return next(
                    process.pid
                    for process in psutil.process_iter(["cmdline"])
                    if str(path.with_name("kernel.json")) in (process.info["cmdline"] or ())
                )
        time.sleep(0.05)
    raise AssertionError("the kernel never started")


def gone(process: int, deadline: float = 30.0) -> bool:
    """Whether a process has ended (or waits, dead, for whoever adopted it)."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        try:
            os.kill(process, 0)
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_an_interruption_leaves_no_kernel_and_nothing_that_looks_complete(
    started, tmp_path, name
) -> None:
    out = tmp_path / "out"
    kernel = kernel_of(out)
    started.send_signal(getattr(signal, name))
    assert started.wait(60) != 0
    assert gone(kernel)
    if name == "SIGKILL":  # nobody was left to clear up, but nothing was published
        assert [path.name[:12] for path in out.iterdir()] == [".unfinished-"]
    else:
        assert not out.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")
def test_a_kernel_ends_with_its_worker(books, tmp_path) -> None:
    folder = tmp_path / "02_slow"
    folder.mkdir()
    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(job.execute, Job("slow", str(books / "02_slow.ipynb"), str(folder)))
        kernel = psutil.Process(kernel_of(tmp_path))
        kernel.parent().kill()
        assert made.result(60).error.startswith("the worker process ended with code -9")
    assert gone(kernel.pid)


def test_a_kernel_that_does_not_start_is_told_on_the_page(books, tmp_path, monkeypatch) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\nif 'ipykernel_launcher' in sys.orig_argv:\n    os._exit(3)\n"
    )
    places = (str(tmp_path), os.environ.get("PYTHONPATH", ""))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, places)))
    report = run_report(["fail"], out=tmp_path / "out", folder=books)
    assert [(e.status, e.error) for e in report.entries] == [
        ("failed", "RuntimeError: Kernel died before replying to kernel_info")
    ]
    page = (tmp_path / "out" / "01_fail.html").read_text()
    assert "Kernel died before replying" in page
    assert "1 / before.missing" in (tmp_path / "out" / "01_fail.ipynb").read_text()


def test_a_worker_that_cannot_start_is_told(books, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    (tmp_path / "python").write_text("#!/bin/sh\necho out of memory\nexit 3\n")
    (tmp_path / "python").chmod(0o755)
    report = run_report(["ok"], out=tmp_path / "out", folder=books)
    assert report.entries[0].error == "the worker process ended with code 3: out of memory"
    assert report.entries[0].html is None
    assert "out of memory" in (tmp_path / "out" / "index.html").read_text()


def test_a_worker_that_hangs_is_ended(books, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(job, "GRACE", 0.3)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    (tmp_path / "python").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "python").chmod(0o755)
    begun = time.monotonic()
    report = run_report(["ok"], out=tmp_path / "out", folder=books, timeout=0.5)
    assert time.monotonic() - begun < 30
    assert report.entries[0].status == "timed out"


def test_reports_can_be_read_only_where_there_is_one(tmp_path) -> None:
    for text in ("", "[]", "{}", '{"source": {}, "entries": [{}]}'):
        with pytest.raises(ReportError, match="no manifest"):
            Manifest.from_json(text)


JOBS = [Job("01_entropy", "", ""), Job("02_accountant", "", "")]


def test_lines_tell_each_end_once() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    lines.begin(JOBS)
    lines.running({"01_entropy": Status(1, 4, "Bias")})
    lines.finished(JOBS[0], Outcome("passed", "", 8.26))
    lines.finished(JOBS[1], Outcome("failed", "ValueError: no", 1.0))
    lines.end()
    assert stream.getvalue() == (
        "   passed  01_entropy  8.3 s\n   failed  02_accountant  1.0 s: ValueError: no\n"
    )


def test_bar_moves_with_the_cells_and_names_the_running_sections() -> None:
    stream = io.StringIO()
    bar = Bar(stream)
    bar.begin(JOBS)
    assert stream.getvalue().endswith("starting")  # from the first moment
    bar.running({"01_entropy": Status(3, 4, "Bias"), "02_accountant": Status(1, 4)})
    assert bar.bar.n == 0.5  # two of the first one's four cells have run, none of the other's
    assert "01_entropy · Bias | 02_accountant" in bar.bar.desc
    bar.finished(JOBS[0], Outcome("passed", "", 8.26))
    bar.running({"02_accountant": Status(3, 4, "Gate")})
    assert bar.bar.n == 1.5
    bar.end()
    assert "passed  01_entropy  8.3 s" in stream.getvalue()


def test_a_bar_that_never_began_can_end() -> None:
    Bar(io.StringIO()).end()
