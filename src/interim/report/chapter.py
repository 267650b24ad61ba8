"""What a notebook works with: one call opens the study, one call per table, figure or sentence."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from interim.display.language import LANGUAGES, SOURCE, Translator, speaking, translator
from interim.errors import ReportError
from interim.recall import recalling
from interim.report.hashes import short_snapshot, tree
from interim.report.plan import COPIES
from interim.report.registry import Tlf, footnotes_of, in_question, questions, registry, title_of
from interim.report.translate import quoted
from interim.report.workers import cores, map_forked
from interim.result import Result, ResultStore
from interim.study import Study, read_study

if TYPE_CHECKING:
    from interim.adam.model import Adam
    from interim.data.model import Sdtm
    from interim.display import Figure, Paragraph, Table
    from interim.display.gallery import Gallery
    from interim.report.cache import Cache
    from interim.report.memo import Memo
    from interim.report.privacy.known import Known


@dataclass(frozen=True)
class Inputs:
    """Everything that the chapters of one study read.

    Attributes
    ----------
    study : Study
        Parameters.
    sdtm : Sdtm
        Checked source data at the cut-off.
    adam : Adam
        Analysis datasets.
    store : ResultStore
        The answers to all questions.
    memo : Memo or None
        What earlier builds made.
    known : Known or None
        Values of the source data that no file of the report may hold.
    """

    study: Study
    sdtm: Sdtm
    adam: Adam
    store: ResultStore
    memo: Memo | None = field(default=None, compare=False, repr=False)
    known: Known | None = field(default=None, compare=False, repr=False)


_PRELOADED: dict[str, Inputs] = {}
_READS: set[str] | None = None


def open_inputs(study: Study, cache: Cache | None = None) -> Inputs:
    """Read the data of a study and answer all questions.

    Parameters
    ----------
    study : Study
        Parameters.
    cache : Cache, optional
        Where answers of earlier builds are.

    Returns
    -------
    Inputs
        Data, analysis datasets and results; participants have their pseudo-ids everywhere.

    Raises
    ------
    ReportError
        If there is no usable key for the pseudo-ids.
    DataError
        If findings stop the run.
    """
    from interim.report.privacy.opening import open_private

    private, sdtm, adam, known = open_private(study, cache=cache)
    return replace(answered(private, sdtm, adam, cache=cache), known=known)


def answered(study: Study, sdtm: Sdtm, adam: Adam, *, cache: Cache | None = None) -> Inputs:
    """Return data with the answers to all questions.

    Parameters
    ----------
    study : Study
        Parameters.
    sdtm : Sdtm
        Source data.
    adam : Adam
        Analysis datasets.
    cache : Cache, optional
        Where answers of earlier builds are.

    Returns
    -------
    Inputs
        Data, analysis datasets and results.

    Raises
    ------
    ReportError
        If a question of the registry does not exist.
    """
    if cache is None:
        return Inputs(study, sdtm, adam, answers(adam, study, sdtm))
    from interim.report.memo import Computations, Memo
    from interim.report.traced import Sources

    memo = Memo(cache, Sources(study=study, sdtm=sdtm, adam=adam))
    with recalling(Computations(cache)):
        store = answers(adam, study, sdtm, memo=memo, workers=cores(study))
    memo = Memo(cache, Sources(study=study, sdtm=sdtm, adam=adam, store=store))
    return Inputs(study, sdtm, adam, store, memo)


def answers(
    adam: Adam, study: Study, sdtm: Sdtm, *, memo: Memo | None = None, workers: int = 1
) -> ResultStore:
    """Answer all questions of the registry.

    Parameters
    ----------
    adam : Adam
        Analysis datasets.
    study : Study
        Parameters.
    sdtm : Sdtm
        Source data, read only by the questions about the data themselves.
    memo : Memo, optional
        What earlier builds answered.
    workers : int
        Questions that are answered at a time; the answers do not depend on it.

    Returns
    -------
    ResultStore
        Question -> its Result.

    Raises
    ------
    ReportError
        If a question of the registry does not exist.
    """
    names = list(questions())

    def ahead(name: str) -> Result | None:
        """Answer in another process; what fails there is asked again here, where its error can be told."""
        try:
            return _answer(name, adam, study, sdtm, memo)
        except Exception:
            return None

    for name in names:
        _question(name)  # what the questions import is in memory before there are several processes
    several = names if workers > 1 else []
    found = map_forked(ahead, several, workers=workers, method=study.report.start_method)
    made = {name: result for name, result in zip(several, found, strict=True) if result is not None}
    return ResultStore(
        {name: made[name] if name in made else _answer(name, adam, study, sdtm, memo) for name in names}
    )


def _question(name: str) -> Callable[..., Result]:
    module, _, function = name.partition(".")
    question: Callable[..., Result] | None = getattr(
        import_module(f"interim.analysis.{module}"), function, None
    )
    if question is None:
        raise ReportError(f"the registry names the question {name!r}, which interim.analysis does not have")
    return question


def _answer(name: str, adam: Adam, study: Study, sdtm: Sdtm, memo: Memo | None = None) -> Result:
    question = _question(name)
    wanted = ("adam", "study", *(("sdtm",) if "sdtm" in signature(question).parameters else ()))
    if memo is not None:
        return memo.recall(question, wanted, key=["question", name])
    given = {"adam": adam, "study": study, "sdtm": sdtm}
    return question(*(given[source] for source in wanted))


def preload(inputs: Inputs, study: Study) -> None:
    """Keep the inputs in memory for the notebooks that this process will fork.

    Parameters
    ----------
    inputs : Inputs
        What `open_inputs` returned.
    study : Study
        Parameters as a notebook reads them: under the site's ids.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    _PRELOADED[study.digest()] = inputs


