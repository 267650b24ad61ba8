"""A report folder as one ZIP file whose bytes depend on its content alone, and the way back."""

from __future__ import annotations

import io
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Literal

from interim.errors import ReportError
from interim.report.freshness import DOCUMENTS
from interim.report.hashes import sha256_bytes
from interim.report.package import plans
from interim.report.verify import verify

Copy = Literal["confidential", "restricted"]
SUMS = "SHA256SUMS"
_MOMENT = (1980, 1, 1, 0, 0, 0)
_RIGHTS = 0o100644 << 16
_LEVEL = 6
# Formats that are compressed already gain nothing and cost time.
_STORED = {".pdf", ".docx", ".parquet"}
_MOST = 4 * 2**30


def pack(folder: Path, target: Path, *, copy: Copy) -> tuple[str, ...]:
    """Write a report as ZIP file.

    Parameters
    ----------
    folder : Path
        Folder of a report; its files must have the hashes of its manifest.
    target : Path
        The ZIP file; one that is there is replaced when the new one is whole.
    copy : {"confidential", "restricted"}
        ``confidential``: the documents without records of single participants. ``restricted``: everything, so that the numbers can be computed again.

    Returns
    -------
    tuple of str
        Names of the files in it; ``SHA256SUMS`` lists their hashes in the form that ``sha256sum -c`` reads.

    Raises
    ------
    ReportError
        If the folder is no whole report, or the file cannot be written.
    """
    wrong = [str(check) for check in verify(folder, recompute=False) if check.status == "wrong"]
    if wrong:
        raise ReportError("\n".join([f"{folder}: not packed, the report is not as it was written:", *wrong]))
    files = {name: (folder / name).read_bytes() for name in _chosen(folder, copy)}
    data = zipped(files)
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_bytes(data)
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ReportError(
            f"{target}: cannot be written ({error.strerror}); an earlier file is unchanged"
        ) from error
    return (*sorted(files), SUMS)


def _chosen(folder: Path, copy: Copy) -> Iterator[str]:
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    if copy == "restricted":
        yield from names
        return
    open_to_all = tuple(f"{DOCUMENTS}/{plan.number}_" for plan in plans() if plan.copy == "confidential")
    yield from (name for name in names if name.startswith(open_to_all))


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return files as a ZIP archive with the list of their hashes.

    Parameters
    ----------
    files : mapping of str to bytes
        Name -> content; a list of hashes among them is made anew.

    Returns
    -------
    bytes
        Equal files give equal bytes: sorted names, one date, one set of rights, one level of compression.

    Raises
    ------
    None
    """
    content = {name: data for name, data in sorted(files.items()) if name != SUMS}
    sums = "".join(f"{sha256_bytes(data)}  {name}\n" for name, data in content.items())
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in {**content, SUMS: sums.encode()}.items():
            entry = zipfile.ZipInfo(name, _MOMENT)
            entry.external_attr, entry.create_system = _RIGHTS, 3
            entry.compress_type = (
                zipfile.ZIP_STORED if PurePosixPath(name).suffix in _STORED else zipfile.ZIP_DEFLATED
            )
            archive.writestr(entry, data, compresslevel=_LEVEL)
    return stream.getvalue()


def unzipped(path: Path) -> dict[str, bytes]:
    """Return the files of a package, if it is one to the byte.

    Parameters
    ----------
    path : Path
        The ZIP file.

    Returns
    -------
    dict of str to bytes
        Name -> content.

    Raises
    ------
    ReportError
        If the file is no archive, holds names that lead out of a folder or more than 4 GiB, or if packing its content again gives other bytes.
    """
    try:
        data = path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            bad = [name for name in names if _leads_out(name)]
            if bad:
                raise ReportError(
                    f"{path}: names that lead out of the package: {', '.join(bad)}; do not unpack it"
                )
            if sum(entry.file_size for entry in archive.infolist()) > _MOST:
                raise ReportError(f"{path}: holds more than 4 GiB unpacked; no package of this program does")
            files = {name: archive.read(name) for name in names}
    except (
        OSError,
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        RuntimeError,
        ValueError,
        EOFError,
    ) as error:
        raise ReportError(f"{path}: cannot be read as a package ({type(error).__name__}: {error})") from error
    if zipped(files) != data:
        raise ReportError(f"{path}: is not as it was written; {_difference(files)}")
    return files


def _leads_out(name: str) -> bool:
    place = PurePosixPath(name)
    return place.is_absolute() or ".." in place.parts or "\\" in name or name.endswith("/")


def _difference(files: Mapping[str, bytes]) -> str:
    """Say which files have not the hash of the list."""
    listed = dict(
        line.partition("  ")[::-2] for line in files.get(SUMS, b"").decode("utf-8", "replace").splitlines()
    )
    changed = [n for n, data in files.items() if n != SUMS and listed.get(n) != sha256_bytes(data)]
    lost = sorted(set(listed) - set(files))
    text = ", ".join([*changed, *(f"{name} (missing)" for name in lost)])
    return (
        f"changed: {text}" if text else "its files have their hashes, but the archive around them was changed"
    )


@contextmanager
def unpacked(path: Path) -> Iterator[Path | None]:
    """Give the report folder of a package.

    Parameters
    ----------
    path : Path
        A report folder, or a ZIP file that `pack` wrote.

    Yields
    ------
    Path or None
        The folder; a temporary one for a ZIP file, None for one that holds only documents, whose bytes were checked.

    Raises
    ------
    ReportError
        As in `unzipped`.
    """
    if path.is_dir():
        yield path
        return
    files = unzipped(path)
    if not any(name.startswith("data/") for name in files):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="interim-") as home:
        for name, data in files.items():
            if name != SUMS:
                place = Path(home, name)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data)
        yield Path(home)
