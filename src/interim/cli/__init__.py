"""The command line: ``interim --help`` lists everything that it does."""

from __future__ import annotations

import argparse
import atexit
import gc
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from interim import __version__
from interim.cli.finished import add_compare, add_pack, add_verify
from interim.cli.simulation import add_simulate
from interim.cli.talk import FAILED, INTERRUPTED, OK, USAGE, say, seed, silent
from interim.errors import DataError, Finding, InterimError

# Equal numbers on every computer, and a parent that may be forked: no library starts a thread of its own.
_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; default those of the process.

    Returns
    -------
    int
        0 done, 1 something is wrong with parameters, data or report, 2 wrong usage, 130 interrupted.

    Raises
    ------
    SystemExit
        For ``--help``, ``--version`` and wrong usage (code 2).
    """
    for name, value in _ONE_THREAD.items():
        os.environ.setdefault(name, value)
    atexit.register(gc.freeze)  # a process that ends does not look for objects that only name each other
    options = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except InterimError as error:
        return _failed(error, options)
    except KeyboardInterrupt:
        print("interrupted; nothing was published", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return FAILED
    except Exception as error:
        if options.debug:
            raise
        print(_unexpected(error), file=sys.stderr)
        return FAILED


def _unexpected(error: Exception) -> str:
    what = f"{type(error).__name__}: {error}"
    if isinstance(error, OSError):
        return f"a file or folder cannot be read or written: {what}\ncheck its path, the rights and the free space"
    return f"a defect of interim, not of your study: {what}\nrepeat with --debug and report it"


def _failed(error: InterimError, options: argparse.Namespace) -> int:
    """Say what is wrong: everything at once, as text or as one JSON object."""
    if options.debug:
        traceback.print_exc()
    if getattr(options, "json", False):
        print(
            json.dumps(
                {"status": "failed", "error": type(error).__name__, "message": str(error), **_details(error)}
            )
        )
    else:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    return FAILED


def _details(error: InterimError) -> dict[str, list[dict[str, Any]]]:
    """Return the lists that an error carries: problems, findings or failures."""
    names = ("problems", "findings", "failures")
    return {name: [asdict(item) for item in getattr(error, name)] for name in names if hasattr(error, name)}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="interim", description="Interim analysis of an early-phase cell-therapy trial."
    )
    parser.add_argument("--version", action="version", version=f"interim {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in (
        _add_new,
        _add_run,
        _add_check,
        _add_shells,
        add_verify,
        add_pack,
        add_compare,
        _add_trace,
        _add_validate,
        add_simulate,
        _add_example,
        _add_key,
    ):
        add(commands)
    return parser


def _add_new(commands: Any) -> None:
    new = commands.add_parser("new", help="write the files of a new study: parameters, mapping, plain tables")
    new.add_argument("id", metavar="STUDY", help="name of the study: letters, digits, - and _")
    new.add_argument(
        "--folder", type=Path, default=Path(), help="where params/ and data/ are written (default: here)"
    )
    new.add_argument(
        "--language", choices=("en", "zh"), default="en", help="headings of the tables (default: en)"
    )
    new.set_defaults(command=_new)


def _add_run(commands: Any) -> None:
    run = commands.add_parser("run", help="build the report of a study")
    run.add_argument("study", type=Path, help="study file, for example params/example.toml")
    _add_notebooks(run)
    run.add_argument(
        "--reports", type=Path, default=Path("reports"), help="folder of all reports (default: reports)"
    )
    run.add_argument(
        "--cache",
        type=Path,
        default=Path(".interim/cache"),
        help="folder of what builds keep for the next one (default: .interim/cache)",
    )
    run.add_argument(
        "-p",
        "--parameter",
        action="append",
        default=[],
        type=_pair,
        metavar="NAME=VALUE",
        help="notebook parameter",
    )
    _add_as_of(run)
    run.add_argument("--force", action="store_true", help="build even if the report is up to date")
    run.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    run.set_defaults(command=_run)


def _add_as_of(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as-of", metavar="DATE", help="replay an earlier day with what was known by then")


def _add_notebooks(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--notebooks",
        type=Path,
        default=Path("notebooks"),
        help="folder of the notebooks (default: notebooks)",
    )


def _add_shells(commands: Any) -> None:
    shells = commands.add_parser("shells", help="write the empty shell book of a study, before data exist")
    shells.add_argument("study", type=Path, help="study file")
    shells.add_argument("out", type=Path, help="folder for the documents")
    shells.set_defaults(command=_shells)


def _add_check(commands: Any) -> None:
    check = commands.add_parser("check", help="check a study's parameters and data, or the notebooks")
    check.add_argument("what", help="study file, or the word notebooks")
    _add_notebooks(check)
    check.add_argument("--fix", action="store_true", help="strip outputs of the notebooks")
    check.add_argument(
        "--queries",
        type=Path,
        metavar="FILE",
        help="write findings and answers to this file, for example queries.csv",
    )
    _add_as_of(check)
    check.set_defaults(command=_check)


def _add_trace(commands: Any) -> None:
    trace = commands.add_parser("trace", help="show how a result follows from the records of the files")
    trace.add_argument(
        "what",
        help="participant (or the end of its id), or a result id such as response.best_response/Total/orr//rate",
    )
    trace.add_argument("parameter", nargs="?", default="", help="BOR, CBOR, PFS, OS, DOR, DLT ...")
    trace.add_argument(
        "--study",
        type=Path,
        default=Path("params/example.toml"),
        help="study file (default: params/example.toml)",
    )
    trace.add_argument(
        "--site-ids", action="store_true", help="print the id of the site beside each pseudo-id"
    )
    trace.set_defaults(command=_trace)


def _add_validate(commands: Any) -> None:
    validate = commands.add_parser("validate", help="run reference packs through the installed code")
    validate.add_argument("directory", type=Path, help="folder of one area, or of areas")
    validate.add_argument("--json", action="store_true", help="print the report as JSON")
    validate.add_argument(
        "--workers", choices=("serial", "processes"), default="serial", help="where the packs run"
    )
    validate.set_defaults(command=_validate)


def _add_example(commands: Any) -> None:
    example = commands.add_parser("example", help="write the raw data of the synthetic example study")
    example.add_argument("folder", type=Path, help="folder for the data, for example .interim/example/main13")
    example.add_argument("--preset", default="main13", help="main13 (default), tiny10, full18 or free")
    example.add_argument(
        "--seed", type=seed, default=None, help="seed, 0 or more; default: the generator's own"
    )
    example.add_argument("--null", action="store_true", help="no subgroup has an effect")
    example.add_argument(
        "--defects",
        type=_ids,
        default=(),
        metavar="D01,D02,...",
        help="plant seeded defects; all = every one",
    )
    _add_modes(example)
    example.set_defaults(command=_example)


def _add_modes(example: argparse.ArgumentParser) -> None:
    mode = example.add_mutually_exclusive_group()
    mode.add_argument(
        "--as-of",
        metavar="DATE",
        help="the study as it stood on a day; all = a folder for every decision, the cut-off and 30 days later",
    )
    mode.add_argument("--many", type=seed, metavar="K", help="K studies, each in a folder of its own")


def _add_key(commands: Any) -> None:
    key = commands.add_parser("key", help="make the key of the pseudo-ids, once for a study")
    key.add_argument(
        "file", type=Path, nargs="?", help="outside any repository (default: the user's own place)"
    )
    key.set_defaults(command=_key)


def _ids(text: str) -> tuple[str, ...]:
    from interim.example.defects import defects

    return tuple(defects()) if text == "all" else tuple(text.split(","))


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name or name == "study":
        what = "the study is the first argument" if name == "study" else "NAME=VALUE is needed"
        raise argparse.ArgumentTypeError(f"{what}, found {text!r}")
    return name, value


def _new(options: argparse.Namespace) -> int:
    from interim.example.template import write_templates

    for file in write_templates(options.id, options.folder, language=options.language):
        say(f"written: {file}")
    say(f"next: fill the tables, then: interim check {options.folder / 'params' / f'{options.id}.toml'}")
    return OK


def _run(options: argparse.Namespace) -> int:
    from interim.report.plan import Plan
    from interim.report.run import run

    given = dict(options.parameter) | ({"cut_date": options.as_of} if options.as_of else {})
    plan = Plan(options.study, options.notebooks, options.reports, given, options.force, options.cache)
    built = run(plan, say=silent if options.json else say)
    if options.json:
        print(json.dumps(built.as_json()))
        return OK
    say(
        "findings: "
        + ", ".join(f"{built.findings[severity]} {severity}" for severity in ("stop", "warn", "info"))
    )
    for document in built.documents:
        say(f"report: {document}")
    if built.status == "up to date":
        say("up to date; nothing was built (--force builds again)")
    return OK


def _shells(options: argparse.Namespace) -> int:
    from interim.report.shellbook import shell_book
    from interim.report.writers import write_formats
    from interim.study import read_study

    study = read_study(options.study)
    options.out.mkdir(parents=True, exist_ok=True)
    for path in write_formats(shell_book(study), options.out, stem="shells", study=study):
        say(f"wrote {path}")
    return OK


def _check(options: argparse.Namespace) -> int:
    if options.what == "notebooks":
        return _check_notebooks(options)
    from interim.adam import open_adam
    from interim.study import read_study

    study = read_study(options.what, cut_date=options.as_of)
    replay = f"; replay of {study.cut:%Y-%m-%d}" if study.replayed else ""
    say(f"{study.study.id}: parameters are valid ({study.digest()[:12]}){replay}")
    try:
        adam = open_adam(study).adam
    except DataError as error:
        _keep_queries(options.queries, error.findings)
        raise
    _keep_queries(options.queries, adam.findings)
    for finding in adam.findings:
        say(str(finding))
    stops = sum(finding.severity == "stop" for finding in adam.findings)
    say(f"{adam!r}")
    return FAILED if stops else OK


def _keep_queries(file: Path | None, findings: Sequence[Finding]) -> None:
    if file is not None:
        from interim.data.followup import keep_queries

        counts = keep_queries(file, findings)["disposition"].str.lower().value_counts()
        say(
            f"{file}: " + ", ".join(f"{counts.get(kind, 0)} {kind}" for kind in ("open", "accepted", "fixed"))
        )


def _check_notebooks(options: argparse.Namespace) -> int:
    from interim.report.notebook import adhoc_notebooks, check_notebooks, notebooks, strip

    if options.fix:
        for path in (*notebooks(options.notebooks), *adhoc_notebooks(options.notebooks)):
            if strip(path):
                say(f"stripped {path}")
    problems = check_notebooks(options.notebooks)
    for problem in problems:
        say(problem)
    return FAILED if problems else OK


def _trace(options: argparse.Namespace) -> int:
    if bool(options.parameter) == ("/" in options.what):
        print("give a participant and a parameter, or a result id alone", file=sys.stderr)
        return USAGE
    from interim.report.privacy.tracing import trace_private
    from interim.study import read_study

    study = read_study(options.study)
    for line in trace_private(study, options.what, options.parameter, site_ids=options.site_ids):
        say(line)
    return OK


def _validate(options: argparse.Namespace) -> int:
    from interim.report.validate import validate

    report = validate(options.directory, executor=options.workers)
    if options.json:
        print(json.dumps(report.as_json(), indent=1, ensure_ascii=False))
    else:
        for line in report.lines():
            say(line)
    return OK if report.ok else FAILED


def _example(options: argparse.Namespace) -> int:
    from interim.example.modes import Made, write_modes
    from interim.report.privacy.key import write_public_key

    made = Made(**{field.name: getattr(options, field.name) for field in fields(Made)})
    for folder, files in write_modes(options.folder, made):
        write_public_key(folder)
        say(f"{files} files of synthetic data in {folder}")
    return OK


def _key(options: argparse.Namespace) -> int:
    from interim.report.privacy.key import make_key

    for line in make_key(options.file):
        say(line)
    return OK