@dataclass(frozen=True)
class Chapter:
    """One chapter of the report: gives its tables, figures and sentences.

    Attributes
    ----------
    inputs : Inputs
        Data and results.
    tlfs : mapping of str to Tlf
        The registry, by id.
    language : str
        Language in which figures are drawn; tables and text are translated when the document is put together.
    reads : set of str or None
        Receives what is read of study, data and results.
    snapshot : str
        First digits of the data hash, for the footnotes; naming them counts as reading nothing (`interim.report.stamp`).
    """

    inputs: Inputs
    tlfs: dict[str, Tlf] = field(default_factory=lambda: {tlf.id: tlf for tlf in registry()})
    language: str = SOURCE
    reads: set[str] | None = None
    snapshot: str = ""

    @property
    def study(self) -> Study:
        """Parameters of the study."""
        return self.inputs.study

    @property
    def adam(self) -> Adam:
        """Analysis datasets, for ad-hoc work."""
        return self.inputs.adam

    def table(self, tlf_id: str) -> Table:
        """Return a table of the registry.

        Parameters
        ----------
        tlf_id : str
            For example ``T 14.2.2.1``.

        Returns
        -------
        Table
            With id, title, population, footnotes and labels.

        Raises
        ------
        ReportError
            If the id is not in the registry or is no table.
        """
        return self._show(tlf_id, "table")  # type: ignore[no-any-return]

    def figure(self, tlf_id: str) -> Figure:
        """Return a figure of the registry.

        Parameters
        ----------
        tlf_id : str
            For example ``F 14.2.2.1``.

        Returns
        -------
        Figure
            With id, title, population, footnotes and labels.

        Raises
        ------
        ReportError
            If the id is not in the registry or is no figure.
        """
        return self._show(tlf_id, "figure")  # type: ignore[no-any-return]

    def figures(self, tlf_id: str) -> Gallery:
        """Return the figures of an entry of the registry that has one for each participant.

        Parameters
        ----------
        tlf_id : str
            For example ``L 16.2.9.2``.

        Returns
        -------
        Gallery
            Each figure with the id and its number.

        Raises
        ------
        ReportError
            If the id is not in the registry or has no such figures.
        """
        return self._show(tlf_id, "figures")  # type: ignore[no-any-return]

    def story(self, tlf_id: str) -> Gallery:
        """Return the paragraphs of an entry of the registry: narratives.

        Parameters
        ----------
        tlf_id : str
            For example ``N 14.3.3``.

        Returns
        -------
        Gallery
            One paragraph per participant, each fact with its result id.

        Raises
        ------
        ReportError
            If the id is not in the registry or is no story.
        """
        return self._show(tlf_id, "story")  # type: ignore[no-any-return]

    def say(self, template: str, *, style: Literal["normal", "note", "box"] = "normal") -> Paragraph:
        """Return a paragraph whose numbers are references to results.

        Parameters
        ----------
        template : str
            Text with references in braces; a digit outside them is refused.
        style : {"normal", "note", "box"}
            How it is set.

        Returns
        -------
        Paragraph
            With the result ids of its numbers.

        Raises
        ------
        ReportError
            If a reference does not resolve or a number is typed.
        """
        from interim.display import sentence

        return sentence(template, self.inputs.store, self.study, style=style)

    def limits(self) -> Paragraph:
        """Return what these participants can show at best, as the paragraph before any result by subgroup.

        Returns
        -------
        Paragraph
            With the result ids of its numbers.

        Raises
        ------
        KeyError
            If the store has no limits of interpretation.
        """
        from interim.display.subgroups_sentence import limits_paragraph

        return limits_paragraph(self.inputs.store["subgroups.limits"], self.study)

    def _translator(self) -> Translator | None:
        return (
            translator(self.language, self.study.file.parent, quoted(self.adam, self.inputs.sdtm))
            if self.language != SOURCE
            else None
        )

    def _show(self, tlf_id: str, kind: str) -> Any:
        tlf = self.tlfs.get(tlf_id)
        if tlf is None or tlf.kind != kind:
            known = ", ".join(sorted(t.id for t in self.tlfs.values() if t.kind == kind))
            raise ReportError(f"{tlf_id!r} is no {kind} of the registry; known: {known}")
        return self._drawn(tlf).with_id(
            tlf.id,
            title=title_of(tlf, self.study),
            footnotes=footnotes_of(
                tlf,
                self.study,
                self.inputs.sdtm,
                pending=tlf.id in in_question(self.adam.findings),
                snapshot=self.snapshot,
            ),
            labels=labels_of(self.inputs),
        )

    def _drawn(self, tlf: Tlf) -> Any:
        """Return what a question's display shows; where it shows the participants one by one, each is kept on its own."""
        result, voice = self.inputs.store[tlf.analysis], self._translator()
        if tlf.kind != "figures":
            return self._shown(tlf, result, voice)
        from interim.display.gallery import joined
        from interim.display.patient import by_participant

        return joined(self._shown(tlf, part, voice) for part in by_participant(result))

    def _shown(self, tlf: Tlf, result: Result, voice: Translator | None) -> Any:
        memo = self.inputs.memo
        if memo is None:
            return _draw(tlf, result, voice, self.study)
        from interim.report.traced import digest

        key = ["display", tlf.id, tlf.display, digest(dict(tlf.options)), digest(result), self._words()]
        return memo.recall(_draw, ("study",), tlf, result, voice, key=key, seen=self.reads)

    def _words(self) -> list[object]:
        """Return what the texts of figures rest on beside the programs: the catalogues beside the study file, and quoted data."""
        if self.language == SOURCE:
            return []
        folder = self.study.file.parent / self.language
        own = tree(folder) if folder.is_dir() else {}
        return [self.language, own, sorted(quoted(self.adam, self.inputs.sdtm))]


