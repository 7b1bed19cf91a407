"""The command ``entro-nb``. Each command imports what it needs when it runs."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from io import BufferedIOBase
from pathlib import Path
from typing import Any, cast

from entro_nb import __version__
from entro_nb.errors import EntroError, ParameterError

#: Exit codes besides 0: a notebook failed; the request was wrong; Ctrl-C, and a reader of what is
#: printed that left, as `head` does (both as shells say it).
FAILED, USAGE, INTERRUPTED, UNREAD = 1, 2, 130, 141

Options = argparse.Namespace
Command = Callable[[Options], int]
Argument = tuple[tuple[str, ...], dict[str, Any]]

#: Name of a command to what runs it, an example, and its arguments.
COMMANDS: dict[str, tuple[Command, str, tuple[Argument, ...]]] = {}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Examples
    --------
    >>> main(["serve", "--port", "0"])
    2
    """
    options, extra = parser().parse_known_args(arguments)
    if extra and options.command is not _lab:
        parser().error(f"unrecognized arguments: {' '.join(extra)}")
    options.extra = extra
    try:
        code: int = options.command(options)
        sys.stdout.flush()  # a reader who left is noticed here at the latest
        return code
    except BrokenPipeError:
        # What is still to be written goes nowhere, else Python complains of it as it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    except EntroError as error:
        print(f"entro-nb: error: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("entro-nb: interrupted", file=sys.stderr)
        return INTERRUPTED


def parser() -> argparse.ArgumentParser:
    """Parser of the command line."""
    top = argparse.ArgumentParser(
        prog="entro-nb",
        description="Explorable, executable research on entropy-based monitoring and control.",
        epilog="example: entro-nb report 02_accountant -p seed 7",
    )
    top.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for name, (command, example, arguments) in COMMANDS.items():
        summary = (command.__doc__ or "").split("\n")[0]
        made = commands.add_parser(
            name,
            help=summary[0].lower() + summary[1:].rstrip("."),
            description=summary,
            epilog=f"example: entro-nb {name} {example}",
        )
        made.set_defaults(command=command)
        for flags, options in arguments:
            made.add_argument(*flags, **options)
    return top


def _command(example: str, *arguments: Argument) -> Callable[[Command], Command]:
    """Make a function ``_NAME`` the command ``NAME``: its first line is its help."""

    def register(function: Command) -> Command:
        COMMANDS[function.__name__.removeprefix("_")] = (function, example, arguments)
        return function

    return register


def _arg(*flags: str, **options: Any) -> Argument:
    return flags, options


SCHEDULER = _arg("--scheduler", metavar="ADDRESS", help="a Dask cluster, as tcp://host:8786")


@_command(
    "01 accountant -p seed 7 --jobs 2",
    _arg("names", nargs="*", metavar="NAME", help="notebooks, by name, number or part of a name; "
         "all when none is given; or one file, TOML or YAML, with notebooks, parameters, preset, "
         "jobs, out, timeout"),
    _arg("--list", action="store_true", help="only the notebooks and their parameters, with the "
         "value each has and what it may be; nothing is run"),
    _arg("-p", "--parameter", nargs=2, action="append", default=[], metavar=("KEY", "VALUE"),
         help="set a parameter in every notebook that has it; values divided by commas are run "
         "one by one, and every combination with those of others"),
    _arg("--preset", choices=("quick", "full"), help="how much the notebooks compute"),
    _arg("--jobs", type=int, metavar="N", help="notebooks that run at the same time"),
    _arg("--out", metavar="DIR", help="folder (default: reports-out)"),
    _arg("--timeout", type=float, metavar="S", help="seconds allowed for each notebook"),
    _arg("--max-memory", type=float, metavar="MB", help="fail a notebook that takes more memory"),
    SCHEDULER,
    _arg("--again", action="store_true", help="run also what is finished and unchanged"),
    _arg("--yes", action="store_true", help="do not ask before more than 1000 reports"),
)  # fmt: skip
def _report(options: Options) -> int:
    """Run notebooks and write them as a report that opens offline."""
    if options.list:
        from entro_nb import settings
        from entro_nb.report.notebook import listing

        print(*listing(settings.notebooks(), options.names), sep="\n")
        return 0
    asked = _request(options)
    with _executor(options.scheduler) as executor:
        return _reported(
            **asked,
            executor=executor,
            again=options.again,
            agree=lambda runs: options.yes or _asked(runs),
            max_memory=options.max_memory,
        )


def _reported(names: Sequence[str], out: str, **asked: Any) -> int:
    """Run notebooks as a report, and tell where it is and what failed."""
    from entro_nb.report import Bar, Lines, run_report

    progress = Bar(sys.stderr) if sys.stderr.isatty() else Lines(sys.stderr)
    manifest = run_report(names, out=out, progress=progress, **asked)
    print(os.path.join(out, "index.html"))
    for entry in manifest.failed:
        print(f"entro-nb: {entry.name} {entry.status}: {entry.error}", file=sys.stderr)
    return FAILED if manifest.failed else 0


def _request(options: Options) -> dict[str, Any]:
    """What is asked of a report: by a file, and by the line, which has the last word."""
    from entro_nb import settings
    from entro_nb.report.run import DEFAULT_TIMEOUT, alternatives

    asked: dict[str, Any] = {}
    names = list(options.names)
    if len(names) == 1 and names[0].endswith(settings.ENDINGS):
        known = ("notebooks", "parameters", "preset", "jobs", "out", "timeout")
        asked = settings.load_settings(names.pop(), known)
    keys = [key for key, _ in options.parameter]
    if twice := [key for key in keys if keys.count(key) > 1]:
        raise ParameterError("parameter", twice[0], "each parameter once")
    filed, parameters = asked.pop("notebooks", []), asked.pop("parameters", {})
    for name, value, kind in (("notebooks", filed, list), ("parameters", parameters, dict)):
        if not isinstance(value, kind):
            raise ParameterError(name, value, f"a {kind.__name__}")
    if unquoted := [name for name in filed if not isinstance(name, str)]:
        raise ParameterError("notebooks", unquoted[0], "text, as '02' in quotation marks")
    line = {key: alternatives(value) for key, value in options.parameter}
    defaults = {"preset": None, "jobs": None, "out": "reports-out", "timeout": DEFAULT_TIMEOUT}
    given = {name: value for name in defaults if (value := getattr(options, name)) is not None}
    return defaults | asked | given | {"names": [*filed, *names], "parameters": parameters | line}


def _asked(runs: int) -> bool:
    """Whether whoever sits there means so many reports."""
    question = f"{runs} reports: go on? [y/N] "
    return sys.stdin.isatty() and input(question).strip().lower() in ("y", "yes")


@contextmanager
def _executor(scheduler: str | None) -> Iterator[Any]:
    """Executor of a Dask cluster; None for this machine's own."""
    if scheduler is None:
        yield None
        return
    from entro_nb.sweep import client_of

    with client_of(scheduler, 1) as client:
        yield client.get_executor(pure=False)


@_command(
    "gain.toml --workers 2",
    _arg("file", metavar="FILE", help="TOML or YAML: simulation, grid, replicates, seed, out, …"),
    _arg("--out", metavar="DIR", help="Zarr store, in the place of the file's"),
    _arg("--workers", type=int, default=1, metavar="N", help="processes on this machine"),
    SCHEDULER,
)
def _sweep(options: Options) -> int:
    """Run a simulation over a grid of parameters into a Zarr store, and go on where it stopped."""
    from entro_nb.sweep import progress_on, read_sweep, run_sweep

    asked = read_sweep(options.file)
    if options.out is not None:
        asked["out"] = options.out
    if asked.get("out") is None:
        raise ParameterError("out", None, "a Zarr store, in the file or as --out")
    with progress_on(sys.stderr) as progress:
        run_sweep(**asked, workers=options.workers, scheduler=options.scheduler, progress=progress)
    print(asked["out"])
    return 0


@_command("--no-browser --port 8890")
def _lab(options: Options) -> int:
    """Open JupyterLab at the first notebook; other options go to JupyterLab."""
    from entro_nb import settings

    folder = settings.notebooks()
    line = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}", *options.extra]
    # In the place of this process, so that Ctrl-C and signals are JupyterLab's own.
    os.execv(sys.executable, [*line, str(folder / "00_start_here.ipynb")])


