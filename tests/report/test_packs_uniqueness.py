"""Runner of the clinical block on unique participants: agrees with the simulation, and reads nothing that is expected."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from interim.report.packs.clinical import CLINICAL, uncovered_blocks
from interim.report.packs.clinical_uniqueness import compute_uniqueness, uniqueness_cases

FILE = Path(__file__).resolve().parents[1] / "reference" / "clinical" / "reference_numbers.json"
BLOCK = "share_unique_participants"


@pytest.mark.rule("PRV-11", source="reference/clinical, 4000 simulated groups")
def test_the_block_is_covered_and_agrees_with_the_simulation():
    document = json.loads(FILE.read_text(encoding="utf-8"))
    assert uncovered_blocks(document) == []
    (case,) = uniqueness_cases(document)
    found = compute_uniqueness(case.given)[BLOCK]
    for n, (fine, coarse) in document[BLOCK]["values"].items():
        assert found[n] == pytest.approx([fine, coarse], abs=0.02), n
    assert CLINICAL[0].tolerances[BLOCK] == 0.02


@pytest.mark.rule("PRV-11", source="one participant is always unique; more are less often")
def test_the_runner_sees_only_the_numbers_of_participants():
    spoiled = {BLOCK: {"values": {"1": [9, 9], "13": [9, 9], "40": [9, 9]}}}
    (case,) = uniqueness_cases(spoiled)
    assert case.given == {"block": BLOCK, "keys": ["1", "13", "40"]}
    found = CLINICAL[0].compute(case.given)[BLOCK]
    assert found["1"] == pytest.approx([1, 1])
    assert found["1"] > found["13"] > found["40"]
    assert list(uniqueness_cases({})) == []
    with pytest.raises(ValueError, match="at least 1"):
        compute_uniqueness({"block": BLOCK, "keys": ["0"]})