def _draw(tlf: Tlf, result: Result, voice: Translator | None, study: Study) -> Any:
    """Return a table, figure or text without its id."""
    with speaking(voice, tlf.id) as heard:
        shown = getattr(import_module("interim.display"), tlf.display)(result, study, **tlf.options)
    return shown.with_missing(tuple(dict.fromkeys(heard.missing))) if heard.missing else shown


def labels_of(inputs: Inputs) -> tuple[str, ...]:
    """Return the labels that every page, table and figure carries.

    Parameters
    ----------
    inputs : Inputs
        Data and study.

    Returns
    -------
    tuple of str
        The study's own label, and DRAFT if findings stop the run but the study goes on.

    Raises
    ------
    None
    """
    stops = sum(finding.severity == "stop" for finding in inputs.adam.findings)
    draft = f"DRAFT - {stops} finding(s) would stop a final report" if stops else ""
    return tuple(text for text in (inputs.study.study.label, draft) if text)


def open_chapter(
    *, study: str, cut_date: str = "", language: str = "en", copy: str = "confidential"
) -> Chapter:
    """Open a study for one notebook.

    Parameters
    ----------
    study : str
        Study file; a relative path is looked for in the working folder and in the folders above it.
    cut_date : str
        ISO date that replaces the study's cut-off; empty: the study's own.
    language : {"en", "zh-CN"}
        Language of the report.
    copy : {"confidential", "public"}
        Which copy is made; the public one only by ``interim run``, which masks small cells when the documents are made.

    Returns
    -------
    Chapter
        The study's tables, figures and sentences.

    Raises
    ------
    ReportError
        If language or copy is not available, or the study file is not found.
    StudyError, DataError
        If parameters or data are wrong.
    """
    for name, value, known in (("language", language, LANGUAGES), ("copy", copy, COPIES)):
        if value not in known:
            raise ReportError(f"{name} = {value!r} is not available; permitted: {', '.join(known)}")
    parameters = read_study(find_study(study), cut_date=cut_date or None)
    settle(parameters)
    inputs = _PRELOADED.get(parameters.digest())
    if copy != COPIES[0] and inputs is None:
        raise ReportError(
            f"copy = {copy!r}: a notebook alone shows every number; make the copy with interim run STUDY -p copy={copy}"
        )
    if inputs is None or _READS is None:
        return Chapter(inputs or open_inputs(parameters), language=language)
    snapshot = short_snapshot(inputs.sdtm.sources)
    return Chapter(_watched(inputs, _READS), language=language, reads=_READS, snapshot=snapshot)


