"""Traces: from an endpoint or a number back to file and row."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from interim.adam.model import Adam
from interim.analysis.trace import Traced, trace, trace_result
from interim.errors import DerivationError
from tests.analysis.tumour_study import build, make_study


@pytest.fixture(scope="module")
def data():
    return build()


def lines(data, subject, parameter):
    return list(trace(data, subject=subject, parameter=parameter))


@pytest.mark.rule("RECIST-26")
def test_best_response_from_the_measurements(data):
    found = lines(data, "S1", "cbor")
    assert found[:5] == [
        "CBOR of S1, INVESTIGATOR",
        "Baseline 2025-12-29 V1",
        "  lesion T01 adds 100 mm [L-MM]: the diameter as measured <- tr.csv row 2: LDIAM 100",
        "  lesion T02 adds 50 mm [L-MM]: the diameter as measured <- tr.csv row 6: LDIAM 50",
        "  sum 150 mm; baseline 150 mm",
    ]
    assert found[5:12] == [
        "Time point 1, 2026-02-16 V2",
        "  lesion T01 adds 60 mm [L-MM]: the diameter as measured <- tr.csv row 3: LDIAM 60",
        "  lesion T02 adds 30 mm [L-MM]: the diameter as measured <- tr.csv row 7: LDIAM 30",
        "  sum 90 mm; baseline 150 mm (-40%), nadir 150 mm (-40%)",
        "  target PR [T-PR]: sum 90 mm against baseline 150 mm <- tr.csv row 3; tr.csv row 7",
        "  non-target NONE [N-NONE]: no non-target lesion at baseline",
        "  new lesion N [W-NONE]: no new lesion",
    ]
    assert found[-2] == "Endpoint"
    assert found[-1] == (
        "  CBOR PR on 2026-02-16 [C-PR]: partial response on 2026-02-16, confirmed on 2026-03-30"
        " <- tr.csv row 3; tr.csv row 7"
    )


@pytest.mark.rule("RECIST-26")
def test_every_step_of_a_progression_by_a_new_lesion(data):
    text = "\n".join(lines(data, "S3", "BOR"))
    assert "new lesion Y [W-NEW]: unequivocal new lesion <- tr.csv row" in text
    assert "overall PD [P-NEW]: unequivocal new lesion\n" in text
    assert "(not used for the best response)" in text
    assert text.endswith(
        "BOR PD on 2026-02-16 [B-PD]: progression on 2026-02-16 <- " + text.rsplit("<- ", 1)[1]
    )


@pytest.mark.rule("RECIST-26")
def test_missing_lesions_and_irecist(data):
    text = "\n".join(lines(data, "S4", "IBOR"))
    assert "lesion T01 adds nothing [L-NE]: not evaluable <- tr.csv row" in text
    assert "sum unknown mm, a lesion is missing" in text
    assert "iRECIST NE" in text
    assert "iRECIST" not in "\n".join(lines(data, "S4", "BOR"))


@pytest.mark.rule("TTE-19")
def test_progression_free_survival_to_the_records(data):
    found = lines(data, "S2", "PFS")
    assert found[1].startswith("Definition: Progression-free survival (FAS): days from the reference date")
    assert "  first infusion 2026-01-05 (ADSL.TRTSDT)" in found
    end = found[found.index("Endpoint") :]
    assert end[1] == "  start 2026-01-05"
    assert re.fullmatch(
        r"  event on 2026-05-11, day 127 \[PFS/E-PD\]: progression on 2026-05-11 <- (tr\.csv row \d+; )+tr\.csv row \d+ \(TR\.ADT\)|"
        r"  event on 2026-05-11, day 127 \[PFS/E-PD\]: progression on 2026-05-11 <- tr\.csv row \d+; tr\.csv row \d+ \(TR\.ADT\)",
        end[2],
    )
    assert end[3] == "  without any rule but the cut-off: event on 2026-05-11"


@pytest.mark.rule("TTE-19")
def test_survival_needs_no_scans_and_names_the_record_of_death(data):
    found = lines(data, "S4", "OS")
    assert "  death 2026-06-04 (ADSL.DTHDT) <- ds.csv row 7" in found
    assert not any(line.startswith("Time point") for line in found)
    alive = lines(data, "S1", "OS")
    assert any("censored (CNSR 7) on 2026-06-03" in line and "[OS/K-ALIVE]" in line for line in alive)


@pytest.mark.rule("TTE-19")
def test_duration_of_response_exists_for_responders_only(data):
    assert any("[DOR/K-CUT]" in line for line in lines(data, "S1", "DOR"))
    assert lines(data, "S3", "DOR")[-1] == (
        "  no row: not in the population of the endpoint, or no start date"
    )
    assert any("iRECIST iUPD [I-UPD]" in line for line in lines(data, "S3", "IPFS"))


@pytest.mark.rule("RECIST-26")
def test_the_reported_route_leads_to_the_report():
    data = build(make_study(response={"route": "reported"}))
    text = "\n".join(lines(data, "S2", "BOR"))
    assert re.search(r"overall PR \[P-RS\]: as reported <- rs\.csv row \d+", text)
    bare = build(make_study(response={"route": "reported"}), ADTR=None)
    assert "lesion" not in "\n".join(lines(bare, "S2", "CBOR")).replace("new lesion", "")


@pytest.mark.rule("RECIST-26")
def test_a_participant_without_time_points(data):
    adrs = data.adam["ADRS"]
    gone = adrs[(adrs["USUBJID"] != "S1")]
    adtr = data.adam["ADTR"]
    fewer = Adam({**data.adam.datasets, "ADRS": gone, "ADTR": adtr[adtr["USUBJID"] != "S1"]}, data.study.cut)
    found = lines(Traced(fewer, data.sdtm, data.study), "S1", "BOR")
    assert found[1:] == [
        "Time points: none",
        "Endpoint",
        "  BOR: no value (the participant is not in the enrolled set)",
    ]


@pytest.mark.rule("RECIST-26")
def test_unscheduled_scans_are_found_by_date(data):
    def bare(frame):
        return frame.assign(AVISITN=float("nan"), AVISIT=None)

    sets = {**data.adam.datasets, "ADRS": bare(data.adam["ADRS"]), "ADTR": bare(data.adam["ADTR"])}
    found = lines(Traced(Adam(sets, data.study.cut), data.sdtm, data.study), "S1", "BOR")
    assert "Time point 1, 2026-02-16" in found
    assert sum(line.startswith("  target") for line in found) == 3


DLT = [
    (
        "S1",
        [
            "DLT of S1",
            "Dose level DL1",
            "  window 2026-01-15 to 2026-01-30",
            "Events",
            "  2026-01-17 Hepatitis, grade 3: DLT Y [SITE] <- ae.csv row 2",
            "Endpoint",
            "  EVALUABLE",
            "  DLT Y on 2026-01-17",
        ],
    ),
    (
        "S2",
        [
            "DLT of S2",
            "Dose level DL1",
            "  window 2026-01-15 to 2026-01-30",
            "Events",
            "  2026-01-17 Nausea: DLT N <- ae.csv row 3",
            "Endpoint",
            "  EVALUABLE",
            "  DLT N",
        ],
    ),
    (
        "S3",
        [
            "DLT of S3",
            "Dose level DL1",
            "  no window",
            "Events",
            "  none in the window",
            "Endpoint",
            "  NOT EVALUABLE [NO-CART]",
            "  DLT N",
        ],
    ),
    ("S4", ["DLT of S4", "  no row: neither a dose level nor an infusion"]),
]


@pytest.mark.rule("TTE-20")
@pytest.mark.parametrize(("subject", "expected"), DLT)
def test_dose_limiting_toxicity(data, subject, expected):
    assert lines(data, subject, "DLT") == expected


@pytest.mark.rule("TTE-20")
def test_dose_limiting_toxicity_without_its_datasets():
    assert lines(build(ADDLT=None), "S1", "DLT")[-1] == "  not available: no source for ADDLT"
    assert "  not available: no adverse events" in lines(build(ADAE=None), "S1", "DLT")
    adae = build().adam["ADAE"].drop(columns="DLTWINFL").assign(ASTDT=pd.NaT, SRCSEQ="9")
    assert "  no date Hepatitis, grade 3: DLT Y [SITE] <- no record" in lines(build(ADAE=adae), "S1", "DLT")


@pytest.mark.rule("RECIST-26")
@pytest.mark.parametrize(
    ("subject", "parameter", "words"),
    [
        ("S9", "BOR", "no participant 'S9'; participants are S1, S2, S3, S4"),
        ("", "BOR", "4 participants ''"),
        ("S1", "XX", "no parameter 'XX'; parameters are ADIS, BCP, BOR"),
    ],
)
def test_what_does_not_exist_is_named(data, subject, parameter, words):
    with pytest.raises(DerivationError, match=re.escape(words)):
        trace(data, subject=subject, parameter=parameter)


@pytest.mark.rule("RECIST-27")
def test_a_printed_rate_leads_to_participants_and_records(data):
    found = trace_result(data, "response.best_response/Total/orr//rate")
    assert (
        found[0]
        == "response.best_response/total/orr/-/rate: Best overall response (RECIST 1.1) (Full analysis set)"
    )
    assert found[1] == "  rate = 0.25, n = 1, N = 4"
    assert found[2] == "Participant S1"
    assert found[3].startswith("  CBOR PR on 2026-02-16 [C-PR]")
    assert found[3].endswith("<- tr.csv row 3; tr.csv row 7")


RESULTS = [
    ("response.best_response/Total/orr_unconfirmed//rate", "  BOR PR on 2026-02-16 [B-PR]"),
    ("response_criteria.irecist/Total/ibor/iUPD/n", "  ICBOR iUPD on 2026-02-16"),
    ("survival.time_to_event/Total/PFS//events", "  PFS day 43 [PFS/E-PD]: progression on 2026-02-16"),
    ("censoring.reasons/Total/OS administrative/K-ALIVE/n", "  OS day 150 [OS/K-ALIVE]"),
    ("response_listing.time_points/Total/point/S1 1/day", "  tr.csv row 3"),
    ("sensitivity.pfs/Total/S0//median", "  median = "),
    ("response.best_response/Total/orr//lower", "  method: clopper_pearson, level 0.95"),
    ("context.benchmarks/Total/IM96//orr", "  no participant behind it"),
    ("depth.spider/DL1/sum/S1/pchg1", "  tr.csv row 7"),
]


@pytest.mark.rule("RECIST-27")
@pytest.mark.parametrize(("result_id", "line"), RESULTS)
def test_numbers_of_every_kind(data, result_id, line):
    assert any(found.startswith(line) for found in trace_result(data, result_id))


@pytest.mark.rule("RECIST-27")
@pytest.mark.parametrize(
    ("result_id", "words"),
    [
        ("nothing/Total", "no question 'nothing'"),
        ("response.nothing/Total", "no question 'response.nothing'"),
        ("nothing.at_all/x", "no question 'nothing.at_all'"),
        ("response.best_response/Total/or//rate", "nearest: response.best_response/total/orr/-/rate"),
    ],
)
def test_a_wrong_id_is_refused(data, result_id, words):
    with pytest.raises(DerivationError, match=re.escape(words)):
        trace_result(data, result_id)


@pytest.mark.rule("RECIST-27")
def test_a_number_whose_dataset_is_gone(data):
    only = Traced(Adam({"ADSL": data.adam["ADSL"]}, data.study.cut), data.sdtm, data.study)
    found = trace_result(only, "response.best_response/Total/population//N")
    assert found[2:] == ("Participant S1", "Participant S2", "Participant S3", "Participant S4")


@pytest.mark.rule("RES-02", source="record numbers are numbers")
def test_events_of_one_day_stand_in_the_order_of_their_record_numbers():
    from interim.analysis.trace_dlt import dlt_lines

    day = pd.Timestamp("2025-01-20")
    events = [
        {
            "USUBJID": "S1",
            "ASTDT": day,
            "AEDECOD": f"Event {n}",
            "AETOXGRN": 3.0,
            "DLTFL": "Y",
            "DLTWINFL": "Y",
            "DLTRULE": "R",
            "SRCDOM": "AE",
            "SRCSEQ": n,
        }
        for n in ("10", "2", "1")
    ]
    window = {
        "USUBJID": "S1",
        "COHORT": "DL1",
        "DLTWSDT": day,
        "DLTWEDT": day,
        "DLTSTAT": "EVALUABLE",
        "DLTSTRS": None,
        "DLTFL": "Y",
        "DLTDT": day,
    }
    adam = Adam({"ADDLT": pd.DataFrame([window]), "ADAE": pd.DataFrame(events)}, day.to_pydatetime())
    found = list(dlt_lines(adam, "S1", records=lambda domain, key: []))
    assert [line.split()[2].rstrip(",") for line in found if "Event " in line] == ["1", "2", "10"]