@_command(
    "E05 N10 --seed 2",
    _arg("ids", nargs="*", metavar="ID", help="claims by their id; all when none is given"),
    _arg("--list", action="store_true", help="only the ids and what is claimed; nothing is run"),
    _arg("--seed", type=int, default=1, metavar="N", help="random seed (default: %(default)s)"),
    _arg("--summary", action="store_true", help="only the counts, as a Markdown table"),
    _arg("--readings", action="store_true", help="every reading tried, with what it gives"),
)
def _claims(options: Options) -> int:
    """Evaluate published claims and print what was found."""
    from entro_nb.claims import evaluate, select, summary

    if options.list:
        for name, text in select(options.ids or None).claim.items():
            print(f"{name}  {text}")
        return 0
    found = evaluate(options.ids or None, seed=options.seed)
    if options.summary:
        print(summary(found))
        return 0
    for name in found.claim.values:
        row = {key: str(found[key].sel(claim=name).item()) for key in found.data_vars}
        print(f"{name}  {row['verdict'].upper()}  {row['text']}")
        more = ("readings", "chosen", "interval", "kind", "evidence") if options.readings else ()
        for label in ("source", "published", "obtained", "why", "instead", *more, "notebook"):
            for line in filter(None, row[label].split("\n")):
                print(f"      {label:10s} {line}")
    return 0


