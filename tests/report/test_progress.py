from __future__ import annotations

import pytest

from interim.report.progress import Progress


def known(folder, **times):
    progress = Progress(folder)
    for name, seconds in times.items():
        progress.done(name, seconds)
    progress.save()
    return Progress(folder)


@pytest.mark.rule("RUN-05")
def test_the_rest_is_told_from_the_times_of_the_last_build(tmp_path):
    progress = known(tmp_path, a=10, b=20, documents=30)
    progress.expect(["a", "b", "documents"], workers=2)
    assert progress.left() == ", about 30 s left"
    assert progress.done("documents", 31) == ", about 20 s left"
    assert progress.done("b", 1) == ", about 10 s left"
    assert progress.done("a", 1) == ""


@pytest.mark.rule("RUN-05")
def test_long_rests_are_told_in_minutes(tmp_path):
    progress = known(tmp_path, a=400, b=200)
    progress.expect(["a", "b"])
    assert progress.left() == ", about 10 min left"


@pytest.mark.rule("RUN-05")
def test_nothing_is_told_of_steps_that_were_never_timed(tmp_path):
    progress = known(tmp_path, a=10)
    progress.expect(["a", "new"])
    assert progress.left() == ""
    assert Progress(None).done("a", 1.0) == ""


@pytest.mark.rule("RUN-05")
@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": "x"}', "3"])
def test_a_broken_file_of_times_is_no_hindrance(tmp_path, text):
    (tmp_path / "times.json").write_text(text)
    progress = Progress(tmp_path)
    with progress.step("a"):
        pass
    progress.save()
    assert set(Progress(tmp_path)._known) == {"a"}


@pytest.mark.rule("RUN-05")
def test_a_step_that_fails_is_not_timed(tmp_path):
    progress = Progress(tmp_path)
    with pytest.raises(ValueError, match="x"), progress.step("a"):
        raise ValueError("x")
    progress.save()
    assert Progress(tmp_path)._known == {}


@pytest.mark.rule("RUN-05")
def test_the_longest_step_begins_first_and_an_unknown_one_before_it(tmp_path):
    progress = known(tmp_path, a=1, b=9, c=3)
    assert progress.longest_first(["a", "b", "c", "new", "newer"]) == ["newer", "new", "b", "c", "a"]
