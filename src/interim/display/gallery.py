"""Gallery: several figures or paragraphs that one cell shows one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from interim.display.figure import Figure
from interim.display.text import Paragraph


@dataclass(frozen=True)
class Gallery:
    """Figures or paragraphs in the order in which they are shown.

    Attributes
    ----------
    items : tuple of Figure or Paragraph
        What is shown.
    """

    items: tuple[Figure | Paragraph, ...]

    def with_id(
        self,
        id: str,
        *,
        title: str | None = None,
        population: str | None = None,
        footnotes: Sequence[str] = (),
        labels: Sequence[str] = (),
    ) -> Gallery:
        """Return a copy whose figures carry the id of the registry with their number behind it.

        Parameters
        ----------
        id : str
            Registry id.
        title, population : str, optional
            Registry title; each figure keeps its own behind a colon.
        footnotes, labels : sequence of str
            Follow those of each figure.

        Returns
        -------
        Gallery
            Paragraphs stay as they are.

        Raises
        ------
        None
        """
        items: list[Figure | Paragraph] = []
        for number, item in enumerate(self.items, 1):
            if isinstance(item, Paragraph):
                items.append(item)
                continue
            own = item.title if title is None else f"{title}: {item.title}"
            named = item.with_id(
                f"{id}.{number}", title=own, population=population, footnotes=footnotes, labels=labels
            )
            items.append(named)
        return replace(self, items=tuple(items))

    def with_missing(self, texts: tuple[str, ...]) -> Gallery:
        """Return a copy whose figures name the texts within them that have no translation.

        Parameters
        ----------
        texts : tuple of str
            Of all figures together.

        Returns
        -------
        Gallery
            Paragraphs stay as they are.

        Raises
        ------
        None
        """
        named = (item if isinstance(item, Paragraph) else item.with_missing(texts) for item in self.items)
        return replace(self, items=tuple(named))

    def text(self) -> str:
        """Return all items as plain text.

        Returns
        -------
        str
            A blank line between two.

        Raises
        ------
        None
        """
        return "\n\n".join(item.text() for item in self.items)

    def _ipython_display_(self) -> None:
        """Show the items one after the other."""
        from IPython.display import display

        for item in self.items:
            display(item)  # type: ignore[no-untyped-call]


def joined(galleries: Iterable[Gallery]) -> Gallery:
    """Return what several galleries show as one.

    Parameters
    ----------
    galleries : iterable of Gallery
        In order.

    Returns
    -------
    Gallery
        All items.

    Raises
    ------
    None
    """
    return Gallery(tuple(item for gallery in galleries for item in gallery.items))