@_command(
    "--nodes 20 --steps 800 --regime scraper --repeats 4",
    _arg("--nodes", type=int, default=20, metavar="N", help="nodes (default: %(default)s)"),
    _arg("--steps", type=int, default=800, metavar="N", help="steps (default: %(default)s)"),
    _arg("--regime", choices=("scraper", "phase_shift"), default="scraper",
         help="what drives the nodes (default: %(default)s)"),
    _arg("--repeats", type=int, default=4, metavar="N", help="runs (default: %(default)s)"),
)  # fmt: skip
def _network(options: Options) -> int:
    """Run the scaling study of ENTRO-NET for one number of nodes, as documents 001 and 002 do."""
    from entro_nb.network import scaling_study

    study = scaling_study([options.nodes], options.steps, options.repeats, regime=options.regime)
    print(
        f"{options.nodes} nodes, {options.steps} steps, {options.regime}, {options.repeats} runs: "
        "variance over nodes, mean ± deviation"
    )
    names = {
        "variance": "as published",
        "unsynchronised": "without exchange",
        "gentle": "sound exchange, κ = min(0.1, 1/N)",
    }
    for name, label in names.items():
        runs = study[name].values[0]
        scatter = f" ± {runs.std(ddof=1):.6f}" if runs.size > 1 else ""
        print(f"{label:34s} {runs.mean():.6f}{scatter}")
    return 0


#: Bytes of a message of a page, at most.
DROPPED = 2**28


@_command(
    "--port 5007",
    _arg("--port", type=int, default=5006, metavar="N", help="port (default: %(default)s)"),
    _arg("--address", default="127.0.0.1", metavar="A", help="address (default: %(default)s)"),
    _arg("--origin", action="append", default=[], metavar="HOST:PORT",
         help="another host name under which browsers reach the apps; may be repeated"),
)  # fmt: skip
def _serve(options: Options) -> int:
    """Serve all apps to browsers on this machine."""
    from entro_nb import validate

    port = validate.integer("port", options.port, 1, 65535)

    import panel as pn

    from entro_nb import views

    # What was on its way to a visitor who left is dropped with an error that nobody reads.
    for name in ("asyncio", "tornado.application"):
        logging.getLogger(name).addFilter(_stays)
    # A page may open its websocket only from the address it came from; loopback has two names.
    here = options.address in ("127.0.0.1", "localhost", "::1")
    hosts = {options.address} | ({"127.0.0.1", "localhost"} if here else set())
    titles = {name: app.title or name for name, app in views.apps.items()}
    pn.config.index_titles = {f"/{name}": title for name, title in titles.items()}
    try:
        pn.serve(
            # A fresh app for each visitor.
            {name: lambda app=app: app().panel() for name, app in views.apps.items()},
            port=port,
            address=options.address,
            websocket_origin=[*(f"{host}:{port}" for host in sorted(hosts)), *options.origin],
            show=False,
            title=titles,
            # A file that is dropped on an app comes in one message.
            websocket_max_message_size=DROPPED,
            # Panel's own page of apps fetches pictures and fonts from elsewhere.
            index=str(Path(__file__).parent / "views" / "index.html"),
        )
    except OSError as error:  # once it listens, nothing of a visitor's comes out here
        reason = error.strerror or str(error)
        raise ParameterError("port", port, f"a free one at {options.address} ({reason})") from error
    return 0


