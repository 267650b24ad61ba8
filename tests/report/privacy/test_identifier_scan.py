"""The identifier scan: one identifier of every pattern on every surface is found, and a report that holds one is not published."""

from __future__ import annotations

import json
import time
import zipfile
from collections import Counter
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from interim.data.model import Sdtm
from interim.display.figure import drawn
from interim.errors import ReportError
from interim.report import build, publish, run
from interim.report.cache import Cache
from interim.report.hashes import sha256
from interim.report.plan import Plan
from interim.report.privacy import identifiers
from interim.report.privacy import scan as module
from interim.report.privacy.identifiers import (
    Matcher,
    is_resident_id,
    iso_date,
    masked,
    patterns,
    read_patterns,
)
from interim.report.privacy.known import Known, known_values, this_computer, trie
from interim.report.privacy.scan import Scan, kind_of, labels_in, scan_of, stated_dates, statement
from interim.report.privacy.surfaces import UnscannableError, pieces
from interim.study import read_study
from tests.report import handmade
from tests.report.privacy.planted import KNOWN, LABEL, NOT_ASKED, PLANTED, SURFACES, names, scan

SOUGHT = {pattern.name for pattern in patterns() if not pattern.rule}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return read_study(handmade.write_study(tmp_path_factory.mktemp("scan") / "params"))


def texts(matcher: Matcher, text: str) -> list[str]:
    return [matcher.patterns[hit.pattern].name for hit in matcher.hits(text)]


@pytest.mark.rule("PRV-42")
def test_every_pattern_has_something_that_is_planted():
    assert set(PLANTED) == SOUGHT


@pytest.mark.rule("PRV-42")
@pytest.mark.parametrize("name", sorted(PLANTED))
def test_what_is_planted_is_found_by_its_pattern_in_the_middle_of_a_text(name):
    found = list(scan().matcher.hits(f"a line before\nwords, {PLANTED[name]}, more words\nand one after"))
    assert name in {patterns()[hit.pattern].name for hit in found}
    assert all("\n" not in hit.value for hit in found)


@pytest.mark.rule("PRV-45")
@pytest.mark.parametrize("surface", sorted(SURFACES))
def test_an_identifier_is_found_on_every_surface(surface, tmp_path):
    name, make, planted = SURFACES[surface]
    of = scan()
    found = names(of.file(name, make(planted, tmp_path)), of)
    wanted = set(planted) - NOT_ASKED[kind_of(name)]
    assert wanted - found == set(), surface
    clean = scan()
    silent = make(
        {"a": "Nobody can be told from 3/18 (16.7%) of P-ABC123, 1.5e7 cells/kg, day 28."}, tmp_path
    )
    assert names(clean.file(name, silent), clean) <= {"hidden rows"}, surface


@pytest.mark.rule("PRV-48")
def test_a_text_that_is_drawn_as_paths_is_found_in_the_drawing(study):
    svg, _ = drawn(lambda sheet: sheet.text(0.5, 0.5, "P-ABC123 = 01-007"), size_mm=(60, 30), study=study)
    assert "<text" not in svg
    of = scan()
    (one,) = of.file("documents/f.svg", svg.encode())
    assert (one.place, one.shown) == ("comment", "0*-***")


@pytest.mark.rule("PRV-42")
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("联系人13800138000转告", "mobile phone (zh)"),
        ("联系人８６１３８００１３８０００转告", "mobile phone (zh)"),
        ("证件11010519491231002X号", "resident id (zh)"),
        ("ID No.11010519491231002X", "resident id (zh)"),
        ("call no.13800138000 or no. 12", "mobile phone (zh)"),
        ("证件编号.１１０１０５１９４９１２３１００２Ｘ", "resident id (zh)"),
    ],
)
def test_a_number_directly_between_words_is_found(text, name):
    of = scan()
    assert name in texts(of.matcher, text)
    assert names(of.file("documents/a.csv", f"a\n{text}\nb\n".encode()), of) == {name}


NO_IDENTIFIER = [
    "Data cut-off 2026-06-30, revision 0.1.0",
    "behind a decimal point: 0.13800138000, -1.13800138000e-5, or .13800138000",
    "13700000000 cells were given",
    "hash a13800138000f and 9f11010519491231002X0",
    "11010519491231002 and 110105194912310021",
    "T 14.2.2.1, F 14.2.3.1, NCT07021534, ICH E6(R3), 1.2.3",
    "Participant P-ABC123, lot B-ABC123, lot no. B-ABC123",
    "subject to review, patients 12 of 18, no. 3",
    "GB 11643-1999, 2020-21, 1234-56-78, version 2026.06.30",
    "home/someone, a/tmp/b, https://example.org/home/x",
    "batch effects; scans at day 28; imaging of the liver",
    "root mean square, localised, hospital number of beds",
    "Region 01-0071 or 101-007 or 01-007-1",
]


