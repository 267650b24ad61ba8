"""The rule that a study file describes."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import pytest

from interim import design
from interim.design import Blrm, Cap, Conduct, EscalationRule, MtdRule, ThreePlusThree, Titration
from interim.study.dosing import DoseTable


def study(**options):
    return SimpleNamespace(dose=DoseTable(**options))


@pytest.mark.rule("DOSE-01")
def test_the_defaults_are_the_registered_reading():
    rule = EscalationRule.from_study(study())
    assert rule == EscalationRule((1.5e7, 3e7, 5e7, 7e7))
    assert (rule.titration, rule.mtd, rule.cap, rule.conduct) == (Titration(1), MtdRule(), Cap(18), Conduct())


OPTIONS = [
    ({"last_titration_level": "all"}, lambda r: r.titration.last_level, 4),
    ({"last_titration_level": 0}, lambda r: r.titration.last_level, 0),
    ({"trigger_n_events": 2}, lambda r: r.titration.n_events, 2),
    ({"trigger_from_not_evaluable": False}, lambda r: r.titration.from_not_evaluable, False),
    ({"count_titration_participant": False}, lambda r: r.titration.count_participant, False),
    (
        {"mtd_rule": "deesc_min6_top3"},
        lambda r: (r.mtd.deescalate, r.mtd.min_n, r.mtd.expand_top),
        (True, 6, False),
    ),
    (
        {"mtd_rule": "custom", "mtd_min_n": 3},
        lambda r: (r.mtd.deescalate, r.mtd.min_n, r.mtd.expand_top),
        (True, 3, True),
    ),
    ({"mtd_rule": "esc_only", "last_titration_level": 0}, lambda r: r.mtd.deescalate, False),
    ({"down_fill": "direct_six"}, lambda r: r.mtd.down_fill, "direct_six"),
    ({"n_max": "none"}, lambda r: r.cap.n_max, None),
    ({"n_max": 24}, lambda r: r.cap.n_max, 24),
    ({"n_max_counts": "treated"}, lambda r: r.cap.counts, "treated"),
    ({"partial_cohort_at_cap": True}, lambda r: r.cap.partial, True),
    ({"cap_mtd_rule": "none"}, lambda r: r.cap.mtd_rule, "none"),
    ({"overrun_max_rate": "1/5"}, lambda r: r.conduct.overrun_max_rate, Fraction(1, 5)),
    ({"between_3_and_6": "escalate_if_zero"}, lambda r: r.conduct.between_3_and_6, "escalate_if_zero"),
    ({"late_dlt_policy": "flag"}, lambda r: r.conduct.late_dlt, "flag"),
    ({"exclusion_lift": "automatic"}, lambda r: r.conduct.exclusion_lift, "automatic"),
    ({"replace_not_evaluable": False}, lambda r: r.conduct.max_replacements, 0),
    ({"max_replacements": 2}, lambda r: r.conduct.max_replacements, 2),
    ({"stagger_days": 7}, lambda r: r.conduct.stagger_days, 7),
    ({"start_level": 2}, lambda r: r.start_level, 2),
    ({"levels": (1e6, 2e6)}, lambda r: r.levels, (1e6, 2e6)),
]


@pytest.mark.rule("DOSE-01")
@pytest.mark.parametrize(("options", "read", "expected"), OPTIONS, ids=[str(row[0]) for row in OPTIONS])
def test_every_option_reaches_the_rule(options, read, expected):
    assert read(EscalationRule.from_study(study(**options))) == expected
    assert (
        read(EscalationRule.from_study(study(**options))) != read(EscalationRule.from_study(study()))
        or not options
    )


def test_the_model_takes_ladder_and_band_from_the_study():
    design = Blrm.from_study(study(tox_band=(0.2, 0.35)), n_max=18, dref=5e7)
    assert (design.levels, design.cuts, design.n_max) == ((1.5e7, 3e7, 5e7, 7e7), (0.2, 0.35), 18)
    assert isinstance(ThreePlusThree((1, 2)), EscalationRule)


def test_public_names_are_loaded_on_first_use():
    for name in design.__all__:
        assert getattr(design, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        _ = design.nothing
