"""``interim trace`` under pseudo-ids; the site's ids are understood, and printed only on request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from interim.analysis.trace import Traced, trace, trace_result
from interim.report.privacy.opening import open_private
from interim.study import Study


def trace_private(study: Study, what: str, parameter: str = "", *, site_ids: bool = False) -> Iterator[str]:
    """Yield how a result, or an endpoint of a participant, follows from the records.

    Parameters
    ----------
    study : Study
        Parameters.
    what : str
        Pseudo-id, id of the site, the end of either if only one participant has it; or a result id.
    parameter : str
        As in `interim.analysis.trace.trace`; empty for a result id.
    site_ids : bool
        End with the id of the site of every participant named in the lines.

    Yields
    ------
    str
        Lines; participants have their pseudo-ids.

    Raises
    ------
    ReportError
        If there is no usable key.
    DataError
        If findings stop the run.
    DerivationError
        If the participant, the parameter or the result does not exist.
    """
    known: dict[str, str] = {}
    private = open_private(study, keep=known)
    data = Traced(private.adam, private.sdtm, private.study)
    if parameter:
        lines = trace(data, subject=_pseudo(what, known), parameter=parameter)
    else:
        lines = trace_result(data, what)
    yield from lines
    if site_ids:
        text = "\n".join(lines)
        yield from (f"{pseudo} is {site} at the site" for site, pseudo in known.items() if pseudo in text)


def _pseudo(what: str, known: Mapping[str, str]) -> str:
    """Return the pseudo-id of what may be the end of one id of the site; anything else as it is."""
    whole = [pseudo for site, pseudo in known.items() if what in (site, pseudo)]
    found = whole or [pseudo for site, pseudo in known.items() if site.endswith(what)]
    return found[0] if len(found) == 1 else what
