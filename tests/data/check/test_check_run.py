from __future__ import annotations

import pytest

pytestmark = []


def test_clean(run):
    report = run()
    assert [str(f) for f in report.findings] == []
    assert [r for r in report.rules if r[2] != "run"] == []
