"""Runs the command line on the hand-made study of tests/analysis instead of files: ``python handmade.py run ...``."""

from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

STUDY = """extends = "{base}"
[study]
id = "HAND"
label = "SYNTHETIC - NOT PATIENT DATA"
seed = 5
[data]
path = "data"
cut_date = 2026-06-30
cut_description = "written by hand"
[report]
languages = ["en"]
formats = {formats}
"""


def write_study(folder: Path, formats: str = '["html"]') -> Path:
    """Write study file and a data folder; the data are not read, only hashed."""
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "dm.csv").write_text("USUBJID\n", encoding="utf-8")
    file = folder / "hand.toml"
    base = os.path.relpath(ROOT / "params" / "nct07021534.toml", folder)
    file.write_text(STUDY.format(base=base, formats=formats), encoding="utf-8")
    return file


def hand():
    """Return the module with the hand-made datasets."""
    spec = importlib.util.spec_from_file_location(
        "hand_made_adam", ROOT / "tests" / "analysis" / "conftest.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def open_inputs(study, cache=None):
    """Return the inputs of a run, made from the hand-made datasets."""
    import pandas as pd

    from interim.data.model import Sdtm, Source
    from interim.report.chapter import answered
    from interim.report.hashes import sha256

    made = hand()
    adam = replace(made.build(study), findings=tuple(f for f in made.FINDINGS if f.severity != "stop"))
    dm = pd.DataFrame(
        {"USUBJID": [made.uid(n) for n in range(1, 22)], "SRCFILE": "dm.csv", "SRCROW": range(1, 22)}
    )
    source = Source("dm.csv", "DM", "csv", sha256(study.file.parent / "data" / "dm.csv"), 21)
    rules = (
        ("AE-GRADE", "warn", "run"),
        ("TU-WINDOW", "warn", "run"),
        ("LB-UNIT", "stop", "not run: LB not delivered"),
    )
    sdtm = Sdtm({"DM": dm}, datetime(2026, 6, 30, 23, 59, 59), (source,), adam.findings, rules=rules)
    return answered(study, sdtm, adam, cache=cache)


def main(argv: list[str]) -> int:
    """Run the command line with the hand-made inputs."""
    from interim.cli import main as cli
    from interim.report import chapter

    # Before the build takes it, which is loaded if there is something to build.
    chapter.open_inputs = open_inputs
    if os.environ.get("HAND_WITHOUT_DOCUMENTS"):
        from interim.report import build

        build._write_documents = lambda folder, *_, **__: (folder / "documents").mkdir()
    return cli(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
