"""Derivations that are kept from build to build: a change derives what reads it again, and nothing else; the answer is the same."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace

import pandas as pd
import pytest

from interim.adam import build_adam
from interim.adam.model import Adam
from interim.data.model import Sdtm
from interim.recall import called
from interim.report.cache import Cache
from interim.report.memo import Derivations, Memo
from interim.report.traced import digest

READ_OF_AE = {"derive_adae", "derive_adtte"}
DEATH = {"derive_death", "derive_lstalvdt"}
MADE_FROM_ADAE = {"derive_adtox", "derive_addlt", "_syndromes"}
MADE_FROM_ADSL = {"derive_adtte", "derive_adsub", "derive_adcy"}


@pytest.fixture(scope="module")
def first(tmp_path_factory, mini_sdtm, mini_study):
    """A first build: the folder with what it kept, and its datasets."""
    folder = tmp_path_factory.mktemp("first")
    recall = Derivations(Cache(folder), mini_sdtm, mini_study)
    return folder, build_adam(mini_sdtm, mini_study, recall=recall)


@pytest.fixture
def derived(first, tmp_path, monkeypatch):
    """Return a function that derives with what the first build kept, and the names of the derivations that ran."""
    folder = shutil.copytree(first[0], tmp_path / "kept")
    ran: Counter[str] = Counter()
    store = Memo.store
    monkeypatch.setattr(
        Memo, "store", lambda memo, key, *rest: ran.update([key[2]]) or store(memo, key, *rest)
    )

    def run(sdtm: Sdtm, study, **options) -> tuple[Adam, set[str]]:
        ran.clear()
        options = {"say": pytest.fail, **options}
        adam = build_adam(sdtm, study, recall=Derivations(Cache(folder, **options), sdtm, study))
        return adam, set(ran)

    return run


def contents(adam: Adam) -> list[object]:
    """Everything in the datasets: names, order, types, values, index and attributes; findings and rules in their order."""
    frames = {name: digest(frame) for name, frame in adam.datasets.items()}
    return [list(frames.items()), adam.cut, adam.findings, dict(adam.missing), adam.rules]


def changed(sdtm: Sdtm, domain: str, row: int, **values) -> Sdtm:
    frame = sdtm.domain(domain).copy()
    for column, value in values.items():
        frame.loc[row, column] = value
    return replace(sdtm, domains={**sdtm.domains, domain: frame})


@pytest.mark.rule("CACHE-12")
def test_what_is_kept_is_what_is_derived(mini_sdtm, mini_study, first, derived):
    plain = build_adam(mini_sdtm, mini_study)
    again, none = derived(mini_sdtm, mini_study)
    assert none == set()
    assert contents(plain) == contents(first[1]) == contents(again)
    for name, frame in plain.datasets.items():
        pd.testing.assert_frame_equal(again[name], frame, check_index_type="exact", check_column_type="exact")


@pytest.mark.rule("CACHE-12")
@pytest.mark.parametrize(
    ("domain", "row", "values", "expected"),
    [
        ("AE", 0, {"AETOXGR": "1"}, READ_OF_AE - {"derive_adtte"} | MADE_FROM_ADAE),
        ("AE", 2, {"AETOXGR": "2"}, {*READ_OF_AE, "derive_addlt"} - {"derive_adtte"}),
        ("AE", 0, {"AESPID": "9"}, READ_OF_AE | DEATH),  # a new column
        ("MI", 0, {"MISTRESN": 130.0}, {"_baseline", "flag_sets", "derive_adbm"} | MADE_FROM_ADSL),
        ("DS", 0, {"DSSPID": "9"}, {"derive_core", "derive_adtte"} | DEATH),
    ],
)
def test_a_changed_record_derives_again_what_reads_it(
    mini_sdtm, mini_study, derived, domain, row, values, expected
):
    other = changed(mini_sdtm, domain, row, **values)
    adam, ran = derived(other, mini_study)
    assert ran == expected
    assert contents(adam) == contents(build_adam(other, mini_study))
    assert derived(mini_sdtm, mini_study)[1] == set()


@pytest.mark.rule("CACHE-12")
def test_a_changed_parameter_derives_again_what_reads_it(mini_sdtm, mini_study, first, derived):
    dose = mini_study.dose.model_copy(update={"window_days": mini_study.dose.window_days + 7})
    other = mini_study.model_copy(update={"dose": dose})
    adam, ran = derived(mini_sdtm, other)
    assert {"dlt_windows", "derive_adae", "derive_addlt"} <= ran
    assert not ran & {"derive_adex", "derive_death", "derive_adpc"}
    assert contents(adam) == contents(build_adam(mini_sdtm, other)) != contents(first[1])
    dpi = mini_study.model_copy(update={"figure": mini_study.figure.model_copy(update={"dpi": 150})})
    assert derived(mini_sdtm, dpi)[1] == set()


@pytest.mark.rule("CACHE-12")
def test_a_damaged_entry_is_derived_again(mini_sdtm, mini_study, first, derived, tmp_path):
    damaged = [path for path in tmp_path.glob("kept/??/*") if b"AETOXGR" in path.read_bytes()]
    for path in damaged:
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    said: list[str] = []
    again, ran = derived(mini_sdtm, mini_study, say=said.append)
    assert ran == {"derive_adae"}
    assert [str(path) in line for path, line in zip(damaged, said, strict=True)] == [True]
    assert contents(again) == contents(first[1])
    assert derived(mini_sdtm, mini_study)[1] == set()


@pytest.mark.rule("CACHE-12")
@pytest.mark.parametrize("options", [{"fresh": True}, {"base": "other programs"}])
def test_a_build_that_may_use_nothing_and_other_programs_derive_everything(
    mini_sdtm, mini_study, derived, options
):
    ran = derived(mini_sdtm, mini_study, **options)[1]
    assert {
        "derive_adex",
        "derive_adlb",
        "derive_response",
        "_baseline",
        *DEATH,
        *READ_OF_AE,
        *MADE_FROM_ADAE,
    } <= ran


@pytest.mark.rule("CACHE-12")
def test_arguments_are_told_apart_by_their_names_and_order(tmp_path, mini_sdtm, mini_study):
    recall = Derivations(Cache(tmp_path), mini_sdtm, mini_study)
    given = {"one": 1.0, "other": 2.0}
    assert recall(dict, given) == recall(dict, **given) == called(dict, **given)
    assert recall(dict, one=2.0, other=1.0) == {"one": 2.0, "other": 1.0}
    assert recall(dict, other=1.0, one=2.0) == {"other": 1.0, "one": 2.0}
    assert recall(partial_name, mini_study, mini_sdtm) == (mini_study.study.id, ("AE", "CM"))


def partial_name(study, sdtm):
    """Gets the sources in another order than most."""
    return study.study.id, tuple(sorted(sdtm.domains))[:2]


@pytest.mark.rule("CACHE-12")
def test_an_error_is_raised_and_not_kept(tmp_path, mini_sdtm, mini_study):
    recall = Derivations(Cache(tmp_path), mini_sdtm, mini_study)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            recall(divmod, 1, 0)
    assert not list(tmp_path.glob("??/*"))