@pytest.mark.rule("PRV-42")
@pytest.mark.parametrize("text", NO_IDENTIFIER)
def test_what_is_no_identifier_is_let_pass(text):
    assert texts(scan().matcher, text) == []


@pytest.mark.rule("PRV-43")
@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-06-30", "2026-06-30"), ("2026/6/30", "2026-06-30"), ("30 June 2026", "2026-06-30"),
        ("30JUN2026", "2026-06-30"), ("June 30, 2026", "2026-06-30"), ("2026年6月30日", "2026-06-30"),
        ("2026 年 6 月 30 日", "2026-06-30"), ("２０２６－０６－３０", "2026-06-30"),
    ],
)  # fmt: skip
def test_a_date_is_one_however_it_is_written(text, iso):
    assert [name.split()[0] for name in texts(Matcher(), text)] == ["date"]
    assert texts(Matcher(dates=frozenset({iso})), text) == []
    assert iso_date(text.translate(str.maketrans("０１２３４５６７８９－", "0123456789-"))) == iso


@pytest.mark.rule("PRV-43")
def test_a_date_within_a_key_is_one():
    assert texts(Matcher(), "P-T25ATJ/IECHS/2025-12-25") == ["date (en)"]
    assert texts(Matcher(dates=frozenset({"2025-12-25"})), "P-T25ATJ/IECHS/2025-12-25") == []


@pytest.mark.rule("PRV-43")
def test_the_dates_of_the_study_may_be_printed(study):
    assert {"2026-06-30"} <= stated_dates(study)
    of = scan_of(study.file.parent, study, known=None, dates=["2025-12-31T23:59:59", ""])
    assert {"2025-12-31", "2026-05-01"} <= of.matcher.dates, (
        "earlier cut-off; Decree 818 of the register of guidelines"
    )


@pytest.mark.rule("PRV-43", source="four in the morning at UTC+8 is the day before in UTC")
def test_the_day_of_the_extract_in_utc_may_be_printed(study):
    data = study.data.model_copy(update={"extract_time": datetime.fromisoformat("2026-07-02T04:00:00+08:00")})
    early = study.model_copy(update={"data": data})
    assert {"2026-07-01", "2026-07-02"} <= stated_dates(early)
    assert "2026-07-01" not in stated_dates(study)


@pytest.mark.rule("PRV-43")
def test_the_dates_of_recorded_decisions_may_be_printed(study, tmp_path):
    frame = pd.DataFrame({"date": ["2025-09-27", None], "kind": ["dose", "stop"]}, dtype=object)
    sdtm = Sdtm({"DECISIONS": frame}, datetime(2026, 6, 30))
    given = SimpleNamespace(study=study, sdtm=sdtm, known=None)
    assert "2025-09-27" in build._scan(tmp_path / "2026-06-30", given, Cache(None)).matcher.dates
    given.sdtm = Sdtm({}, datetime(2026, 6, 30))
    assert "2025-09-27" not in build._scan(tmp_path / "2026-06-30", given, Cache(None)).matcher.dates


@pytest.mark.rule("PRV-43")
def test_dates_are_not_asked_of_restricted_data_files():
    of = scan()
    assert of.file("data/x.csv", b"2025-03-14") == ()
    assert names(of.file("documents/x.csv", b"2025-03-14"), of) == {"date (en)"}, (
        "a line that was seen is asked again"
    )


@pytest.mark.rule("PRV-42", source="GB 11643-1999, the numbers of its appendix")
@pytest.mark.parametrize(("text", "valid"), [("11010519491231002X", True), ("440524188001010014", True), ("440524188001010015", False), ("11010519491231002x", True)])  # fmt: skip
def test_the_checksum_of_an_identity_number(text, valid):
    assert is_resident_id(text) is valid
    assert texts(Matcher(), text) == (["resident id (zh)"] if valid else [])


