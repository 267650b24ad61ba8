"""The public copy of the example study against its confidential package: what differs is documented, nothing small is left."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from interim.analysis.copies import copies
from interim.result import slug
from tests.report.handmade import ROOT
from tests.report.test_acceptance import Printed, package  # noqa: F401

RULES = copies()["public"]
PSEUDO = re.compile(r"(?<![\w-])[PB]-[0-9A-HJKMNP-TV-Z]{6}(?!\w)", re.IGNORECASE)


def full(key: str) -> str:
    return "/".join(slug(part) or "-" for part in key.split("/"))


# Printed because the same number is the head of a column: PRV-23.
SAME = {full(one["result"]): full(one["printed"]) for one in RULES["same"]}


@pytest.fixture(scope="module")
def public() -> Path:
    """The public copy of this checkout: up to date, or built now."""
    run = [sys.executable, "-m", "interim.cli", "run", "params/example.toml", "-p", "copy=public", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(run, env=environment, cwd=ROOT, capture_output=True, text=True)
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["status"] in ("built", "up to date"), answer
    return ROOT / answer["folder"]


def pages(folder: Path) -> dict[str, str]:
    return {
        path.name: path.read_text(encoding="utf-8") for path in sorted((folder / "documents").glob("*.html"))
    }


def printed(page: str) -> list[tuple[tuple[str, ...], str]]:
    reader = Printed()
    reader.feed(page)
    return reader.found


@pytest.mark.rule("ACC-07")
def test_the_copy_has_a_place_of_its_own_and_documents_only(public):
    assert public.parts[-2:] == ("public", "2026-06-30")
    assert {path.name for path in public.iterdir()} == {
        "documents",
        "data",
        "manifest.json",
        "manifest.sha256",
    }
    assert [path.name for path in (public / "data").iterdir()] == ["printed_counts.json"]
    numbers = {path.name.partition("_")[0] for path in (public / "documents").iterdir()}
    assert numbers == set(RULES["documents"])


@pytest.mark.rule("ACC-07")
def test_nobody_is_named_in_any_file(public):
    for path in sorted(public.rglob("*")):
        if not path.is_file() or path.suffix == ".pdf":
            continue
        parts = {path.name: path.read_bytes()}
        if path.suffix == ".docx":
            with zipfile.ZipFile(path) as archive:
                parts = {
                    name: archive.read(name)
                    for name in archive.namelist()
                    if name.endswith((".xml", ".rels"))
                }
        for name, data in parts.items():
            text = re.sub(r"base64,[A-Za-z0-9+/=]+", "", data.decode("utf-8", "replace"))
            assert PSEUDO.findall(text) == [], (path.name, name)


@pytest.mark.rule("ACC-07")
def test_no_small_count_is_printed_beside_a_result(public, package):  # noqa: F811
    results = pd.read_parquet(package / "data" / "results.parquet").set_index("result_id")
    analyses = {
        key.split("/", 1)[0]
        for name, page in pages(public).items()
        for keys, _ in printed(page)
        for key in keys
    }
    assert not {name for name in analyses if name.startswith(("subgroups", "patient", "safety_listing"))}
    checked = 0
    for name, page in pages(public).items():
        for keys, text in printed(page):
            rows = [results.loc[SAME.get(key, key)] for key in keys if key in results.index]
            rows = [row for row in rows if row["analysis_id"] not in RULES["said"]]
            rows = [
                row
                for row in rows
                if (row["variable"], row["level"]) != (RULES["pooled_variable"], RULES["pooled"])
            ]
            for row in rows:
                pairs = [(row["n"], row["N"])] if pd.notna(row["N"]) else []
                for n, whole in pairs:
                    checked += 1
                    assert int(n) not in (1, 2), (name, keys, text)
                    assert int(whole) - int(n) not in (1, 2), (name, keys, text)
    assert checked > 300


@pytest.mark.rule("ACC-07")
def test_a_number_that_is_printed_is_that_of_the_confidential_package(public, package):  # noqa: F811
    pooled = ("baseline.demography", "baseline.disease", "uniqueness.by_copy", "parameters.stated")
    whole: dict[tuple[str, ...], set[str]] = {}
    for page in pages(package).values():
        for keys, text in printed(page):
            plain = tuple(key for key in keys if not key.rpartition("/")[2].startswith("events"))
            whole.setdefault(plain or keys, set()).add(re.sub(r"\s*\[\d+\]$", "", text))
    same, marked = 0, 0
    for page in pages(public).values():
        for keys, text in printed(page):
            if keys[0].startswith(pooled) or keys not in whole:
                continue
            same += 1
            assert text in whole[keys], keys
        marked += page.count("&lt;3") + page.count(">–<")
    assert same > 200
    assert marked > 100


@pytest.mark.rule("ACC-07")
def test_every_object_that_is_missing_is_named(public, package):  # noqa: F811
    for name, page in pages(public).items():
        if name not in pages(package) or not name.startswith(("05", "06")):
            continue
        shown = [set(re.findall(r'id="([tf]-14[\w.]+)"', text)) for text in (page, pages(package)[name])]
        text = html.unescape(re.sub(r"<[^>]+>", " ", page))
        named = " ".join(re.findall(r"Withheld from the public copy: ([^\n]*?)\.\s", text))
        for anchor in shown[1] - shown[0]:
            number = anchor.partition("-")[2]
            assert number in named.replace(" ", "") or number in text, (name, anchor)
        assert shown[0] <= shown[1]


@pytest.mark.rule("ACC-07")
def test_the_statement_names_each_transformation_with_its_objects(public):
    (page,) = (page for name, page in pages(public).items() if name.startswith("13"))
    text = html.unescape(re.sub(r"<[^>]+>", " ", page))
    for one in copies()["transformation"]:
        assert one["id"] in text
    for tlf in (*RULES["masked"], *RULES["shown"], *(one["tlf"] for one in RULES["anonymous"])):
        assert tlf in text, tlf


@pytest.mark.rule("ACC-07")
def test_the_second_run_is_up_to_date(public):
    run = [sys.executable, "-m", "interim.cli", "run", "params/example.toml", "-p", "copy=public", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(run, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert json.loads(done.stdout.splitlines()[-1])["status"] == "up to date"
