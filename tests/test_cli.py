from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import entro_nb
from entro_nb import cli, settings
from entro_nb.claims import published
from entro_nb.errors import ReportError
from entro_nb.report import Checkout, Entry, Manifest
from entro_nb.report.run import DEFAULT_TIMEOUT


def manifest(status: str, error: str) -> Manifest:
    entry = Entry("a", "A", "", status, error, {}, None, 1.0, None, None, None, None)
    return Manifest("2026-01-01T00:00:00+00:00", Checkout(), {}, None, {}, 1.0, (entry,))


@pytest.fixture
def asked(monkeypatch):
    """What the command asked of the runner, which does nothing."""
    calls: list[dict[str, object]] = []

    def run(names, **options):
        calls.append({"names": names} | options)
        return manifest("passed", "")

    monkeypatch.setattr("entro_nb.report.run_report", run)
    return calls


@pytest.mark.parametrize("command", ["", "report", "sweep", "lab", "serve", "nab", "watch"])
def test_every_command_has_help_with_an_example(command, capsys) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main([*command.split(), "--help"])
    assert left.value.code == 0
    assert "example: entro-nb" in capsys.readouterr().out


def test_help_loads_nothing_heavy() -> None:
    probe = (
        "import sys; from entro_nb import cli\n"
        "try: cli.main(['report', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'papermill', 'nbformat', 'panel', 'holoviews', 'xarray', 'tqdm'}\n"
        "sys.exit(len(heavy & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", probe], stdout=subprocess.DEVNULL).returncode == 0


def test_report_passes_everything_on(asked, capsys) -> None:
    line = "report 01 accountant -p seed 7 -p alpha -0.5 --preset full --jobs 3 --out there"
    assert cli.main([*line.split(), "--timeout", "60"]) == 0
    (options,) = asked
    options.pop("progress")
    options.pop("agree")
    assert options == {
        "executor": None,
        "again": False,
        "max_memory": None,
        "names": ["01", "accountant"],
        "parameters": {"seed": "7", "alpha": "-0.5"},
        "preset": "full",
        "jobs": 3,
        "out": "there",
        "timeout": 60.0,
    }
    assert capsys.readouterr().out == str(Path("there", "index.html")) + "\n"


def test_report_has_defaults(asked) -> None:
    cli.main(["report"])
    (options,) = asked
    assert options["names"] == []
    assert options["out"] == "reports-out"
    assert options["timeout"] == DEFAULT_TIMEOUT


