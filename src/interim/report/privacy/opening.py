"""A study opened for a report: parameters, source data and analysis datasets under pseudo-ids."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from interim.adam.model import Adam
from interim.data.model import Sdtm
from interim.report.cache import Cache
from interim.report.memo import Derivations
from interim.report.privacy.key import find_key
from interim.report.privacy.known import Known, known_values
from interim.report.privacy.pseudonyms import Pseudonyms, disguise, disguise_study, participants
from interim.report.warm import warm
from interim.report.workers import beside, cores
from interim.study import Study


class Private(NamedTuple):
    """A study with its data, in which nobody has the site's id.

    Attributes
    ----------
    study : Study
        Parameters under pseudo-ids.
    sdtm : Sdtm
        Source data under pseudo-ids.
    adam : Adam
        Analysis datasets derived from them.
    known : Known
        The values of the source data that were replaced: nothing of a report may hold them.
    """

    study: Study
    sdtm: Sdtm
    adam: Adam
    known: Known = Known()


def pseudonyms(study: Study) -> Pseudonyms:
    """Return the names that the participants of a study have in reports.

    Parameters
    ----------
    study : Study
        Parameters.

    Returns
    -------
    Pseudonyms
        With the key of the study.

    Raises
    ------
    ReportError
        If there is no usable key.
    """
    return Pseudonyms(find_key(study), study.study.id)


def open_private(study: Study, *, keep: dict[str, str] | None = None, cache: Cache | None = None) -> Private:
    """Read, check and cut the data of a study, replace the ids, and derive the analysis datasets.

    Parameters
    ----------
    study : Study
        Parameters, under the site's ids.
    keep : dict of str to str, optional
        Filled with id of the site -> pseudo-id.
    cache : Cache, optional
        Where what earlier builds derived is; it knows no id of the site.

    Returns
    -------
    Private
        Everything under pseudo-ids.

    Raises
    ------
    ReportError
        If there is no usable key; nothing is read.
    DataError
        If findings stop the run; they speak of the site's ids.
    """
    import interim.adam  # noqa: F401 - is in memory before there are two processes

    if cache is None:
        return _opened(study, keep, cache)
    task = partial(_opened, study, keep, cache)
    with beside(task, workers=cores(study), method=study.report.start_method) as opened:
        warm(study.file.parent)
        return opened()


def _opened(study: Study, keep: dict[str, str] | None, cache: Cache | None) -> Private:
    from interim.adam import open_adam

    names = pseudonyms(study)
    private = disguise_study(study, names)

    known: list[Known] = []

    def change(sdtm: Sdtm) -> Sdtm:
        known.append(known_values(sdtm))
        if keep is not None:
            keep.update(names.table(participants(sdtm)))
        return disguise(sdtm, names)

    sdtm, adam = open_adam(
        private, change=change, keep=None if cache is None else partial(Derivations, cache)
    )
    return Private(private, sdtm, adam, known[0])
