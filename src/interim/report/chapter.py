"""What a notebook works with: one call opens the study, one call per table, figure or sentence."""

from __future__ import annotations

import random
import warnings
from dataclasses import dataclass, field
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from interim.display.language import LANGUAGES, SOURCE, Translator, speaking, translator
from interim.errors import ReportError
from interim.report.registry import Tlf, cited, footnotes_of, in_question, registry, title_of
from interim.report.translate import quoted
from interim.result import Result, ResultStore
from interim.study import Study, read_study

if TYPE_CHECKING:
    from interim.adam.model import Adam
    from interim.data.model import Sdtm
    from interim.display import Figure, Paragraph, Table
    from interim.display.gallery import Gallery

COPIES = ("confidential",)


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
    """

    study: Study
    sdtm: Sdtm
    adam: Adam
    store: ResultStore


_PRELOADED: dict[str, Inputs] = {}


def open_inputs(study: Study) -> Inputs:
    """Read the data of a study and answer all questions.

    Parameters
    ----------
    study : Study
        Parameters.

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

    private, sdtm, adam = open_private(study)
    return Inputs(private, sdtm, adam, answers(adam, private, sdtm))


def answers(adam: Adam, study: Study, sdtm: Sdtm) -> ResultStore:
    """Answer all questions of the registry.

    Parameters
    ----------
    adam : Adam
        Analysis datasets.
    study : Study
        Parameters.
    sdtm : Sdtm
        Source data, read only by the questions about the data themselves.

    Returns
    -------
    ResultStore
        Question -> its Result.

    Raises
    ------
    ReportError
        If a question of the registry does not exist.
    """
    names = dict.fromkeys([*(tlf.analysis for tlf in registry()), *cited()])
    return ResultStore({name: _answer(name, adam, study, sdtm) for name in names})


def _answer(name: str, adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    module, _, function = name.partition(".")
    question = getattr(import_module(f"interim.analysis.{module}"), function, None)
    if question is None:
        raise ReportError(f"the registry names the question {name!r}, which interim.analysis does not have")
    data = (sdtm,) if "sdtm" in signature(question).parameters else ()
    result: Result = question(adam, study, *data)
    return result


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
    """

    inputs: Inputs
    tlfs: dict[str, Tlf] = field(default_factory=lambda: {tlf.id: tlf for tlf in registry()})
    language: str = SOURCE

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
            translator(self.language, self.study.file.parent, quoted(self.adam))
            if self.language != SOURCE
            else None
        )

    def _show(self, tlf_id: str, kind: str) -> Any:
        tlf = self.tlfs.get(tlf_id)
        if tlf is None or tlf.kind != kind:
            known = ", ".join(sorted(t.id for t in self.tlfs.values() if t.kind == kind))
            raise ReportError(f"{tlf_id!r} is no {kind} of the registry; known: {known}")
        result = self.inputs.store[tlf.analysis]
        with speaking(self._translator(), tlf.id) as voice:
            shown = getattr(import_module("interim.display"), tlf.display)(result, self.study, **tlf.options)
        if voice.missing:
            shown = shown.with_missing(tuple(dict.fromkeys(voice.missing)))
        return shown.with_id(
            tlf.id,
            title=title_of(tlf, self.study),
            footnotes=footnotes_of(
                tlf, self.study, self.inputs.sdtm, pending=tlf.id in in_question(self.adam.findings)
            ),
            labels=labels_of(self.inputs),
        )


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
    copy : {"confidential"}
        Which copy is made.

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
    return Chapter(inputs or open_inputs(parameters), language=language)


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