def watch(reads: set[str] | None) -> None:
    """Note from now on what notebooks of this process read of preloaded inputs.

    Parameters
    ----------
    reads : set of str or None
        Receives the names; None: note nothing any more.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    global _READS
    _READS = reads


def _watched(inputs: Inputs, reads: set[str]) -> Inputs:
    """Return inputs that note what is read; the seed of the load cell always is."""
    from interim.report.traced import Sources

    assert inputs.store._heads is not None  # filled now, because filling it counts as reading everything
    sources = Sources(study=inputs.study, sdtm=inputs.sdtm, adam=inputs.adam, store=inputs.store)
    reads.add("study.study")
    study, sdtm, adam, store = sources.twins(reads, "study", "sdtm", "adam", "store")
    return Inputs(study, sdtm, adam, store, inputs.memo)


def find_study(study: str) -> Path:
    """Return the place of a study file.

    Parameters
    ----------
    study : str
        Path; a relative one is looked for in the working folder and in the folders above it.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ReportError
        If there is none.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / study).is_file():
            return folder / study
    raise ReportError(f"study file {study!r} was found neither in {here} nor in a folder above it")


def settle(study: Study) -> None:
    """Make the settings that shape a notebook's output the same everywhere.

    Parameters
    ----------
    study : Study
        ``study.seed``.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    import numpy as np
    import pandas as pd

    pd.set_option("display.max_columns", 20)
    pd.set_option("display.width", 80)
    random.seed(study.study.seed)
    np.random.seed((study.study.seed or 0) % 2**32)  # noqa: NPY002 - settles what a cell might draw from
    warnings.simplefilter("error")
