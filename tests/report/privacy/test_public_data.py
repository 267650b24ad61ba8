"""The data of the public copy: pooled ages and types, and figures without attributes."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.display import figure_spider, figure_swimmer, figure_waterfall
from interim.report.privacy.public_data import with_pooled, without_attributes
from interim.result import TOTAL, Rows


def pooled(types, ages=None, *, limit=3, treated="Y"):
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Adam:
        datasets: dict

        def __getitem__(self, name):
            return self.datasets[name]

    frame = pd.DataFrame({"USUBJID": range(len(types)), "TUMTYPE": types, "SAFNKFL": treated})
    frame["AGE"] = ages if ages is not None else 60.0
    return with_pooled(Adam({"ADSL": frame}), limit=limit)["ADSL"]


@pytest.mark.rule("PRV-18", source="by hand")
@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ("C" * 9, "C" * 9),
        ("C" * 5 + "G" * 3, "C" * 5 + "G" * 3),
        ("C" * 9 + "GG" + "EE", "C" * 9 + "OOOO"),
        ("C" * 9 + "G" + "E" * 3, "C" * 9 + "OOOO"),  # one alone is no group: the next smallest joins
        ("C" * 9 + "GGG" + "E" + "F", "C" * 9 + "OOO" + "OO"),
        ("C" * 9 + "GG" + "O", "C" * 9 + "OOO"),
        ("C" * 9 + "O" * 3, "C" * 9 + "O" * 3),
        ("C" * 9 + "O", "O" * 10),
    ],
)
def test_rare_types_are_one_group_of_at_least_the_limit(types, expected):
    names = {"C": "CRC", "G": "GASTRIC", "E": "OESOPHAGEAL", "F": "FURTHER", "O": "OTHER"}
    found = pooled([names[one] for one in types])["TUMTYPE"].tolist()
    assert found == [names[one] for one in expected]
    counts = pd.Series(found).value_counts()
    assert counts.min() >= 3


@pytest.mark.rule("PRV-18")
def test_only_treated_participants_make_a_type_common():
    found = pooled(["CRC"] * 4 + ["GASTRIC"] * 3, treated=["Y"] * 5 + ["N"] * 2)["TUMTYPE"].tolist()
    assert set(found[4:]) == {"OTHER"}


@pytest.mark.rule("PRV-18")
def test_high_ages_are_one_value():
    ages = pooled(["CRC"] * 5, [74.0, 75.0, 76.0, 91.0, None])["AGE"].tolist()
    assert ages[:4] == [74.0, 75.0, 75.0, 75.0]
    assert pd.isna(ages[4])


def people(*, name="response.best_change", variable="best_change", stat="pchg"):
    rows = Rows(name, "X")
    rows.add("N", 3, variable="population", n=3, N=3)
    values = {"P-AAAAAA": ("DL1", 12.0), "P-BBBBBB": ("DL2", -40.0), "P-CCCCCC": ("DL1", 3.0)}
    for subject, (group, value) in values.items():
        for text in ("bor", "tumour", "ligand", "new_lesion"):
            rows.add(text, None, text="PR", group=group, variable=variable, level=subject, subjects=[subject])
        rows.add(stat, value, group=group, variable=variable, level=subject, subjects=[subject])
        rows.add("day1", 5, group=group, variable="response PR", level=subject)
    return rows.build()


@pytest.mark.rule("PRV-19")
def test_a_participant_has_a_number_and_nothing_else():
    found = without_attributes(people(), ["best_change"])
    frame = found.frame
    assert set(frame["group"]) == {TOTAL}
    assert set(frame["variable"]) == {"population", "best_change"}
    values = frame[frame["stat"] == "pchg"].set_index("level")["value"].to_dict()
    assert values == {"1": -40.0, "2": 3.0, "3": 12.0}
    assert set(frame["text"].dropna()) == {"-"}
    assert found.links.empty
    assert not frame["result_id"].str.contains("p-").any()
    assert frame["result_id"].is_unique


@pytest.mark.rule("PRV-19")
def test_the_number_depends_on_the_figure_and_not_on_the_participant():
    one = without_attributes(people(), ["best_change"]).frame
    frame = people().frame
    names = dict(zip(["P-AAAAAA", "P-BBBBBB", "P-CCCCCC"], ["P-ZZZZZZ", "P-YYYYYY", "P-XXXXXX"], strict=True))
    other = people()
    from dataclasses import replace

    renamed = replace(
        other, frame=frame.assign(level=frame["level"].replace(names)).iloc[::-1].reset_index(drop=True)
    )
    again = without_attributes(renamed, ["best_change"]).frame
    columns = ["level", "stat", "value"]
    pick = [f[f["stat"] == "pchg"][columns].reset_index(drop=True) for f in (one, again)]
    pd.testing.assert_frame_equal(*pick)


@pytest.mark.rule("PRV-19")
@pytest.mark.parametrize(
    ("analysis", "keep", "draw"),
    [
        ("response.best_change", ["best_change"], figure_waterfall),
        ("depth.spider", ["sum"], figure_spider),
        ("response.swimmer", ["course"], figure_swimmer),
    ],
)
def test_the_figures_draw_without_pseudo_id_dose_type_and_response(hand_inputs, analysis, keep, draw):
    store, study = hand_inputs.store, hand_inputs.study
    whole = draw(store[analysis], study)
    open_ = draw(without_attributes(store[analysis], keep), study)
    subjects = {str(level) for level in store[analysis].frame["level"] if str(level)}
    ends = {subject.rpartition("-")[2] for subject in subjects if "-" in subject}
    doses = [f">{name}" for name in study.cohorts()] + [f"{name} " for name in study.cohorts()]
    texts = text_of(open_.svg)
    assert any(end in text_of(whole.svg) for end in ends) or any(s in text_of(whole.svg) for s in subjects)
    assert not any(subject in texts for subject in subjects)
    assert not any(dose in texts for dose in doses)
    for word in ("Colorectal", "Gastric", "Partial response", "Progressive disease", "Death"):
        assert word not in texts


def text_of(svg: str) -> str:
    """The words of a drawing: its text elements or, where letters are drawn as paths, the comments that name them."""
    import re

    return " ".join(
        [*re.findall(r"<text[^>]*>(.*?)</text>", svg, re.S), *re.findall(r"<!--(.*?)-->", svg, re.S)]
    )


@pytest.mark.rule("PRV-18")
def test_uniqueness_is_measured_before_values_are_pooled(hand_inputs, monkeypatch):
    from interim.report.privacy import public_data as module
    from interim.report.privacy.opening import Private

    private = Private(hand_inputs.study, hand_inputs.sdtm, hand_inputs.adam)
    monkeypatch.setattr(module, "open_private", lambda study, cache: private)
    monkeypatch.setattr(module, "answered", lambda study, sdtm, adam, cache: hand_inputs)
    public = module.open_public(hand_inputs.study)
    name = "uniqueness.by_copy"
    pd.testing.assert_frame_equal(public.store[name].frame, hand_inputs.store[name].frame)
    figures = [public.store[analysis].frame for analysis in ("response.swimmer", "depth.spider")]
    assert all(set(frame["group"]) == {TOTAL} for frame in figures)
