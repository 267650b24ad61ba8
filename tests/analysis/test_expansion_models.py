"""Tumour types of Phase IB: counts by hand, and the models of a study against the borrowing models themselves."""

from __future__ import annotations

import numpy as np
import pytest

from interim.analysis import expansion_models as m
from interim.analysis import expansion_types as t
from interim.stats import borrowing as b
from interim.study import TumourType
from tests.analysis.conftest import adsl, uid
from tests.analysis.test_expansion import TYPES, study_with
from tests.analysis.test_question_parameters import changed

MODELS = ("independent", "exnex", "partition", "hierarchical")


@pytest.fixture(scope="module")
def with_types(tmp_path_factory):
    return study_with(tmp_path_factory.mktemp("types"), TYPES)


def people(*numbers):
    return frozenset(uid(n) for n in numbers)


@pytest.mark.parametrize(
    ("tumours", "members", "unknown"),
    [
        ({}, (range(1, 11), (11, 12, 13), ()), (14, 15)),
        ({14: "OTHER", 15: "OESOPHAGEAL"}, (range(1, 11), (11, 12, 13), (14, 15)), ()),
        ({1: "GASTRIC", 2: None}, (range(3, 11), (1, 11, 12, 13), ()), (2, 14, 15)),
        ({1: "MELANOMA"}, (range(2, 11), (11, 12, 13), ()), (1, 14, 15)),
        # 16 was enrolled and not treated: in no type.
        ({16: "CRC"}, (range(1, 11), (11, 12, 13), ()), (14, 15)),
    ],
)
def test_members_of_each_type(make_adam, with_types, tumours, members, unknown):
    base = adsl()
    base["TUMTYPE"] = base["TUMTYPE"].astype(object)
    for number, tumour in tumours.items():
        base.loc[base["USUBJID"] == uid(number), "TUMTYPE"] = tumour
    found = t.count_types(make_adam(ADSL=base), with_types, confirmed=True)
    assert found.members == tuple(people(*ids) for ids in members)
    assert found.unknown == people(*unknown)
    assert sum(found.n) + len(found.unknown) == found.who.n() == 15
    assert all(hit <= ids for hit, ids in zip(found.responders, found.members, strict=True))


@pytest.mark.parametrize(
    ("confirmed", "keep", "efficacy", "r", "n"),
    [
        (True, None, "FAS", (1, 0, 0), (10, 3, 0)),
        (False, None, "FAS", (1, 1, 0), (10, 3, 0)),
        (False, None, "RE", (1, 1, 0), (10, 2, 0)),
        (False, (5, 6, 11), "FAS", (1, 1, 0), (2, 1, 0)),
        (False, (), "FAS", (0, 0, 0), (0, 0, 0)),
        (True, (1, 2), "FAS", (0, 0, 0), (2, 0, 0)),
    ],
)
def test_responders_of_each_type(adam, with_types, confirmed, keep, efficacy, r, n):
    study = changed(with_types, {"sets": {"efficacy_default": efficacy}})
    kept = None if keep is None else people(*keep)
    found = t.count_types(adam, study, confirmed=confirmed, keep=kept)
    assert (found.r, found.n) == (r, n)


def types_of(study, **changes):
    return tuple(entry.model_copy(update=changes.get(entry.id, {})) for entry in study.expansion.type)


@pytest.mark.parametrize("model", MODELS)
def test_a_type_alone_has_its_own_law_and_the_others_borrow_from_each_other(with_types, model):
    types = types_of(with_types, gastric={"borrow": False})
    assert isinstance(types[0], TumourType)
    prior = with_types.expansion.prior
    fit = t.fit_model(model, ((2, 1, 0), (10, 3, 4)), types=types, prior=prior)
    assert fit.prob_above[1] == pytest.approx(b.independent([1], [3], p0=0.10).prob_above[0], abs=1e-12)
    pair = t.fit_model(model, ((2, 0), (10, 4)), types=(types[0], types[2]), prior=prior)
    assert fit.prob_above[[0, 2]] == pytest.approx(pair.prob_above, abs=1e-12)
    changed_alone = t.fit_model(model, ((2, 3, 0), (10, 3, 4)), types=types, prior=prior)
    assert changed_alone.prob_above[[0, 2]] == pytest.approx(fit.prob_above[[0, 2]], abs=1e-14)
    assert fit.model == model


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("lends", ["", "crc"])
def test_fewer_than_two_lenders_are_independent(with_types, model, lends):
    alone = {e.id: {"borrow": e.id == lends} for e in with_types.expansion.type}
    fit = t.fit_model(
        model, ((2, 1, 0), (10, 3, 4)), types=types_of(with_types, **alone), prior=with_types.expansion.prior
    )
    own = b.independent([2, 1, 0], [10, 3, 4], p0=[0.05, 0.10, 0.05])
    assert fit.mean == pytest.approx(own.mean, abs=1e-14)


@pytest.mark.parametrize("model", MODELS)
def test_the_order_of_the_types_does_not_matter(with_types, model):
    types, prior = with_types.expansion.type, with_types.expansion.prior
    fit = t.fit_model(model, ((2, 1, 0), (10, 3, 4)), types=types, prior=prior)
    turned = t.fit_model(model, ((0, 1, 2), (4, 3, 10)), types=types[::-1], prior=prior)
    assert turned.mean[::-1] == pytest.approx(fit.mean, abs=1e-10)


@pytest.mark.parametrize("model", MODELS)
def test_more_responses_never_lower_the_chance(with_types, model):
    chances = []
    for r in range(5):
        view = t.assess(model, ((r, 1, 0), (10, 3, 4)), with_types, crossing=False)
        chances.append((view.fit.prob_above[0], view.ppos[0]))
        assert all(0 <= p <= 1 for p in view.ppos)
    assert np.all(np.diff(chances, axis=0) > 0)


@pytest.mark.parametrize(
    ("events", "limit", "crossing"), [(0, None, False), (2, 3, False), (3, 3, True), (4, 3, True)]
)
def test_a_boundary_is_crossed_at_its_number(events, limit, crossing):
    assert t.Safety("DL3", events, 6, limit).crossing is crossing


def test_the_grid_of_a_study_is_that_of_the_tables(with_types):
    types, prior = with_types.expansion.type, with_types.expansion.prior
    shared, mixed = m.model_priors(types, prior)
    fit = t.fit_model("exnex", ((2, 1, 0), (10, 3, 4)), types=types, prior=prior)
    direct = b.exnex([2, 1, 0], [10, 3, 4], p0=[0.05, 0.10, 0.05], prior=mixed, grid=b.Grid.normal())
    assert fit.prob_above == pytest.approx(direct.prob_above, abs=1e-13)
    assert fit.p_exchangeable == pytest.approx(direct.p_exchangeable, abs=1e-13)
    assert shared == mixed.shared