@pytest.mark.rule("PRV-41")
def test_what_is_known_from_the_source_data():
    dm = pd.DataFrame(
        {
            "USUBJID": ["T-01-007", "T-01-008"], "SUBJID": ["1015", "20000017"],
            "INVNAM": ["Wang Xiaoming", "王小明"], "INVID": ["WXM", None],
        }
    )  # fmt: skip
    ex = pd.DataFrame({"USUBJID": ["T-01-007"], "EXLOT": ["NK-LOT-77"]})
    supp = pd.DataFrame(
        {
            "USUBJID": ["T-01-007"] * 3,
            "QNAM": ["INITIALS", "HOSPNO", "TUMTYPE"],
            "QVAL": ["LL", "H0012345", "GASTRIC-2"],
        }
    )
    found = known_values(Sdtm({"DM": dm, "EX": ex, "SUPPDM": supp}, datetime(2026, 6, 30)))
    assert found == Known(
        participant=frozenset({"T-01-007", "T-01-008", "20000017"}),
        product=frozenset({"NK-LOT-77"}),
        person=frozenset({"Wang Xiaoming", "王小明", "H0012345"}),
        short=frozenset({"1015", "WXM", "LL"}),
    )
    assert found.without({"T-01-007"}).participant == {"T-01-008", "20000017"}
    assert "NK-LOT" not in repr(found), "values never come into a message by accident"


@pytest.mark.rule("PRV-41")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("01-007", ["participant"]), ("x01-007", []), ("01-0071", []), ("2025-01-007", []), ("(01-007)", ["participant"]),
        ("由王小明签署", ["person"]), ("1015 events", []), ("patient 1015", ["short id"]), ("受试者1015", ["short id"]),
        ("WXM", []), ("initials WXM", ["short id"]),
    ],
)  # fmt: skip
def test_known_values_are_whole_words(text, found):
    assert texts(Matcher(KNOWN), text) == found


@pytest.mark.rule("PRV-41")
def test_a_trie_finds_exactly_its_words():
    import re

    words = ["01-001", "01-002", "01-0021", "NK-1", "N", "a.b", "a"]
    regex = re.compile(trie(words))
    assert all(regex.fullmatch(word) for word in words)
    assert not any(regex.fullmatch(word) for word in ("01-00", "01-003", "NK", "aXb", "", "a.", "01-0022"))
    assert re.search(trie([]), "anything") is None


@pytest.mark.rule("PRV-44")
def test_the_names_of_this_computer_are_sought_but_not_words_that_tell_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr("socket.gethostname", lambda: "ward-pc-17.hospital.example")
    monkeypatch.setattr("getpass.getuser", lambda: "runner")
    found = this_computer(["runner"], [tmp_path / "trial"])
    assert {"ward-pc-17", "ward-pc-17.hospital.example", str(tmp_path / "trial")} <= found
    assert "runner" not in found
    monkeypatch.setattr("getpass.getuser", lambda: "lihua")
    assert "lihua" in this_computer(["runner"])


@pytest.mark.rule("PRV-40")
def test_a_value_is_shown_masked_once_with_its_places_and_the_way_out(tmp_path):
    folder = tmp_path / "documents"
    folder.mkdir()
    for n in range(5):
        (folder / f"{n}.csv").write_text(f"x\ncall 13800138000\nmail {n % 2}@b.org\n", encoding="utf-8")
    with pytest.raises(ReportError) as error:
        scan(tmp_path).refuse()
    text = str(error.value)
    assert text.startswith(
        "3 finding(s) of the identifier scan; nothing is published, the last report is unchanged:"
    )
    (line,) = [line for line in text.splitlines() if "mobile phone" in line]
    assert (
        "'1**********' in documents/0.csv (line 2), documents/1.csv (line 2), documents/2.csv (line 2) and 2 further places"
        in line
    )
    assert line.endswith("remove the number where it was written")
    assert "13800138000" not in text and "@b.org" not in text
    assert masked("王小明") == "王**"


@pytest.mark.rule("PRV-40")
def test_a_warning_stops_nothing(tmp_path, monkeypatch):
    rows = [{**row, "severity": "warn"} for row in identifiers.scan_settings()["pattern"]]
    (tmp_path / "manifest.json").write_text("13800138000", encoding="utf-8")
    of = Scan(tmp_path, Matcher(patterns=read_patterns(rows)))
    assert len([one for ones in of().values() for one in ones]) == 1
    of.refuse()