def test_report_lists_notebooks_with_their_parameters(asked, capsys) -> None:
    assert cli.main(["report", "--list", "02", "period"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in told if line[0] != " "] == [
        "02_accountant",
        "reports/period",
    ]
    assert asked == []
    (window,) = [line for line in told if line.startswith("    window: int = 128  ")]
    assert window.endswith("  samples in the histogram, at least 2")


@pytest.mark.parametrize(
    ("notebook", "name", "value", "told"),
    [
        ("02", "window", "-5", "expected a number at least 2"),
        ("02", "recording", "mars", "expected one of 'earthquakes', 'apple'"),
        ("period", "period", "weekly,hourly", "period = 'hourly' is not allowed"),
    ],
)
def test_a_value_not_allowed_is_refused_before_a_kernel_starts(
    notebook, name, value, told, tmp_path, capsys
) -> None:
    out = tmp_path / "out"
    assert cli.main(["report", notebook, "-p", name, value, "--out", str(out)]) == 2
    written = capsys.readouterr()
    assert told in written.err
    assert written.err.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize(
    "line",
    ["", "reprot", "report --jobs x", "report --preset slow", "report -p seed", "report --wrong"],
)
def test_usage_errors_exit_with_2(line: str, asked) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(line.split())
    assert left.value.code == 2
    assert asked == []


def test_a_parameter_given_twice_is_refused(asked, capsys) -> None:
    assert cli.main(["report", "-p", "seed", "1", "-p", "seed", "2"]) == 2
    assert asked == []
    assert "parameter = 'seed' is not allowed" in capsys.readouterr().err


def test_errors_are_one_line(monkeypatch, capsys) -> None:
    def run(*_: object, **__: object) -> None:
        raise ReportError("the folder is full")

    monkeypatch.setattr("entro_nb.report.run_report", run)
    assert cli.main(["report"]) == 2
    assert capsys.readouterr().err == "entro-nb: error: the folder is full\n"


def test_interruption_has_its_own_code(monkeypatch, capsys) -> None:
    def run(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("entro_nb.report.run_report", run)
    assert cli.main(["report"]) == 130
    assert capsys.readouterr().err == "entro-nb: interrupted\n"


def test_a_failed_notebook_exits_with_1(monkeypatch, capsys) -> None:
    monkeypatch.setattr(
        "entro_nb.report.run_report", lambda *_, **__: manifest("failed", "no luck")
    )
    assert cli.main(["report"]) == 1
    written = capsys.readouterr()
    assert written.err == "entro-nb: a failed: no luck\n"
    assert written.out == str(Path("reports-out", "index.html")) + "\n"


def test_lab_opens_the_first_notebook_and_passes_options_on(monkeypatch, tmp_path) -> None:
    calls = []
    monkeypatch.setattr("os.execv", lambda *call: calls.append(call))
    monkeypatch.setattr(settings, "notebooks", lambda: tmp_path)
    cli.main(["lab", "--no-browser", "--port", "8890"])
    ((program, line),) = calls
    assert program == line[0] == sys.executable
    assert line[1:] == [
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={tmp_path}",
        "--no-browser",
        "--port",
        "8890",
        str(tmp_path / "00_start_here.ipynb"),
    ]


class Counter:
    """An app that counts how many were made."""

    title = "A counter"
    made = 0

    def __init__(self) -> None:
        Counter.made += 1

    def panel(self) -> str:
        return f"page {Counter.made}"


@pytest.fixture
def served(monkeypatch):
    """What was asked of Panel, with one app to serve."""
    calls: list[tuple[dict, dict]] = []
    fake = SimpleNamespace(
        config=SimpleNamespace(), serve=lambda pages, **options: calls.append((pages, options))
    )
    monkeypatch.setitem(sys.modules, "panel", fake)
    apps = SimpleNamespace(apps={"counter": Counter})
    monkeypatch.setitem(sys.modules, "entro_nb.views", apps)
    monkeypatch.setattr(entro_nb, "views", apps, raising=False)  # where it was imported before
    return calls


def test_serve_offers_every_app_on_loopback_only(served) -> None:
    assert cli.main(["serve"]) == 0
    ((pages, options),) = served
    assert options["address"] == "127.0.0.1"
    assert options["port"] == 5006
    assert options["websocket_origin"] == ["127.0.0.1:5006", "localhost:5006"]
    assert options["title"] == {"counter": "A counter"}
    assert "http" not in Path(options["index"]).read_text()  # nothing from elsewhere
    assert pages["counter"]() != pages["counter"]()  # a fresh app for each visitor


def test_serve_elsewhere_trusts_only_the_names_given(served) -> None:
    line = "serve --address 0.0.0.0 --port 5010 --origin lab.example.org:443"
    assert cli.main(line.split()) == 0
    ((_, options),) = served
    assert options["websocket_origin"] == ["0.0.0.0:5010", "lab.example.org:443"]


@pytest.mark.parametrize("port", ["0", "65536"])
def test_serve_refuses_a_port_that_is_none(served, port, capsys) -> None:
    assert cli.main(["serve", "--port", port]) == 2
    assert served == []
    assert f"port = {port} is not allowed" in capsys.readouterr().err


def test_serve_says_in_a_line_that_a_port_is_taken(served, monkeypatch, capsys) -> None:
    def bind(pages, *, address, port, **_: object) -> None:
        socket.create_server((address, port))

    monkeypatch.setattr(sys.modules["panel"], "serve", bind)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert cli.main(["serve", "--port", str(port)]) == 2
    told = capsys.readouterr().err
    assert told.startswith(
        f"entro-nb: error: port = {port} is not allowed: expected a free one at "
    )
    assert told.count("\n") == 1


def test_claims_are_found_in_any_case_and_listed(capsys) -> None:
    assert cli.main(["claims", "a04"]) == 0
    assert capsys.readouterr().out.startswith("A04  ")
    assert cli.main(["claims", "--list", "e05"]) == 0
    assert capsys.readouterr().out == "E05  Peak psi_total, controlled\n"
    assert cli.main(["claims", "--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(published())
    assert cli.main(["claims", "e99"]) == 2
    told = capsys.readouterr().err
    assert "claim = 'e99' is not allowed: expected an id that `entro-nb claims --list`" in told
    assert len(told) < 150


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="no SIGPIPE on this system")
@pytest.mark.parametrize("lines", [0, 1])
def test_a_reader_who_leaves_ends_it_quietly(lines: int) -> None:
    """As `head` does; what was not read yet must not be complained of at the end, too."""
    process = subprocess.Popen(
        [sys.executable, "-m", "entro_nb.cli", "streams"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    for _ in range(lines):
        assert process.stdout.readline()
    process.stdout.close()
    complaint = process.stderr.read().decode()
    process.stderr.close()
    # With a line read, all twelve may have been written before the pipe was closed.
    assert process.wait() in ((128 + signal.SIGPIPE,) if lines == 0 else (0, 128 + signal.SIGPIPE))
    assert complaint == ""


def test_the_installed_command_is_this_one() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "entro_nb.cli", "--version"], capture_output=True, text=True
    )
    assert done.stdout.startswith("entro-nb ")


def test_sweep_runs_a_file(tmp_path, capsys) -> None:
    file, out = tmp_path / "a.toml", tmp_path / "a.zarr"
    file.write_text('simulation = "regimes"\n[grid]\ndrive = [1.0, 1.65]\n')
    assert cli.main(["sweep", str(file), "--out", str(out)]) == 0
    written = capsys.readouterr()
    assert written.out == f"{out}\n"
    assert written.err == "2 of 2 runs\n"
    assert cli.main(["sweep", str(file)]) == 2
    assert "out = None is not allowed" in capsys.readouterr().err


LEAVES = '''
import gc, json, os, re, socket, struct, sys, threading, time, urllib.request
import panel as pn
from websockets.sync.client import connect
from entro_nb import cli, views

visitor, told, port = [], threading.Event(), sys.argv[1]

class Talks:
    """An app that speaks just as its visitor has gone, without a farewell."""

    title = "Talks"

    def panel(self):
        self.pane = pn.pane.HTML("before")
        pn.state.add_periodic_callback(self.say, period=50)
        return self.pane

    def say(self):
        if visitor:
            reset = struct.pack("ii", 1, 0)
            visitor[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            visitor.pop().close()
            time.sleep(0.1)
            self.pane.object = "after"
            told.set()

def send(page, kind, content):
    for part in ({"msgid": "1", "msgtype": kind}, {}, content):
        page.send(json.dumps(part))

def visit():
    address = f"127.0.0.1:{port}/talks"
    for _ in range(300):
        try:
            html = urllib.request.urlopen(f"http://{address}", timeout=30).read().decode()
            break
        except OSError:
            time.sleep(0.1)
    token = re.search('"token":"([^"]+)"', html)[1]
    page = connect(f"ws://{address}/ws", subprotocols=["bokeh", token])
    page.recv()
    send(page, "PULL-DOC-REQ", {})
    ready = {"type": "event", "name": "document_ready", "values": {"type": "map", "entries": []}}
    said = {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": ready}
    send(page, "PATCH-DOC", {"events": [said]})
    for _ in range(8):
        page.recv()
    visitor.append(page.socket)
    told.wait(30)
    time.sleep(1)
    gc.collect()
    print("told" if told.is_set() else "never told", flush=True)
    os._exit(0)

views.apps = {"talks": Talks}
threading.Thread(target=visit).start()
cli.main(["serve", "--port", port])
'''


def test_a_visitor_who_leaves_is_no_error_in_the_log() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [sys.executable, "-W", "ignore", "-c", LEAVES, port]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines()[-1] == "told", done.stderr
    assert "Traceback" not in done.stderr
    assert "WebSocketClosedError" not in done.stderr


def test_the_network_command_prints_what_the_documents_print(capsys) -> None:
    line = "network --nodes 20 --steps 800 --regime scraper --repeats 4"
    assert cli.main(line.split()) == 0
    published, free, sound = capsys.readouterr().out.splitlines()[1:]
    assert published.split("  ")[-1].strip() == "0.165380 ± 0.002169"
    assert free.split()[-3].startswith("0.0008")
    assert float(sound.split()[-3]) < float(free.split()[-3])
    assert cli.main(["network", "--nodes", "3", "--steps", "50", "--repeats", "1"]) == 0
    assert "±" not in capsys.readouterr().out.split("deviation")[1]
    assert cli.main(["network", "--nodes", "0"]) == 2
    assert "nodes = 0" in capsys.readouterr().err


def test_nab_prints_the_board(capsys, monkeypatch, tmp_path) -> None:
    (tmp_path / "my_detector.py").write_text("def score(x):\n    return x * 0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert cli.main(["nab", "--detector", "my_detector:score", "--detector", "chance"]) == 0
    written = capsys.readouterr()
    files, profiles, *rows, note = written.out.splitlines()
    assert files.split() == ["all", "odd", "even"]
    assert profiles.split() == ["standard", "low", "FP", "low", "FN"] * 3
    assert rows[0].split() == ["perfect", *["100.0"] * 3, "published"]
    (mine,) = [row for row in rows if row.startswith("my_detector:score")]
    assert mine.split()[1:] == ["0.0"] * 9
    (chance,) = [row for row in rows if row.startswith("chance")]
    assert all(0.0 <= float(score) < 35.0 for score in chance.split()[1:])
    assert note.endswith("the others too.")
    assert written.err.splitlines()[-1] == "116 of 116 runs"

    assert cli.main(["nab", "--detector", "my_detector:score", "--limit", "0"]) == 0
    *_, last, note = capsys.readouterr().out.splitlines()
    assert float(last.split()[1]) < -1000.0  # everything is an alarm
    assert note.endswith("alarms from 0 on.")


def test_nab_refuses_what_is_no_detector(capsys) -> None:
    for spelled, told in (
        ("chanse", "did you mean 'chance'?"),
        ("no_such_module:score", "No module named 'no_such_module'"),
        ("math:scores", "has no attribute 'scores'"),
        (":score", "Empty module name"),
        ("math:pi", "a function from values to scores"),
    ):
        assert cli.main(["nab", "--detector", spelled]) == 2
        complaint = capsys.readouterr().err
        assert complaint.startswith("entro-nb: error: detector = "), complaint
        assert told in complaint
        assert complaint.count("\n") == 1
    assert cli.main(["nab", "--detector", "chance", "--limit", "nan"]) == 2
    assert "limit = nan is not allowed" in capsys.readouterr().err


@pytest.fixture
def table(tmp_path, monkeypatch) -> Path:
    """A file with one stranger in it, in the folder where the command runs."""
    rng = np.random.default_rng(5)
    lines = [
        f"2026-03-01T{k // 60:02d}:{k % 60:02d},{rng.standard_normal():.4f}" for k in range(1200)
    ]
    lines[1000] = lines[1000].split(",")[0] + ",9.5"
    lines[700] = lines[700].split(",")[0] + ","
    path = tmp_path / "load.csv"
    path.write_text("\n".join(["when,load", *lines]) + "\n")
    monkeypatch.chdir(tmp_path)
    return path


WATCHED = """\
1,200 rows from 2026-03-01 00:00:00 to 2026-03-01 19:59:00 (column when), 60 seconds apart in the \
median
1 value is missing: counted, not filled in
at most one false alarm in about 17 hours at this rate (1,000 values)
1 alarm
2026-03-01 16:40:00: load 9.5, as surprising as 1 value in 1,000 (score """


def test_watch_tells_the_alarms_in_words_and_writes_them(table, capsys) -> None:
    assert cli.main(["watch", "load.csv", "--promise", "1000", "--no-page"]) == 0
    written = capsys.readouterr()
    assert written.out.startswith(WATCHED)
    path = Path("watch-out", "alarms.csv")
    assert written.out.endswith(f"\n{path}\n")
    assert written.err == ""
    head, alarm = path.read_text().splitlines()
    assert head == "row,time,column,value,surprisal,p_value,evidence,score"
    assert alarm.startswith("1000,2026-03-01 16:40:00,load,9.5,")


def test_watch_makes_the_page_of_the_same(table, asked, capsys) -> None:
    line = "watch load.csv --column load --time when --promise 1000 --out there"
    assert cli.main(line.split()) == 0
    (options,) = asked
    options.pop("progress")
    assert options == {
        "names": ["reports/watch"],
        "out": "there",
        "parameters": {
            "data_file": "load.csv",
            "column": ["load"],
            "time_column": "when",
            "promise": 1000.0,
        },
    }
    assert capsys.readouterr().out.splitlines()[-2:] == [
        str(Path("there", "alarms.csv")),
        str(Path("there", "index.html")),
    ]


def test_watch_makes_no_page_of_more_than_fits(table, asked, capsys, monkeypatch) -> None:
    monkeypatch.setattr(cli, "PAGE_ROWS", 1000)
    assert cli.main(["watch", "load.csv"]) == 0
    assert asked == []
    assert capsys.readouterr().out.splitlines()[-1] == "no page: it is made of 1,000 rows at most"


def test_watch_tells_how_far_it_is_in_a_long_file(table, capsys, monkeypatch) -> None:
    monkeypatch.setattr("entro_nb.monitor.files.HEAD", 100)
    monkeypatch.setattr("entro_nb.monitor.files.read_pieces.__defaults__", (None, None, 100))
    assert cli.main(["watch", "load.csv", "--promise", "1000", "--no-page"]) == 0
    written = capsys.readouterr()
    assert written.out.startswith(WATCHED)
    assert written.err.splitlines()[-1] == "100 of 100 %"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("none.csv", "file = 'none.csv'"),
        ("load.csv --column lod", "did you mean 'load'?"),
        ("load.csv --column when", "column = 'when'"),
        ("load.csv --time whn", "did you mean 'when'?"),
        ("load.csv --promise 1", "promise = 1.0"),
        ("load.csv --out load.csv", "out = 'load.csv'"),
        ("bad.csv", "load, line 3 = 'off'"),
        ("back.csv", "at, line 4 = '2026-03-01 00:00:00'"),
        ("empty.csv", "at least one row"),
    ],
)
def test_watch_refuses_in_one_line(table, line, told, capsys) -> None:
    Path("bad.csv").write_text("load\n1\noff\n2\n")
    Path("back.csv").write_text("at,load\n2026-03-01,1\n2026-03-02,2\n2026-03-01,3\n")
    Path("empty.csv").touch()
    assert cli.main(["watch", *line.split()]) == 2
    written = capsys.readouterr()
    assert written.err.startswith("entro-nb: error: ")
    assert told in written.err
    assert written.err.count("\n") == 1
    assert written.out == ""


def test_watch_keeps_what_is_done_when_interrupted(table, capsys, monkeypatch) -> None:
    from entro_nb.monitor import read_pieces

    def interrupted(*asked):
        yield from read_pieces(*asked)
        raise KeyboardInterrupt

    monkeypatch.setattr("entro_nb.monitor.read_pieces", interrupted)
    assert cli.main(["watch", "load.csv", "--promise", "1000"]) == 130
    written = capsys.readouterr()
    assert written.out.startswith(WATCHED)
    assert written.err == "entro-nb: interrupted\n"
    assert len(Path("watch-out", "alarms.csv").read_text().splitlines()) == 2


@pytest.fixture
def pipe():
    """The command on a pipe, as behind `tail -f`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "entro_nb.cli", "watch", "-", "--promise", "1000"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        process.kill()


def test_watch_tells_an_alarm_as_it_comes(table, pipe) -> None:
    lines = table.read_text().splitlines(keepends=True)
    pipe.stdin.writelines(lines[:1002])
    pipe.stdin.flush()
    # The pipe stays open: what is read now was told before the end.
    assert pipe.stdout.readline().startswith("2026-03-01 16:40:00: load 9.5, as surprising as 1")
    pipe.stdin.writelines(lines[1002:])
    pipe.stdin.close()
    assert pipe.stdout.read() == WATCHED[: WATCHED.index("1 alarm")] + "1 alarm\n"
    assert pipe.stderr.read() == "watching load\n"
    assert pipe.wait() == 0


def test_watch_sums_up_when_it_is_interrupted(pipe) -> None:
    pipe.stdin.write("1.5\n2.5\n")
    pipe.stdin.flush()
    assert pipe.stderr.readline() == "watching value\n"
    pipe.send_signal(signal.SIGINT)
    assert pipe.stdout.read().splitlines()[0] == "2 rows"
    assert pipe.stderr.read() == "entro-nb: interrupted\n"
    assert pipe.wait() == 130


def test_watch_ends_at_a_line_that_is_no_number_and_names_it(pipe) -> None:
    _, complaint = pipe.communicate("1.5\noff\n")
    first, error = complaint.splitlines()
    assert first == "watching value"
    assert error.startswith("entro-nb: error: value, line 2 = 'off' is not allowed")
    assert pipe.returncode == 2
