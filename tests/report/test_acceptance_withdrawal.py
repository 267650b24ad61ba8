"""A participant of the example study withdraws their data: nothing of them is left, and the difference can be reviewed."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from pypdf import PdfReader

from interim.report.compare import Comparison, compare
from interim.report.pack import _chosen, zipped
from interim.report.privacy.opening import pseudonyms
from interim.study import read_study
from tests.report.handmade import ROOT

SITE_ID, SHORT_ID = "SYN-NKG2D-01-01-008", "01-008"
NOTEBOOKS = ("01_conduct.ipynb", "10_participants_one_by_one.ipynb")
SYMBOL = r"(?<![0-9A-Za-z-])"


@dataclass(frozen=True)
class Both:
    """The package before and after the withdrawal, and the ZIP file of the latter."""

    home: Path
    old: Path
    new: Path
    packed: Path
    pseudo: str
    lines: list[str]


def command(home: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    run = [sys.executable, "-m", "interim.cli", *arguments]
    done = subprocess.run(run, env=environment, cwd=home, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> Both:
    home = tmp_path_factory.mktemp("withdrawal")
    example = ROOT / ".interim" / "example" / "main13"
    if not example.is_dir():
        command(ROOT, "example", str(example))
    shutil.copytree(ROOT / "params", home / "params")
    (home / ".interim" / "example").mkdir(parents=True)
    shutil.copytree(example, home / ".interim" / "example" / "main13")
    shutil.copy(example.with_name("main13.key"), home / ".interim" / "example")
    (home / "books").mkdir()
    for name in NOTEBOOKS:
        shutil.copy(ROOT / "notebooks" / name, home / "books")
    study = home / "params" / "example.toml"
    study.write_text(re.sub(r"(?m)^formats = .*$", "", study.read_text(encoding="utf-8")), encoding="utf-8")
    run = ["run", "params/example.toml", "--notebooks", "books", "--cache", "cache"]
    command(home, *run, "--reports", "old")
    (home / "params" / "withdrawn").mkdir()
    (home / "params" / "withdrawn" / "SYN-NKG2D-01.txt").write_text(f"{SITE_ID}\n", encoding="utf-8")
    said = command(home, *run, "--reports", "new")
    place = Path("SYN-NKG2D-01") / "2026-06-30"
    new = home / "new" / place
    (home / "new.zip").write_bytes(
        zipped({name: (new / name).read_bytes() for name in _chosen(new, "restricted")})
    )
    pseudo = pseudonyms(read_study(study)).of(SITE_ID)
    return Both(home, home / "old" / place, home / "new" / place, home / "new.zip", pseudo, said.splitlines())


def contents(path: Path) -> Iterator[tuple[str, str]]:
    """Yield name and text of a file, and of what is inside it."""
    yield path.name, path.read_bytes().decode("utf-8", "replace")
    if path.suffix == ".parquet":
        yield f"{path.name} as table", pd.read_parquet(path).to_csv()
    elif path.suffix in (".docx", ".zip"):
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
            for name in archive.namelist():
                yield f"{path.name}: {name}", archive.read(name).decode("utf-8", "replace")
    elif path.suffix == ".pdf":
        reader = PdfReader(path)
        yield (
            f"{path.name} as text",
            "\n".join(page.extract_text() for page in reader.pages) + str(reader.metadata),
        )


def traces(folder: Path, *words: str) -> list[tuple[str, str]]:
    patterns = [(word, re.compile(SYMBOL + re.escape(word) + r"(?![0-9A-Za-z])")) for word in words]
    return [
        (name, word)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for name, text in contents(path)
        for word, pattern in patterns
        if pattern.search(text)
    ]


@pytest.mark.rule("ACC-10")
def test_the_search_finds_the_participant_before(both):
    found = {name for name, _ in traces(both.old, both.pseudo)}
    assert {"results.json", "dm.parquet as table", "10_participants_one_by_one.ipynb"} <= found
    assert any(name.startswith("07_") and name.endswith(".pdf as text") for name in found)
    assert any(".docx: word/document.xml" in name for name in found)


@pytest.mark.rule("ACC-10", source="every file of the new package, decoded")
def test_no_byte_of_the_participant_is_left(both):
    lots = (
        pd.read_parquet(both.old / "state" / "ex.parquet").query("USUBJID == @both.pseudo")["EXLOT"].dropna()
    )
    assert len(lots) > 0
    assert traces(both.new, both.pseudo, SITE_ID, SHORT_ID, *lots.unique()) == []


@pytest.mark.rule("ACC-10")
def test_no_source_record_of_the_participant_is_left(both):
    for path in sorted((both.old / "state").glob("*.parquet")):
        old = pd.read_parquet(path)
        if "USUBJID" not in old or path.stem == "counts":
            continue
        new = pd.read_parquet(both.new / "state" / path.name)
        gone = old[old["USUBJID"] == both.pseudo]
        kept = set(zip(new["SRCFILE"], new["SRCROW"], strict=True))
        assert not kept & set(zip(gone["SRCFILE"], gone["SRCROW"], strict=True)), path.name
        assert len(new) == len(old) - len(gone), path.name


@pytest.mark.rule("ACC-10")
def test_neither_the_archive_nor_the_cache_keeps_anything(both, tmp_path):
    with zipfile.ZipFile(both.packed) as archive:
        archive.extractall(tmp_path)
    assert len(list(tmp_path.rglob("*"))) > 100
    assert traces(tmp_path, both.pseudo, SITE_ID, SHORT_ID) == []
    assert traces(both.home / "cache", both.pseudo, SITE_ID) == []
    assert any("removing cache" in line for line in both.lines)


@pytest.fixture(scope="module")
def change(both) -> Comparison:
    return compare(both.old, both.new)


@pytest.mark.rule("ACC-10")
def test_the_difference_is_a_correction_by_withdrawal(both, change):
    assert change.withdrawn == (both.pseudo,)
    assert len(change.changes) > 500
    assert {(one.cause, one.reason, one.later) for one in change.changes} == {
        ("correction", "withdrawal", ())
    }
    assert all(corrected == added == 0 and deleted > 0 for _, corrected, deleted, added in change.records)
    treated = next(c for c in change.changes if c.result_id == "safety.teae_summary/total/population/-/n")
    assert (treated.old, treated.new) == ("15 (n=15, N=15)", "14 (n=14, N=14)")


@pytest.mark.rule("ACC-10")
def test_everybody_else_is_as_before(both):
    old, new = (pd.read_parquet(folder / "data" / "adsl.parquet") for folder in (both.old, both.new))
    rest = old[old["USUBJID"] != both.pseudo].reset_index(drop=True)
    assert len(new) == len(old) - 1
    pd.testing.assert_frame_equal(new[list(rest)], rest)


@pytest.mark.rule("ACC-10")
def test_the_same_list_again_is_up_to_date(both):
    said = command(
        both.home,
        "run",
        "params/example.toml",
        "--notebooks",
        "books",
        "--cache",
        "cache",
        "--reports",
        "new",
    )
    assert "up to date" in said
    with (both.new / "data" / "results.csv").open(encoding="utf-8") as stream:
        assert next(csv.reader(stream))[0] == "analysis_id"