@pytest.mark.rule("PRV-46")
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("documents/a.html", b'<p id="x">1</p><script>var rows=[[1,2]]</script>'),
        ("documents/a.html", b'<img src="data:application/json;base64,e30=">'),
        ("notebooks/a.ipynb", json.dumps({"metadata": {}, "cells": [{"outputs": [{"data": {"application/vnd.plotly.v1+json": {}}}]}]}).encode()),
        ("documents/a.rtf", rb"{\rtf1{\object\objdata 00}}"),
    ],
)  # fmt: skip
def test_what_can_hide_rows_is_found_also_without_an_identifier(name, data):
    of = scan()
    assert names(of.file(name, data), of) == {"hidden rows"}
    assert of.file(name.replace("documents/", "data/").replace("notebooks/", "data/"), data) == (), (
        "not asked of data"
    )


@pytest.mark.rule("PRV-46")
@pytest.mark.parametrize("surface", ["DOCX embedded sheet", "DOCX chart cache", "PDF attachment"])
def test_embedded_parts_are_named(surface, tmp_path):
    name, make, _ = SURFACES[surface]
    of = scan()
    assert "hidden rows" in names(of.file(name, make({"a": "nothing"}, tmp_path)), of)


@pytest.mark.rule("PRV-47")
@pytest.mark.parametrize("surface", ["HTML text", "DOCX of the writer", "PDF text", "RTF"])
def test_a_synthetic_document_carries_its_label(surface, tmp_path, study):
    name, make, _ = SURFACES[surface]
    data = make({"a": "nothing"}, tmp_path)
    assert scan(labels=(LABEL,)).file(name, data) == ()
    other = scan(labels=("PUBLIC DATA OF OTHERS",))
    assert names(other.file(name, data), other) == {"synthetic label"}
    assert labels_in(study) == (LABEL, "合成数据——非患者数据")
    assert scan(labels=(LABEL,)).file("data/x.csv", b"1") == ()


@pytest.mark.rule("PRV-45")
@pytest.mark.parametrize("name", ["documents/a.xyz", "documents/a.pdf", "documents/a.docx", "data/a.parquet", "adam/a.xpt", "notebooks/a.ipynb", "documents/a.png", "documents/a.rtf", "documents/a.html"])  # fmt: skip
def test_a_file_that_cannot_be_read_is_a_finding(name):
    of = scan()
    (one,) = of.file(name, b"\xff\xfe\x00 nothing of the kind")
    assert of.matcher.patterns[one.pattern].name == "unread"
    with pytest.raises(UnscannableError):
        list(pieces(name, b"\xff\xfe\x00 nothing of the kind"))


@pytest.mark.rule("PRV-45")
def test_an_encrypted_or_packed_pdf_is_not_taken_for_read():
    for mark in (b"/Encrypt 5 0 R", b"1 0 obj<</Type/ObjStm>>"):
        with pytest.raises(UnscannableError):
            list(pieces("a.pdf", b"%PDF-1.7\n" + mark))


@pytest.mark.rule("PRV-45")
def test_the_text_of_a_pdf_is_read_as_an_independent_reader_reads_it(tmp_path):
    from interim.report.pdf import write_pdf
    from tests.report.pdf_reading import open_pdf
    from tests.report.privacy.planted import document

    write_pdf(document(["Brackets ( ) [ ] and \\ backslash", "中文 text – dash"]), tmp_path / "a.pdf")
    data = (tmp_path / "a.pdf").read_bytes()
    own = "".join(
        "".join(piece.text for piece in pieces("a.pdf", data) if piece.place.startswith("page")).split()
    )
    other = "".join("".join(page.extract_text() for page in open_pdf(data).pages).split())
    assert not Counter(other) - Counter(own), "every letter, some twice where a line ends at a hyphen"
    assert "Brackets()[]and\\backslash" in own and "中文text–dash" in own


@pytest.mark.rule("PRV-40")
def test_what_was_scanned_is_scanned_again_only_if_bytes_or_what_is_sought_have_changed(
    tmp_path, monkeypatch
):
    reads = []
    monkeypatch.setattr("interim.report.privacy.scan.quick", lambda name, *_: reads.append(name) or iter(()))
    cache = Cache(tmp_path / "cache")
    scan(cache=cache).file("data/a.csv", b"1")
    scan(cache=cache).file("data/a.csv", b"1")
    assert reads == ["data/a.csv"]
    scan(cache=cache).file("data/a.csv", b"2")
    Scan(tmp_path, Matcher(Known(frozenset({"X-1-2"}))), cache=cache).file("data/a.csv", b"1")
    assert len(reads) == 3


