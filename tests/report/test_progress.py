from __future__ import annotations

import io

from entro_nb.report.job import Job, Outcome, Status
from entro_nb.report.progress import Bar, Lines

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
