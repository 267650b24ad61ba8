"""What a statistician tries first, on the package of the synthetic example study."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from docx import Document as open_docx
from docx.oxml.ns import qn

from interim.adam import build_adam
from interim.data.model import Sdtm
from interim.report.blocks import MIME, opened
from interim.report.chapter import answers
from interim.report.registry import registry
from interim.report.state import read_manifest, read_state, study_of
from tests.browser.chromium import browser
from tests.report.handmade import ROOT

FRACTION = re.compile(r"\d+/\d+")


@pytest.fixture(scope="module")
def package() -> Path:
    """The package of the example study: the one of this checkout if it is up to date, else built now."""
    example = ROOT / ".interim" / "example" / "main13"
    command = [sys.executable, "-m", "interim.cli"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    if not example.is_dir():
        subprocess.run([*command, "example", str(example)], check=True, env=environment, cwd=ROOT)
    run = [*command, "run", "params/example.toml", "--json"]
    for _ in range(600):
        done = subprocess.run(run, env=environment, cwd=ROOT, capture_output=True, text=True)
        if "is being built by" not in done.stdout:
            break
        time.sleep(1)
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["status"] in ("built", "up to date"), answer
    return ROOT / answer["folder"]


class Printed(HTMLParser):
    """Collects the text of every cell and number that names a result."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[tuple[str, ...], str]] = []
        self._open: list[tuple[str, tuple[str, ...], list[str]]] = []

    def handle_starttag(self, tag, attrs):
        keys = tuple((dict(attrs).get("data-key") or "").split())
        if keys:
            self._open.append((tag, keys, []))

    def handle_data(self, data):
        for _, _, texts in self._open:
            texts.append(data)

    def handle_endtag(self, tag):
        if self._open and self._open[-1][0] == tag:
            _, keys, texts = self._open.pop()
            self.found.append((keys, "".join(texts)))


def printed(package: Path, number: str) -> list[tuple[tuple[str, ...], str]]:
    reader = Printed()
    (page,) = (package / "documents").glob(f"{number}_*.en.html")
    reader.feed(page.read_text(encoding="utf-8"))
    return reader.found


@pytest.mark.rule("ACC-01")
def test_a_printed_number_leads_to_its_result_and_the_records_behind_it(package):
    results = pd.read_parquet(package / "data" / "results.parquet").set_index("result_id")
    links = pd.read_parquet(package / "data" / "links.parquet")
    keys = {key for number in ("01", "04", "05") for group, _ in printed(package, number) for key in group}
    assert len(keys) > 5000 and keys <= set(results.index)
    sdtm = read_state(package)
    for name, group in links[links["SRCDOM"].isin(sdtm.domains)].groupby("SRCDOM"):
        frame = sdtm.domain(name)
        sequence = f"{name}SEQ"
        if sequence not in frame:
            continue
        known = set(zip(frame["USUBJID"], frame[sequence].astype(float), strict=True))
        named = group.dropna(subset=["SRCSEQ"])
        numbers = pd.to_numeric(named["SRCSEQ"], errors="coerce")
        wanted = set(zip(named["USUBJID"][numbers.notna()], numbers[numbers.notna()], strict=True))
        assert wanted <= known, (name, sorted(wanted - known)[:3])
    counted = results.loc[sorted(keys)]
    counted = counted[
        (counted["stat"] == "n") & (counted["value"] > 0) & counted.index.str.startswith("safety.")
    ]
    assert len(counted) > 50 and set(counted.index) <= set(links["result_id"])


@pytest.mark.rule("ACC-03")
@pytest.mark.parametrize("number", ["00", "04", "11"])
def test_a_count_in_a_written_document_is_that_of_its_result(package, number):
    results = pd.read_parquet(package / "data" / "results.parquet").set_index("result_id")
    counts = [(keys[0], text) for keys, text in printed(package, number) if len(keys) == 1 and text.isdigit()]
    assert len(counts) >= (10 if number == "04" else 1)
    for key, text in counts:
        row = results.loc[key]
        assert int(text) in {x for x in (row["n"], row["N"], row["value"]) if pd.notna(x)}, (key, text)


@pytest.mark.rule("ACC-03")
@pytest.mark.parametrize("number", ["01", "05", "06"])
def test_a_fraction_in_a_table_is_the_count_of_one_of_its_results(package, number):
    results = pd.read_parquet(package / "data" / "results.parquet").set_index("result_id")
    counted = results[results["n"].notna() & results["N"].notna()]
    known = (counted["n"].astype(int).astype(str) + "/" + counted["N"].astype(int).astype(str)).to_dict()
    checked = 0
    for keys, text in printed(package, number):
        fractions, own = set(FRACTION.findall(text)), {known[key] for key in keys if key in known}
        if fractions and own:
            checked += 1
            assert fractions <= own, (keys, text)
    assert checked > 5