@pytest.mark.rule("PRV-40")
def test_several_processes_find_what_one_finds(tmp_path):
    (tmp_path / "documents").mkdir()
    for n, text in enumerate(PLANTED.values()):
        (tmp_path / "documents" / f"{n}.csv").write_text(text, encoding="utf-8")
    assert scan(tmp_path, workers=2)() == scan(tmp_path)()


@pytest.mark.rule("PRV-52")
@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_searched_beside_the_writing_is_searched_again_if_it_changes(tmp_path, workers, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("nothing", encoding="utf-8")
    of, reads = scan(tmp_path, workers=workers), []
    with of.ahead("auto"):
        (tmp_path / "c.csv").write_text("13800138000", encoding="utf-8")
        (tmp_path / "b.csv").write_text("a@b.org", encoding="utf-8")
        monkeypatch.setattr(of, "workers", 1)
        monkeypatch.setattr(
            of, "_read", lambda name, *rest: reads.append(name) or Scan._read(of, name, *rest)
        )
        found = of()
    assert {name: names(ones, of) for name, ones in found.items()} == {
        "a.csv": set(), "b.csv": {"e-mail"}, "c.csv": {"mobile phone (zh)"}
    }  # fmt: skip
    assert found == of() == scan(tmp_path)()
    assert "c.csv" in reads and "a.csv" not in reads


@pytest.mark.rule("PRV-52")
@pytest.mark.rule("WORK-05")
@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_done_before_the_search_has_been_done_and_searched_when_the_block_ends(
    tmp_path, workers, monkeypatch
):
    of, late = scan(tmp_path, workers=workers), tmp_path / "a.csv"
    with of.ahead("auto", first=lambda: time.sleep(0.2) or late.write_text("13800138000", encoding="utf-8")):
        pass
    monkeypatch.setattr(of, "_read", lambda name, *rest: pytest.fail(f"{name} is read again"))
    assert late.exists() and names(of()["a.csv"], of) == {"mobile phone (zh)"}
    with (
        pytest.raises(FileNotFoundError, match="nowhere"),
        of.ahead("auto", first=lambda: Path("nowhere").unlink()),
    ):
        pass


@pytest.mark.rule("PRV-40", source="decision 318")
def test_a_file_whose_hash_is_known_is_not_hashed_again_and_its_finds_stay(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("13800138000", encoding="utf-8")
    (tmp_path / "b.csv").write_text("nothing", encoding="utf-8")
    of, hashed = scan(tmp_path), []
    of()
    monkeypatch.setattr(module, "sha256", lambda path: hashed.append(path.name) or sha256(path))
    with pytest.raises(ReportError, match="mobile phone"):
        of.refuse({"a.csv": sha256(tmp_path / "a.csv")})
    assert hashed == ["b.csv"]


@pytest.mark.rule("PRV-52")
def test_a_find_beside_the_writing_refuses_the_report(tmp_path):
    (tmp_path / "a.csv").write_text("13800138000", encoding="utf-8")
    of = scan(tmp_path, workers=2)
    with of.ahead("auto"):
        pass
    with pytest.raises(ReportError, match="mobile phone"):
        of.refuse()
    with of.ahead("auto"), pytest.raises(ReportError, match="mobile phone"):
        of.refuse()


@pytest.mark.rule("PRV-42")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"regex": "("}, "is no regular expression"),
        ({"regex": "(a)"}, "has a group"),
        ({"known": "person"}, "needs one of regex, known, rule"),
        ({"where": ["letter"]}, "where must be of"),
        ({"check": "luhn"}, "unknown checksum"),
        ({"allow": [{"regex": "a", "reason": " "}]}, "and a reason"),
        ({"colour": "red"}, "missing or unknown: colour"),
    ],
)
def test_a_wrong_pattern_is_refused(change, message):
    row = {
        "id": "x",
        "language": "en",
        "severity": "stop",
        "regex": "a",
        "where": ["data"],
        "what": "w",
        "way_out": "o",
    }
    assert read_patterns([row])[0].name == "x (en)"
    with pytest.raises(ReportError, match=message):
        read_patterns([{**row, **change}])
    with pytest.raises(ReportError, match="stands twice"):
        read_patterns([row, row])


