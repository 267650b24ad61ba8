"""A build lets Python seldom look for unreachable objects, and leaves the process as it was."""

from __future__ import annotations

import gc

import pytest

from interim.report.build import _rare_collections


@pytest.mark.parametrize("fails", [False, True])
def test_the_process_collects_as_before_after_a_build(fails):
    before = gc.get_threshold()
    try:
        with _rare_collections():
            within = gc.get_threshold()
            if fails:
                raise KeyError
    except KeyError:
        assert fails
    assert within[0] > 100 * before[0]
    assert gc.isenabled()
    assert gc.get_threshold() == before
