"""Sdtm: domains, supplemental qualifiers as columns."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from interim.data.model import Sdtm
from interim.errors import Finding

AE = pd.DataFrame({"USUBJID": ["A", "A", "B"], "AESEQ": [1.0, 2.0, 1.0], "AETERM": ["x", "y", "z"]})
SUPPAE = pd.DataFrame(
    [
        ("A", "AESEQ", "1", "AESI", "Y"),
        ("A", "AESEQ", "2.0", "AESI", "N"),
        ("B", "AESEQ", "1", "DLTFL", "Y"),
        ("B", None, None, "NOTE", "n"),
    ],
    columns=["USUBJID", "IDVAR", "IDVARVAL", "QNAM", "QVAL"],
    dtype=object,
)


def sdtm(**domains):
    return Sdtm(domains, cut=datetime(2026, 1, 1))


def test_domains():
    data = sdtm(AE=AE)
    assert data.has("AE")
    assert not data.has("AE", "EX")
    assert data.domain("AE") is AE
    assert list(data.domain("EX")) == ["STUDYID", "USUBJID", "EXSEQ", "SRCFILE", "SRCROW"]
    with pytest.raises(TypeError):
        data.domains["EX"] = AE


def test_supplemental_qualifiers_become_columns():
    wide = sdtm(AE=AE, SUPPAE=SUPPAE).with_supp("AE")
    assert wide["AESI"].tolist()[:2] == ["Y", "N"]
    assert wide["DLTFL"].tolist()[2] == "Y"
    assert wide["NOTE"].isna().tolist() == [True, True, False]
    assert wide["AETERM"].tolist() == ["x", "y", "z"]
    assert "AESI" not in AE


@pytest.mark.parametrize("supp", [None, SUPPAE.iloc[:0], SUPPAE.iloc[:1].assign(IDVAR="AESPID")])
def test_nothing_to_add(supp):
    data = sdtm(AE=AE) if supp is None else sdtm(AE=AE, SUPPAE=supp)
    pd.testing.assert_frame_equal(data.with_supp("AE"), AE)


def test_key_without_value_meets_nothing():
    lost = SUPPAE.iloc[:1].assign(IDVARVAL="9")
    assert sdtm(AE=AE.assign(AESEQ=np.nan), SUPPAE=lost).with_supp("AE")["AESI"].isna().all()


def test_further_findings():
    finding = Finding("XX-TEST", "warn", "AE", "text")
    assert sdtm(AE=AE).with_findings((finding,)).findings == (finding,)