@_command(
    "check usgs wikipedia",
    _arg("what", nargs="?", choices=("list", "check"), default="list", help="list, or try each"),
    _arg("names", nargs="*", metavar="STREAM", help="streams to try; all when none is given"),
    _arg("--seconds", type=float, default=15.0, metavar="S", help="wait (default: %(default)g)"),
)
def _streams(options: Options) -> int:
    """List the streams of the catalog, or try each over the network."""
    from entro_nb.streams import catalog_lines, check_streams

    if options.what == "check":
        return 0 if check_streams(options.names, options.seconds) else FAILED
    print(*catalog_lines(), sep="\n")
    return 0


@_command(
    "bitstamp --seconds 600",
    _arg("stream", metavar="STREAM", help="name in the catalog: see entro-nb streams"),
    _arg("--seconds", type=float, default=60.0, metavar="S",
         help="how long (default: %(default)g)"),
    _arg("--endpoint", metavar="URL", help="another endpoint than the catalog's"),
    _arg("--out", metavar="FILE", help="file to write (default: STREAM.nc)"),
)  # fmt: skip
def _record(options: Options) -> int:
    """Record a live stream to a file that can be replayed."""
    from entro_nb.streams import find, record_to_file

    source = find(options.stream)
    if options.endpoint is not None:
        source = source.at(options.endpoint)
    record_to_file(source, options.seconds, options.out)
    return 0


@_command(
    "--detector mine:score",
    _arg("--detector", action="append", default=[], metavar="MODULE:FUNCTION",
         help="a function from the values of a stream to as many scores, or one of those known by "
         "name; may be repeated (default: all that are known)"),
    _arg("--limit", type=float, metavar="X",
         help="scores of at least this are alarms (default: what gives the best score)"),
)  # fmt: skip
def _nab(options: Options) -> int:
    """Score detectors on the Numenta Anomaly Benchmark, among the published scores."""
    from entro_nb import settings
    from entro_nb.benchmark import DETECTORS, board
    from entro_nb.sweep import progress_on

    sys.path.append(os.getcwd())  # where a function of one's own may be
    detectors = {
        name: DETECTORS.get(name) or settings.function_of("detector", name, DETECTORS)
        for name in options.detector or DETECTORS
    }
    with progress_on(sys.stderr) as progress:
        table = board(detectors, options.limit, progress)
    width = max(map(len, table.detector.values))
    names = {"low_fp": "low FP", "low_fn": "low FN"}
    heads = "".join(f"{names.get(name, name):>9}" for name in table.profile.values)
    print(" " * width, *(f"{files:>{len(heads)}}" for files in table.files.values))
    print(" " * width, *table.files.size * [heads])
    for name in table.detector.values:
        row = table.sel(detector=name)
        blocks = ["".join(f"{score:9.1f}" for score in scores) for scores in row.score.values]
        print(f"{name:{width}}", *([blocks[0], "  published"] if row.published else blocks))
    print(
        "Published scores have the threshold that is best for what is scored; the others", end=" "
    )
    print("too" if options.limit is None else f"alarms from {options.limit:g} on", end=".\n")
    return 0


#: Rows that a page is still made of; it holds them all at once.
PAGE_ROWS = 2_000_000