@pytest.mark.rule("ACC-04")
def test_one_changed_grade_moves_numbers_about_adverse_events_and_nothing_else(package):
    manifest = read_manifest(package)
    study, sdtm = study_of(package, manifest), read_state(package)
    events = sdtm.domain("AE").copy()
    grades = pd.to_numeric(events["AETOXGR"])
    row = events.index[(grades == 2) & ~events["AEDECOD"].str.contains("Cytokine|neurotox", case=False)][0]
    events.loc[row, "AETOXGR"] = type(events.loc[row, "AETOXGR"])(1)
    changed = Sdtm(**{**vars(sdtm), "domains": {**sdtm.domains, "AE": events}})
    new = answers(build_adam(changed, study), study, changed).frame().set_index("result_id")
    old = pd.read_parquet(package / "data" / "results.parquet").set_index("result_id")
    both = old.index.intersection(new.index)
    one, other = old.loc[both], new.loc[both]
    differs = pd.Series(False, index=both)
    for column in ("value", "n", "N"):
        numbers = [pd.to_numeric(f[column]).astype(float) for f in (one, other)]
        differs |= (numbers[0] != numbers[1]) & ~(numbers[0].isna() & numbers[1].isna())
    for column in ("text", "status", "reason"):
        differs |= one[column].fillna("").astype(str) != other[column].fillna("").astype(str)
    moved = set(both[differs]) | set(old.index.symmetric_difference(new.index))
    questions = {result_id.partition("/")[0].partition(".")[0] for result_id in moved}
    assert 0 < len(moved) < 400
    assert questions <= {
        "safety",
        "safety_listing",
        "safety_period",
        "special_interest",
        "patient",
        "toxicity",
        "synopsis",
        "data_quality",
    }
    assert any(result_id.startswith("safety.") for result_id in moved)


@pytest.mark.rule("ACC-06")
@pytest.mark.parametrize("number", ["05", "06", "07"])
def test_the_word_file_has_what_an_editor_needs(package, number):
    (path,) = (package / "documents").glob(f"{number}_*.en.docx")
    book = open_docx(str(path))
    body = book.element.body
    assert any(p.style.name == "Heading 1" for p in book.paragraphs)
    instructions = [node.text or "" for node in body.iter(qn("w:instrText"))]
    assert sum("SEQ Table" in text for text in instructions) >= 10
    for table in book.tables:
        assert table._tbl.findall(f".//{qn('w:tblHeader')}"), "a table without a repeated header row"
    assert {section.orientation for section in book.sections} == {0, 1}
    for section in book.sections:
        assert not section.footer.is_linked_to_previous
        fields = "".join(node.text or "" for node in section.footer._element.iter(qn("w:instrText")))
        assert "PAGE" in fields and "NUMPAGES" in fields and "2026-06-30" in section.footer.paragraphs[0].text


@pytest.mark.rule("ACC-08")
def test_empty_dose_and_subgroup_levels_are_printed(package):
    study = study_of(package, read_manifest(package))
    blocks = {}
    for path in sorted((package / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for output in cell.get("outputs", ()):
                block = opened(output.get("data", {}).get(MIME, {}))
                blocks[block.get("id")] = block
    doses = [f"DL{place}" for place, _ in enumerate(study.dose.levels, 1)]
    for tlf in ("T 14.1.1.1", "T 14.2.2.1", "T 14.3.1.1", "T 14.3.2.1"):
        heads = [cell["text"] for row in blocks[tlf]["header"] for cell in row]
        assert all(any(head.startswith(dose) for head in heads) for dose in doses), tlf
    results = pd.read_parquet(package / "data" / "results.parquet")
    levels = results[results["analysis_id"] == "subgroups.levels"]
    empty = levels.loc[(levels["stat"] == "n") & (levels["N"] == 0), "result_id"]
    keys = {
        key
        for tlf, block in blocks.items()
        if tlf and tlf.startswith("T 14.2.4.")
        for row in block["rows"]
        for cell in row["cells"]
        for key in cell["keys"]
    }
    places = {(parts[1], parts[3]) for key in keys if len(parts := key.split("/")) == 5}
    assert len(empty) and {(key.split("/")[1], key.split("/")[3]) for key in empty} <= places


@pytest.mark.rule("ACC-09")
def test_every_item_of_the_checklist_has_a_place(package):
    (page,) = (package / "documents").glob("10_*.en.html")
    text = page.read_text(encoding="utf-8")
    assert text.count("<tr") > 130
    # Changes since the previous cut need a previous cut.
    assert set(re.findall(r"([TFL] [\d.]+) \(unresolved\)", text)) <= {"T 14.6.6"}


@pytest.mark.rule("ACC-11")
def test_a_browser_finds_nothing_wrong_with_any_page_and_asks_for_nothing_else(package, tmp_path):
    wrong = {}
    pages = sorted((package / "documents").glob("*.html"))
    for number, page in enumerate(pages):
        with browser(tmp_path / str(number)) as tab:
            tab.open(page, width=1200)
            requests = [address for address in tab.requests if not address.startswith("data:")]
            found = (tab.violations(), requests, tab.value("document.documentElement.scrollWidth"))
        if found != ([], [page.as_uri()], 1200):
            wrong[page.name] = found
    assert len(pages) > 12 and wrong == {}


def test_every_object_of_the_registry_stands_in_a_notebook(package):
    shown = "".join(path.read_text(encoding="utf-8") for path in (package / "notebooks").glob("*.ipynb"))
    assert [t.id for t in registry() if t.kind != "story" and f'"{t.id}' not in shown] == []