@pytest.mark.rule("PRV-49")
def test_document_13_prints_every_pattern_with_its_files_and_no_finding(tmp_path):
    for name in ("documents/a.csv", "notebooks/b.json", "data/c.csv", "data/d.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1", encoding="utf-8")
    words, table = statement(SimpleNamespace(scan=scan(tmp_path), outputs={}))
    rows = [[cell.text for cell in row.cells] for row in table.rows]
    assert [row[0] for row in rows] == [pattern.name for pattern in patterns()]
    assert {tuple(row[2:]) for row in rows} == {
        ("1", "1", "2", "0"),
        ("1", "1", "not asked", "0"),
        ("1", "not asked", "not asked", "0"),
    }
    assert (
        any("restricted" in note for note in table.footnotes)
        and "before it is published" in words.spans[0].text
    )
    (tmp_path / "data" / "d.csv").write_text("13800138000", encoding="utf-8")
    *_, table = statement(SimpleNamespace(scan=scan(tmp_path), outputs={}))
    assert sorted(row.cells[-1].text for row in table.rows)[-1] == "1"
    (none,) = statement(SimpleNamespace(scan=None))
    assert "No search for identifiers" in none.spans[0].text


@pytest.mark.rule("PRV-40")
def test_a_report_with_an_identifier_is_not_published(tmp_path, monkeypatch, hand_run):
    """The published report of the hand-made study passes; the same with one planted telephone number leaves the old one."""
    study = read_study(hand_run.study)
    of = scan_of(hand_run.folder, study, known=Known(frozenset({"HAND-01-001-X"})))
    of.refuse()
    target = tmp_path / "2026-06-30"
    target.mkdir()
    (target / "old.txt").write_text("old", encoding="utf-8")
    with pytest.raises(ReportError, match="mobile phone"), publish.building(target) as folder:
        for path in hand_run.folder.rglob("*.html"):
            (folder / "documents").mkdir(exist_ok=True)
            (folder / "documents" / path.name).write_bytes(path.read_bytes())
        page = folder / "documents" / path.name
        page.write_text(
            page.read_text(encoding="utf-8").replace("</main>", "<p>138 0013 8000</p></main>"),
            encoding="utf-8",
        )
        scan_of(folder, study, known=None).refuse()
    assert [path.name for path in target.iterdir()] == ["old.txt"]


@pytest.mark.rule("PRV-40")
def test_the_run_stops_before_it_publishes(tmp_path, monkeypatch):
    seen = []
    file = handmade.write_study(tmp_path / "params")

    class Inputs(SimpleNamespace):
        store, adam, sdtm = {}, "Adam", Sdtm({}, datetime(2026, 6, 30))

    study = read_study(file)
    inputs = Inputs(study=study, known=Known(frozenset({"01-007-S"})))
    monkeypatch.setattr(build, "check_complete", lambda: ())
    monkeypatch.setattr(run, "notebooks", lambda folder: [])
    monkeypatch.setattr(run, "check_parameters", lambda *_, **__: None)
    monkeypatch.setattr(build, "open_inputs", lambda *_: inputs)
    monkeypatch.setattr(build, "preload", lambda *_: None)
    monkeypatch.setattr("interim.report.export.write_data", lambda folder, _, **__: None)
    monkeypatch.setattr("interim.report.state.save_state", lambda folder, _, **__: None)
    monkeypatch.setattr(
        build,
        "write_manifest",
        lambda folder, *_, **__: (
            seen.append("manifest") or _write(folder / "manifest.json", '{"outputs": {}}')
        ),
    )

    def documents(folder, paper):
        assert paper.scan.folder == folder
        _write(folder / "documents" / "a.html", f"<p>{LABEL}</p><p>seen by 01-007-S</p>")

    monkeypatch.setattr(build, "_write_documents", documents)
    plan = Plan(file, tmp_path / "books", tmp_path / "reports", cache=tmp_path / "cache")
    with pytest.raises(ReportError, match=r"participant '0\*-\*\*\*-\*' in documents/a.html"):
        run.run(plan, say=lambda line: None)
    assert seen == ["manifest"], "the manifest is scanned too"
    assert not (tmp_path / "reports" / "HAND" / "2026-06-30").exists()


def _write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.rule("PRV-45")
def test_a_packed_report_is_read_like_its_files(hand_run, tmp_path):
    from interim.report.pack import zipped

    files = {
        path.relative_to(hand_run.folder).as_posix(): path.read_bytes()
        for path in hand_run.folder.rglob("*.docx")
    }
    target = tmp_path / "a.zip"
    target.write_bytes(zipped(files))
    assert zipfile.is_zipfile(target)
    of = scan()
    assert not {"unread", "participant"} & names(of.file("documents/a.zip", target.read_bytes()), of)