@_command(
    "requests.csv --column latency --promise 5000",
    _arg("file", metavar="FILE", help="CSV, NetCDF as entro-nb record writes it, or Parquet; - "
         "reads lines from standard input, and tells each alarm as it comes"),
    _arg("--column", action="append", metavar="NAME",
         help="a column to watch; may be repeated (default: all that hold numbers)"),
    _arg("--time", metavar="NAME", help="column of the times (default: the one that holds times)"),
    _arg("--promise", type=float, default=2000.0, metavar="N",
         help="values between false alarms, on average, at least (default: %(default)g)"),
    _arg("--out", metavar="DIR", help="folder of alarms.csv and of the page (default: watch-out; "
         "none for -)"),
    _arg("--no-page", action="store_true", help="make no page"),
    _arg("--scheduler", metavar="ADDRESS",
         help="a Dask cluster, as tcp://host:8786, for a NetCDF file or a Zarr store of many "
         "streams: a variable over time and other dims"),
)  # fmt: skip
def _watch(options: Options) -> int:
    """Watch data of one's own: what is surprising in them, and alarms with a promise."""
    if options.scheduler is not None:
        return _watch_streams(options)

    import pandas as pd

    from entro_nb.monitor import TableWatcher, alarm_in_words, in_words, read_lines, read_pieces
    from entro_nb.surprise import SurpriseConfig
    from entro_nb.sweep import progress_on

    watcher = TableWatcher(SurpriseConfig(promise=options.promise))
    lines, asked = options.file == "-", (options.column, options.time)
    out = options.out if options.out is not None or lines else "watch-out"
    if lines:
        pieces = read_lines(cast(BufferedIOBase, sys.stdin.buffer), *asked)
    else:
        pieces = read_pieces(options.file, *asked)
    found, code = [], 0
    with _alarms_to(out) as write, progress_on(sys.stderr, "%") as progress:
        try:
            for piece in pieces:
                watcher.push(piece.table, piece.row)
                found.append(watcher.alarms)
                write(watcher.alarms)
                if lines:
                    if len(found) == 1:
                        print(f"watching {', '.join(piece.table.names)}", file=sys.stderr)
                    for _, alarm in watcher.alarms.iterrows():
                        print(alarm_in_words(alarm, watcher.attrs), flush=True)
                elif len(found) > 2 or (len(found) == 2 and piece.done < 1.0):
                    progress(int(100 * piece.done), 100)
        except KeyboardInterrupt:
            print("entro-nb: interrupted", file=sys.stderr)
            code = INTERRUPTED
    if not found:
        return code
    about, told = watcher.attrs, pd.concat(found, ignore_index=True)
    print(*in_words(about, told, 0) if lines else in_words(about, told), sep="\n")
    if out is not None:
        print(os.path.join(out, ALARMS))
    if lines or options.no_page or code:
        return code
    if about["rows"] > PAGE_ROWS:
        print(f"no page: it is made of {PAGE_ROWS:,} rows at most")
        return code
    parameters = {
        "data_file": options.file,
        "column": options.column or "",
        "time_column": options.time or "",
        "promise": options.promise,
    }
    return _reported(["reports/watch"], str(out), parameters=parameters)


def _watch_streams(options: Options) -> int:
    """Watch many streams on a cluster; only their alarms come here."""
    from entro_nb.monitor import alarms_of_streams, open_streams, promise_in_words, watch
    from entro_nb.surprise import SurpriseConfig
    from entro_nb.sweep import client_of, progress_on

    if options.time is not None:
        raise ParameterError("time", options.time, "none: streams lie over the dim 'time'")
    (column, *more) = options.column or [None]
    if more:
        raise ParameterError("column", options.column, "one variable")
    x, config = open_streams(options.file, column), SurpriseConfig(promise=options.promise)
    about, out = watch(x, config).attrs, options.out or "watch-out"
    raised, of, code = 0, x.size // x.sizes["time"], 0
    with (
        client_of(options.scheduler, 1) as client,
        _alarms_to(out) as write,
        progress_on(sys.stderr, "%") as progress,
    ):
        try:
            for table, done in alarms_of_streams(x, config, client):
                write(table)
                raised += len(table)
                progress(int(100 * done), 100)
        except KeyboardInterrupt:
            print("entro-nb: interrupted", file=sys.stderr)
            code = INTERRUPTED
    print(f"{of:,} streams of {x.sizes['time']:,} values")
    print(promise_in_words(about))
    print(f"{raised:,} alarm{'' if raised == 1 else 's'}")
    print(os.path.join(out, ALARMS))
    return code


#: The file that `watch` writes its alarms to.
ALARMS = "alarms.csv"


@contextmanager
def _alarms_to(folder: str | None) -> Iterator[Callable[[Any], None]]:
    """What to call with tables of alarms, which puts them into a file of the folder at once."""
    with ExitStack() as stack:
        files: list[Any] = []

        def write(table: Any) -> None:
            if folder is None:
                return
            if not files:
                try:
                    Path(folder).mkdir(parents=True, exist_ok=True)
                    path = Path(folder, ALARMS)
                    files.append(stack.enter_context(path.open("w", encoding="utf-8", newline="")))
                except OSError as error:
                    allowed = f"a folder that can be written to ({error.strerror})"
                    raise ParameterError("out", folder, allowed) from error
                table[:0].to_csv(files[0], index=False)
            table.to_csv(files[0], index=False, header=False)
            files[0].flush()

        yield write


def _stays(record: logging.LogRecord) -> bool:
    """Whether a line of the server's log is about anything but a visitor who left."""
    from tornado.websocket import WebSocketClosedError

    return not (record.exc_info and isinstance(record.exc_info[1], WebSocketClosedError))


if __name__ == "__main__":
    sys.exit(main())
