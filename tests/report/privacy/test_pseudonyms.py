"""Pseudo-ids in source data, findings, changes, answers and parameters."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace

import pandas as pd
import pytest

from interim import cli
from interim.adam import Opened
from interim.data.followup import answers, followed, queries_frame
from interim.data.model import LedgerLine, Sdtm
from interim.errors import Finding, ReportError
from interim.report.privacy.key import Key
from interim.report.privacy.pseudonyms import Pseudonyms, disguise, disguise_study, distinctive, participants
from interim.study import read_study
from tests.analysis.tumour_study import build
from tests.report import handmade

NAMES = Pseudonyms(Key(bytes(range(32))), "TRIAL")
ONE, TWO = "TRIAL-01-001", "TRIAL-01-002"
P1, P2 = NAMES.of(ONE), NAMES.of(TWO)


def sdtm(**more):
    dm = pd.DataFrame(
        {
            "STUDYID": "TRIAL",
            "USUBJID": [ONE, TWO],
            "SUBJID": ["01-001", "01-002"],
            "INVNAM": ["Dr Wang", None],
            "BRTHDTC": ["1960-01-01", "1961"],
            "AGE": [65.0, 64.0],
            "SRCFILE": "dm.csv",
            "SRCROW": [2, 3],
        },
        dtype=object,
    )
    ae = pd.DataFrame(
        {
            "USUBJID": [TWO, ONE, ONE],
            "AETERM": ["fever as in 01-001", f"see {TWO}, {ONE}.", "fall in room 101-0010"],
            "AESTDTC": ["2026-01-01", "2026-01-02", None],
        },
        dtype=object,
    )
    ex = pd.DataFrame({"USUBJID": [ONE], "EXLOT": ["T-2025-7"], "EXSEQ": [1.0]})
    be = pd.DataFrame(
        {"USUBJID": [ONE], "BEREFID": ["T-2025-7"], "BETERM": ["T-2025-7 released"]}, dtype=object
    )
    return Sdtm({"DM": dm, "AE": ae, "EX": ex, "BE": be}, datetime(2026, 6, 30), **more)


@pytest.mark.rule("PRV-01")
def test_a_pseudo_id_is_short_stable_and_of_one_study():
    assert len(P1) == 8
    assert P1.startswith("P-")
    assert Pseudonyms(Key(bytes(range(32))), "TRIAL").of(ONE) == P1
    assert Pseudonyms(Key(bytes(range(32))), "OTHER").of(ONE) != P1
    assert Pseudonyms(Key(bytes(32)), "TRIAL").of(ONE) != P1
    later = NAMES.table([ONE, TWO, "TRIAL-01-009"])
    assert {ONE: P1, TWO: P2}.items() <= later.items()


@pytest.mark.rule("PRV-01")
def test_ten_thousand_participants_of_a_trial_are_told_apart_or_refused():
    names = NAMES.table(f"TRIAL-{n:04d}" for n in range(1500))
    assert len(set(names.values())) == 1500

    class Same(Key):
        def token(self, kind, text):
            return "000000"

    with pytest.raises(ReportError, match="TRIAL-01-002 and TRIAL-01-001 have the same pseudo-id"):
        Pseudonyms(Same(b""), "TRIAL").table([ONE, TWO, ONE])


@pytest.mark.rule("PRV-03")
def test_ids_are_replaced_in_columns_and_texts_and_nothing_else_changes():
    before = sdtm()
    found = disguise(before, NAMES)
    dm, ae = found.domain("DM"), found.domain("AE")
    assert dm["USUBJID"].tolist() == dm["SUBJID"].tolist() == [P1, P2]
    assert dm["AGE"].tolist() == [65.0, 64.0]
    assert dm["INVNAM"].tolist() == dm["BRTHDTC"].tolist() == [None, None]
    assert ae["USUBJID"].tolist() == [P2, P1, P1]
    assert ae["AETERM"].tolist() == [f"fever as in {P1}", f"see {P2}, {P1}.", "fall in room 101-0010"]
    assert ae["AESTDTC"].tolist() == ["2026-01-01", "2026-01-02", None]
    lot = NAMES.product("T-2025-7")
    assert found.domain("EX")["EXLOT"].tolist() == found.domain("BE")["BEREFID"].tolist() == [lot]
    assert found.domain("BE")["BETERM"].tolist() == [f"{lot} released"]
    assert before.domain("DM")["USUBJID"].tolist() == [ONE, TWO], "the data themselves are left as they are"
    for name, frame in found.domains.items():
        assert list(frame.columns) == list(before.domains[name].columns)


@pytest.mark.rule("PRV-03")
@pytest.mark.parametrize(
    ("text", "told"), [("01-001", True), ("A1234", True), ("1015", False), ("123456", False), ("S1", False), ("PATIENT", False)]
)  # fmt: skip
def test_an_id_that_could_be_a_number_or_a_word(text, told):
    assert distinctive(text) is told


@pytest.mark.rule("PRV-03")
def test_a_plain_number_is_an_id_in_a_column_of_ids_only():
    frame = pd.DataFrame(
        {"USUBJID": ["7", "12"], "SUBJID": ["7", "12"], "LBORRES": ["7", "12"]}, dtype=object
    )
    found = disguise(Sdtm({"DM": frame}, datetime(2026, 1, 1)), NAMES).domain("DM")
    assert found["USUBJID"].tolist() == found["SUBJID"].tolist() == [NAMES.of("7"), NAMES.of("12")]
    assert found["LBORRES"].tolist() == ["7", "12"]


@pytest.mark.rule("PRV-03")
def test_a_date_that_looks_like_an_id_stays_a_date():
    dm = pd.DataFrame(
        {"USUBJID": ["X-01-01"], "SUBJID": ["01-01"], "DMTEXT": ["since 2025-01-01, 01-01 agreed"]},
        dtype=object,
    )
    found = disguise(Sdtm({"DM": dm}, datetime(2026, 1, 1)), NAMES).domain("DM")
    assert found["DMTEXT"].tolist() == [f"since 2025-01-01, {NAMES.of('X-01-01')} agreed"]


@pytest.mark.rule("PRV-03")
def test_findings_and_changes_follow():
    finding = Finding(
        "AE-X", "warn", "AE", f"{ONE} differs", subject=ONE, key=(ONE, "3"), value="01-002", row=4
    )
    line = LedgerLine("CUT", "AE", TWO, f"{TWO}/1", "AETERM", ONE, "")
    found = disguise(sdtm(findings=(finding,), ledger=(line,)), NAMES)
    assert found.findings == (
        Finding("AE-X", "warn", "AE", f"{P1} differs", subject=P1, key=(P1, "3"), value=P2, row=4),
    )
    assert found.ledger == (LedgerLine("CUT", "AE", P2, f"{P2}/1", "AETERM", P1, ""),)


@pytest.mark.rule("PRV-03")
def test_an_answered_finding_stays_answered():
    known = Finding("AE-X", "warn", "AE", "", subject=ONE, key=("3", "b"), variable="AETOXGR", value="4")
    derived = Finding("RS-DERIV", "warn", "RS", "", subject=TWO)
    frame = queries_frame([known, derived], {}).assign(
        disposition="ACCEPTED", reason="seen", name="A", date="2026-05-01"
    )
    gone = {**frame.iloc[0].to_dict(), "id": "0123456789ab"}
    queries = pd.concat([frame, pd.DataFrame([gone])], ignore_index=True)
    source = sdtm(findings=(known,))
    found = disguise(Sdtm({**source.domains, "QUERIES": queries}, source.cut, findings=(known,)), NAMES)
    later = Finding("RS-DERIV", "warn", "RS", "", subject=P2)
    assert [f.status for f in followed([*found.findings, later], answers(found))] == ["accepted", "accepted"]
    assert found.domain("QUERIES")["subject"].tolist() == [P1, P2, P1]
    assert found.domain("QUERIES")["id"].tolist()[2] == "0123456789ab", "an id that nobody knows is left"
    bare = Sdtm({"DM": sdtm().domain("DM"), "QUERIES": pd.DataFrame({"subject": [ONE]})}, source.cut)
    assert disguise(bare, NAMES).domain("QUERIES")["subject"].tolist() == [P1]


@pytest.mark.rule("PRV-03")
@pytest.mark.rule("PATCH-03")
def test_patches_name_nobody():
    from interim.adam.model import Adam
    from interim.analysis.source_quality import patches

    row = {"domain": "AE", "subject": ONE, "key": "1", "variable": "AESER", "old": "N", "new": "Y"}
    frame = pd.DataFrame(
        [{**row, "reason": f"as {ONE} said", "name": "A", "date": "2026-05-01"}], dtype=object
    )
    source = sdtm()
    found = disguise(Sdtm({**source.domains, "PATCHES": frame}, source.cut), NAMES)
    listed = patches(Adam({}, source.cut), None, found).frame
    texts = " ".join(text for text in listed["text"] if isinstance(text, str))
    assert P1 in texts
    assert ONE not in texts
    short = {**row, "subject": "X1"}  # an id that could be a word is still replaced in its own column
    dm = source.domain("DM").assign(USUBJID=["X1", *source.domain("DM")["USUBJID"].iloc[1:]])
    plain = disguise(Sdtm({"DM": dm, "PATCHES": pd.DataFrame([short], dtype=object)}, source.cut), NAMES)
    assert plain.domain("PATCHES")["subject"].tolist() == [NAMES.of("X1")]


@pytest.mark.rule("PRV-03")
def test_parameters_that_name_participants_follow(tmp_path):
    file = handmade.write_study(tmp_path / "params")
    plain = read_study(file)
    assert disguise_study(plain, NAMES) is plain
    extra = f'[[kinetics.lambda_z_manual]]\nsubject = "{ONE}"\nparameter = "CARTC"\npoints = [1, 2, 3]\nreason = "r"\n'
    file.write_text(file.read_text() + extra)
    named = disguise_study(read_study(file), NAMES)
    assert [entry.subject for entry in named.kinetics.lambda_z_manual] == [P1]
    assert ONE not in str(named.resolved())


@pytest.mark.rule("PRV-03")
def test_an_id_that_dm_does_not_know_gets_a_pseudo_id_of_its_own():
    stranger, noted, asked = "TRIAL-01-901", "TRIAL-01-902", "X7"
    orphan = Finding(
        "XD-ORPHAN", "stop", "AE", f"{stranger} is not in DM", subject=stranger, key=("Fever", stranger), value=stranger
    )  # fmt: skip
    line = LedgerLine("CUT", "AE", noted, f"{noted}/1", "AETERM", f"see {stranger}", "")
    queries = pd.DataFrame({"subject": [stranger, asked], "key": ["", ""]}, dtype=object)
    source = sdtm(findings=(orphan,), ledger=(line,))
    assert stranger not in set(source.domain("AE")["USUBJID"]), "the cut-off keeps no record of nobody"
    whole = Sdtm(
        {**source.domains, "QUERIES": queries}, source.cut, findings=source.findings, ledger=source.ledger
    )
    assert participants(whole) == {ONE, TWO, stranger, noted, asked}
    found = disguise(whole, NAMES)
    pseudo = NAMES.of(stranger)
    assert len({pseudo, P1, P2, NAMES.of(noted), NAMES.of(asked)}) == 5
    assert found.findings == (
        Finding(
            "XD-ORPHAN", "stop", "AE", f"{pseudo} is not in DM", subject=pseudo, key=("Fever", pseudo), value=pseudo
        ),
    )  # fmt: skip
    assert found.ledger[0].before == f"see {pseudo}"
    assert found.ledger[0].subject == NAMES.of(noted)
    assert found.domain("QUERIES")["subject"].tolist() == [pseudo, NAMES.of(asked)]


def test_every_domain_names_participants():
    orphan = pd.DataFrame({"USUBJID": ["TRIAL-99", None, float("nan")]}, dtype=object)
    assert participants(Sdtm({**sdtm().domains, "ZZ": orphan}, datetime(2026, 1, 1))) == {
        ONE,
        TWO,
        "TRIAL-99",
    }


@pytest.fixture
def opened(monkeypatch):
    """A study of S1 to S4 whose datasets are derived from what the command makes of the source data."""
    data = build()
    renamed = {}

    def derived(study, change, keep):
        sdtm = change(data.sdtm)
        names = dict(zip(data.sdtm.domain("TR")["USUBJID"], sdtm.domain("TR")["USUBJID"], strict=True))
        renamed.update(names)
        frames = {
            name: frame.assign(USUBJID=frame["USUBJID"].map(names))
            for name, frame in data.adam.datasets.items()
        }
        return Opened(sdtm, type(data.adam)(frames, data.adam.cut, (), {}, ()))

    monkeypatch.setattr("interim.study.read_study", lambda file: data.study)
    monkeypatch.setattr("interim.adam.open_adam", derived)
    return SimpleNamespace(names=renamed)


@pytest.mark.rule("PRV-04")
def test_a_trace_prints_pseudo_ids_and_the_site_only_on_request(opened, capsys):
    assert cli.main(["trace", "S1", "CBOR"]) == 0
    plain = capsys.readouterr().out.splitlines()
    pseudo = opened.names["S1"]
    assert plain[0].startswith(f"CBOR of {pseudo}")
    assert not any("S1" in line for line in plain)
    assert cli.main(["trace", pseudo, "CBOR"]) == 0
    assert capsys.readouterr().out.splitlines() == plain
    assert cli.main(["trace", pseudo[-4:], "CBOR", "--site-ids"]) == 0
    assert capsys.readouterr().out.splitlines() == [*plain, f"{pseudo} is S1 at the site"]
