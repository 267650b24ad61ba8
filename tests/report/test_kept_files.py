"""Files of datasets and small fonts that are kept from build to build: made again with any change of what they rest on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from interim.report import export, typefaces
from interim.report.cache import Cache
from interim.report.chapter import answered
from interim.report.export import write_data
from interim.report.typefaces import keep_fonts, small_font


@pytest.fixture
def datasets(monkeypatch):
    """Names of the datasets whose files are made."""
    seen: list[str] = []
    make = export._dataset

    def noted(frame, stem, *, name, moment):
        seen.append(name)
        return make(frame, stem, name=name, moment=moment)

    monkeypatch.setattr(export, "_dataset", noted)
    return seen


def files(folder) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture
def write(hand_inputs, tmp_path, monkeypatch):
    """Write the data of the hand-made study with the cache of a folder, perhaps with another dataset or moment."""
    monkeypatch.setattr("interim.report.chapter.answers", lambda *_, **__: hand_inputs.store)
    count = iter(range(99))

    def written(adam=None, study=None, **kind):
        cache = Cache(tmp_path / "cache", **kind)
        inputs = answered(study or hand_inputs.study, hand_inputs.sdtm, adam or hand_inputs.adam, cache=cache)
        folder = tmp_path / f"report{next(count)}"
        folder.mkdir()
        write_data(folder, inputs)
        return files(folder)

    return written


@pytest.mark.rule("CACHE-08")
def test_only_the_files_of_a_changed_dataset_are_made_again(write, datasets, hand_inputs):
    cold = write()
    everything = sorted(hand_inputs.adam.datasets)
    assert sorted(datasets) == everything
    datasets.clear()
    assert write() == cold and datasets == []
    assert write(fresh=True) == cold and sorted(datasets) == everything
    datasets.clear()
    adae = hand_inputs.adam.datasets["ADAE"].copy()
    place = adae.index[0]
    adae.loc[place, "AETERM"] = "Another term"
    changed = replace(hand_inputs.adam, datasets={**hand_inputs.adam.datasets, "ADAE": adae})
    warm = write(adam=changed)
    assert datasets == ["ADAE"]
    differ = {name for name in cold if cold[name] != warm[name]}
    assert {"adam/adae.xpt", "adam/adae.json", "data/adae.parquet"} <= differ
    assert differ <= {"adam/adae.xpt", "adam/adae.json", "data/adae.parquet", "adam/dictionary.csv"}
    assert warm == write(adam=changed, fresh=True)


@pytest.mark.rule("CACHE-08")
@pytest.mark.parametrize("part", ["moment", "programs"])
def test_the_time_of_the_files_and_the_programs_make_all_of_them_again(write, datasets, hand_inputs, part):
    cold = write()
    datasets.clear()
    if part == "moment":
        report = hand_inputs.study.report
        later = hand_inputs.study.moment + timedelta(days=1)
        study = hand_inputs.study.model_copy(
            update={"report": report.model_copy(update={"timestamp": later})}
        )
        assert study.moment != hand_inputs.study.moment
        assert write(study=study)["adam/adsl.xpt"] != cold["adam/adsl.xpt"]
    else:
        assert write(base="other programs") == cold
    assert sorted(datasets) == sorted(hand_inputs.adam.datasets)


@pytest.mark.rule("CACHE-08")
@pytest.mark.rule("CACHE-16")
def test_a_damaged_entry_is_made_again_with_the_same_bytes(write, datasets, tmp_path, capsys):
    cold = write()
    made = sorted(datasets)
    datasets.clear()
    entries = [path for path in (tmp_path / "cache").glob("??/*")]
    for entry in entries:
        entry.write_bytes(entry.read_bytes()[:-1] + b"?")
    assert write() == cold
    assert sorted(datasets) == made == sorted(set(made))
    told = capsys.readouterr().out
    assert all(str(entry) in told for entry in entries)
    assert write() == cold and sorted(datasets) == made


@pytest.fixture
def subsets(monkeypatch):
    """What is cut out of the typeface; a name for each in place of a font."""
    seen: list[tuple] = []

    def cut(weight, letters, flavour):
        seen.append((weight, "".join(sorted(letters)), flavour))
        return repr(seen[-1]).encode()

    monkeypatch.setattr(typefaces, "_subset", cut)
    yield seen
    keep_fonts(Cache(None))


@pytest.mark.rule("CACHE-08")
def test_a_small_font_is_kept_under_weight_letters_and_flavour(subsets, tmp_path):
    wanted = [("Regular", "一二", None), ("Bold", "一二", None), ("Regular", "一二三", None)]
    wanted.append(("Regular", "一二", "woff"))
    made = []
    for fresh in (False, False, True):
        keep_fonts(Cache(tmp_path, base="b", fresh=fresh))
        made.append([small_font(w, frozenset(letters), flavour) for w, letters, flavour in wanted])
    assert made[0] == made[1] == made[2] and len(set(made[0])) == 4
    assert len(subsets) == 8, "made cold and forced, not warm"
    keep_fonts(Cache(tmp_path, base="other programs"))
    small_font("Bold", frozenset("一二"))
    assert len(subsets) == 9
