"""Sub-sums of the liver and of other sites: the rules of the whole sum on a part of its lesions."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.adam.response.regional import CRITERIA
from interim.adam.response.subsums import regions


def sums(frame, parameter, column="AVAL", subject="S1"):
    rows = frame[(frame["PARAMCD"] == parameter) & (frame["USUBJID"] == subject)]
    return [None if pd.isna(v) else v for v in rows.sort_values("ADT")[column]]


@pytest.fixture(scope="module")
def data(make, derive):
    tu, tr = make.tumour(
        (-7, 42, 84, 126),
        {
            "T01": ("LIVER", [60, 30, 28, 40]),
            "T02": ("LIVER LEFT LOBE", [40, 30, 28, 40]),
            "T03": ("LUNG", [50, 50, 61, 61]),
        },
    )
    return derive(tu, tr)


@pytest.mark.rule("RECIST-18")
def test_sums_baseline_nadir_and_change(data):
    assert sums(data.adtr, "SDIAM") == [150, 110, 117, 141]
    assert sums(data.adtr, "LSDIAM") == [100, 60, 56, 80]
    assert sums(data.adtr, "ESDIAM") == [50, 50, 61, 61]
    assert sums(data.adtr, "LSDIAM", "NADIR") == [None, 100, 60, 56]
    assert sums(data.adtr, "LSDIAM", "PCHG") == [None, -40, -44, -20]
    assert sums(data.adtr, "ESDIAM", "PCHGNAD") == [None, 0, 22, 22]
    assert sums(data.adtr, "ESDIAM", "ABLFL") == ["Y", None, None, None]
    assert sums(data.adtr, "LSDIAM", "SRCSEQ")[1] == "2;6"


@pytest.mark.rule("RECIST-18")
def test_responses_by_region_follow_the_rules_of_the_targets(data, values):
    assert values(data.adrs, "TRGRESP") == ["SD", "SD", "PD"]
    assert values(data.adrs, "HEPRESP") == ["PR", "PR", "PD"]
    assert values(data.adrs, "EXHRESP") == ["SD", "PD", "PD"]
    assert values(data.adrs, "HEPRESP", column="RSNTXT")[0] == "sum 60 mm against baseline 100 mm"
    assert values(data.adrs, "EXHRESP", column="ANL01FL") == ["Y", "Y", None]
    best = {name: values(data.adrs, name) for name in ("HEPBOR", "HEPCBOR", "EXHBOR", "EXHCBOR")}
    assert best == {"HEPBOR": ["PR"], "HEPCBOR": ["PR"], "EXHBOR": ["PD"], "EXHCBOR": ["PD"]}
    regional = data.adrs["PARAMCD"].str.startswith(("HEP", "EXH"))
    assert set(data.adrs.loc[regional, "PARCAT3"]) == {CRITERIA}
    assert data.adrs.loc[regional, "PARAM"].str.contains("not RECIST").all()


@pytest.mark.rule("RECIST-18")
def test_they_leave_the_endpoints_alone(data, values):
    assert values(data.adrs, "BOR") == ["SD"]
    assert values(data.adrs, "CBOR") == ["SD"]


CASES = [
    # targets, LSDIAM, ESDIAM, liver and extrahepatic response
    ({"T01": ("LIVER", [50, 30])}, [50, 30], [], ["PR"], []),
    ({"T01": ("LUNG", [50, 30])}, [], [50, 30], [], ["PR"]),
    ({"T01": (None, [50, 30])}, [], [], [], []),
    (
        {"T01": ("LIVER", [50, "NOT EVALUABLE"]), "T02": ("LUNG", [40, 40])},
        [50, None],
        [40, 40],
        ["NE"],
        ["SD"],
    ),
    ({"T01": ("LIVER", [50, "ABSENT"]), "T02": ("LUNG", [40, 40])}, [50, 0], [40, 40], ["CR"], ["SD"]),
    (
        {"T01": ("LIVER", [50, 50]), "T02": ("LYMPH NODE ABDOMINAL", [20, 8])},
        [50, 50],
        [20, 8],
        ["SD"],
        ["CR"],
    ),
    (
        {"T01": ("LIVER", ["NOT EVALUABLE", 50]), "T02": ("LUNG", [40, 40])},
        [None, 50],
        [40, 40],
        ["NE"],
        ["SD"],
    ),
]


@pytest.mark.rule("RECIST-18")
@pytest.mark.parametrize(("targets", "liver", "other", "liver_response", "other_response"), CASES)
def test_regions(make, derive, values, targets, liver, other, liver_response, other_response):
    places = {name: (place or "X", seen) for name, (place, seen) in targets.items()}
    tu, tr = make.tumour((-7, 42), places)
    if any(place is None for place, _ in targets.values()):
        tu = tu.assign(TULOC=None)
    data = derive(tu, tr)
    assert (sums(data.adtr, "LSDIAM"), sums(data.adtr, "ESDIAM")) == (liver, other)
    assert values(data.adrs, "HEPRESP") == liver_response
    assert values(data.adrs, "EXHRESP") == other_response


@pytest.mark.rule("RECIST-18")
def test_an_incomplete_region_is_partial(make, derive):
    tu, tr = make.tumour((-7, 42), {"T01": ("LIVER", [50, 40]), "T02": ("LIVER", [30, "NOT EVALUABLE"])})
    frame = derive(tu, tr).adtr
    assert sums(frame, "LSDIAM") == [80, 40]
    assert sums(frame, "LSDIAM", "DTYPE") == [None, "PARTIAL"]


@pytest.mark.rule("RECIST-18")
def test_readers_have_sums_of_their_own_and_a_mixed_adjudication_none(make, derive, values):
    lesions = {"T01": ("LIVER", [50, 30, 30])}
    other = {"T09": ("LIVER", [60, 60, 20])}
    one = make.tumour((-7, 42, 84), lesions, reader="R1")
    two = make.tumour((-7, 42, 84), other, reader="R2")
    tu, tr = (pd.concat([a, b], ignore_index=True) for a, b in zip(one, two, strict=True))
    tr = tr.assign(TRACPTFL=["Y", "Y", None, None, None, "Y"], TRSEQ=range(1, 7))
    frame = derive(tu, tr).adrs
    readers = sorted(set(frame.loc[frame["PARAMCD"] == "HEPRESP", "PARCAT2"]))
    assert len(readers) == 2
    assert "ADJUDICATED" not in readers
    assert values(frame, "HEPRESP", evaluator=readers[0]) == ["PR", "PR"]
    assert values(frame, "HEPRESP", evaluator=readers[1]) == ["SD", "PR"]


def test_the_regions_are_a_partition():
    liver, elsewhere = regions()
    assert (liver.name, liver.inside) == ("liver", True)
    assert (elsewhere.name, elsewhere.inside) == ("extrahepatic", False)


@pytest.mark.rule("RECIST-18")
def test_the_order_of_records_changes_nothing(make, derive):
    tu, tr = make.tumour((-7, 42, 84), {"T01": ("LIVER", [50, 40, 30]), "T02": ("BONE", [30, 30, 50])})
    one = derive(tu, tr)
    two = derive(tu.sample(frac=1, random_state=1), tr.sample(frac=1, random_state=2))
    columns = ["USUBJID", "PARAMCD", "ADT", "AVAL", "NADIR"]
    pd.testing.assert_frame_equal(one.adtr[columns], two.adtr[columns])


REPORTED = ["SD", "PR", "PR", "PD"]


@pytest.mark.rule("RECIST-19")
@pytest.mark.parametrize("with_lesions", [True, False])
def test_the_reported_route_feeds_every_endpoint(make, derive, values, with_lesions):
    tu, tr = make.tumour((-7, 42, 84, 126, 168), {"T01": ("LIVER", [100, 100, 100, 100, 130])})
    rs = make.reports((42, 84, 126, 168), REPORTED)
    study = make.study(response={"route": "reported"})
    data = derive(*((tu, tr) if with_lesions else (None, None)), rs, study=study)
    assert data.route == "reported"
    assert values(data.adrs, "OVR") == REPORTED
    assert values(data.adrs, "CBOR") == ["PR"]
    assert set(values(data.adrs, "OVR", column="SRCDOM")) == {"RS"}
    assert values(data.adrs, "LOVR") == (["SD", "SD", "SD", "PD"] if with_lesions else [])
    found = [(f.rule, f.value, f.expected) for f in data.findings]
    assert found == ([("RS-DERIV", "PR", "SD")] * 2 if with_lesions else [])


@pytest.mark.rule("RECIST-19")
def test_the_reported_route_reaches_time_to_event(make, derive):
    from interim.adam.tte import derive_adtte

    rs = make.reports((42, 84, 126, 168), REPORTED)
    study = make.study(response={"route": "reported"})
    data = derive(None, None, rs, study=study)
    people = make.adsl(FASFL="Y", SAFNKFL="Y", EOSSTT="ONGOING")
    frame = derive_adtte(people, data.adrs, study=study, names=("PFS", "DOR", "TTR")).frame
    times = dict(zip(frame["PARAMCD"], frame["AVAL"], strict=True))
    assert times == {"PFS": 169, "DOR": 85, "TTR": 85}
    assert set(frame["SRCDOM"]) == {"RS"}
    assert derive_adtte(people, data.adrs, study=study, names=("OS",)).frame["PARAMCD"].tolist() == ["OS"]


@pytest.mark.rule("RECIST-19")
def test_the_reported_route_without_reports_is_none(make, derive):
    tu, tr = make.tumour((-7, 42), {"T01": ("LIVER", [100, 100])})
    data = derive(tu, tr, study=make.study(response={"route": "reported"}))
    assert (data.route, data.adrs) == ("none", None)
