"""Commands about finished reports: verify, pack, compare."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from interim.cli.talk import FAILED, OK, say


def add_verify(commands: Any) -> None:
    """Add the command that verifies a report.

    Parameters
    ----------
    commands : argparse subparsers
        Of the command line.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    verify = commands.add_parser(
        "verify", help="check that a report is whole, unchanged and computed from its data"
    )
    verify.add_argument(
        "folder", type=Path, help="folder of a report, for example reports/STUDY/2026-06-30, or its ZIP file"
    )
    verify.add_argument("--quick", action="store_true", help="compare hashes only; compute nothing again")
    verify.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    verify.set_defaults(command=_verify)


def add_pack(commands: Any) -> None:
    """Add the command that writes a report as one file.

    Parameters
    ----------
    commands : argparse subparsers
        Of the command line.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    packed = commands.add_parser("pack", help="write a report as one ZIP file")
    packed.add_argument("folder", type=Path, help="folder of a report, for example reports/STUDY/2026-06-30")
    packed.add_argument("out", type=Path, help="the ZIP file")
    packed.add_argument(
        "--copy",
        choices=("confidential", "restricted"),
        default="confidential",
        help="confidential: documents without records of single participants (default); restricted: everything",
    )
    packed.set_defaults(command=_pack)


def add_compare(commands: Any) -> None:
    """Add the command that compares two reports.

    Parameters
    ----------
    commands : argparse subparsers
        Of the command line.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    compare = commands.add_parser(
        "compare", help="list every number that differs between two runs, with its cause"
    )
    compare.add_argument(
        "old", type=Path, help="folder of the older report, for example reports/STUDY/2026-03-31"
    )
    compare.add_argument("new", type=Path, help="folder of the newer report")
    compare.add_argument("--out", type=Path, help="folder for changes.csv and the document with T 14.6.6")
    compare.set_defaults(command=_compare)


def _verify(options: argparse.Namespace) -> int:
    from interim.report.pack import unpacked
    from interim.report.verify import Check, verify

    with unpacked(options.folder) as folder:
        if folder is None:
            whole = "every byte of the file is as it was written; it holds documents only, so nothing can be computed again"
            checks: tuple[Check, ...] = (Check("files", "ok", whole),)
        else:
            checks = verify(folder, recompute=not options.quick)
    wrong = sum(check.status == "wrong" for check in checks)
    if options.json:
        print(
            json.dumps({"status": "wrong" if wrong else "ok", "checks": [asdict(check) for check in checks]})
        )
    else:
        for check in checks:
            say(str(check))
        say(
            f"{wrong} of {len(checks)} checks found something wrong"
            if wrong
            else f"verified: {len(checks)} checks"
        )
    return FAILED if wrong else OK


def _pack(options: argparse.Namespace) -> int:
    from interim.report.pack import pack

    names = pack(options.folder, options.out, copy=options.copy)
    say(f"{options.out}: {len(names)} files, {options.copy} copy")
    return OK


def _compare(options: argparse.Namespace) -> int:
    from interim.report.changes import lines, write_changes
    from interim.report.compare import compare
    from interim.report.state import read_manifest, study_of

    found = compare(options.old, options.new)
    for line in lines(found):
        say(line)
    if options.out is not None:
        study = study_of(options.new, read_manifest(options.new))
        write_changes(found, options.out, study=study)
        say(f"report: {options.out}")
    return FAILED if found.unexplained else OK
