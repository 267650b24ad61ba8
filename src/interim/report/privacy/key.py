"""The key of the pseudo-ids: a file outside the repository; synthetic data bring a public one."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from interim.errors import ReportError
from interim.study import Study

VARIABLE = "INTERIM_PRIVACY_KEY"
SYNTHETIC = "SYNTHETIC"
# Data for which the public key may stand: everybody can have the ids anyway. The label is printed on every page.
_OPEN_DATA = (SYNTHETIC, "PUBLIC")
_HEAD, _PRIVATE, _PUBLIC = "interim-privacy-key", "secret", "public"
_HEX_DIGITS = 64
_PUBLIC_TEXT = "pseudo-ids of synthetic participants"
# Without I, L, O and U, which are read as 1, 1, 0 and V.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SYMBOLS = 6


@dataclass(frozen=True)
class Key:
    """A key of 256 bits.

    Attributes
    ----------
    secret : bytes
        Never printed, never written to a report.
    public : bool
        True for the key that ships with synthetic data.
    """

    secret: bytes = field(repr=False)
    public: bool = False

    @property
    def fingerprint(self) -> str:
        """Tells two keys apart and gives neither away: 12 hexadecimal digits."""
        return hmac.new(self.secret, b"fingerprint", hashlib.sha256).hexdigest()[:12]

    def token(self, kind: str, text: str) -> str:
        """Return six symbols for a text: 30 bits of HMAC-SHA-256.

        Parameters
        ----------
        kind : str
            What the text is; equal texts of two kinds have nothing in common.
        text : str
            For example a USUBJID.

        Returns
        -------
        str
            Digits and capital letters without I, L, O and U.

        Raises
        ------
        None
        """
        digest = hmac.new(self.secret, f"{kind}\x1f{text}".encode(), hashlib.sha256).digest()
        number = int.from_bytes(digest, "big")
        return "".join(_ALPHABET[(number >> 5 * place) & 31] for place in range(_SYMBOLS))


def find_key(study: Study) -> Key:
    """Return the key with which the participants of a study are named.

    Parameters
    ----------
    study : Study
        ``study.label`` and ``data.path`` decide whether the public key beside synthetic data counts.

    Returns
    -------
    Key
        From the file that the variable INTERIM_PRIVACY_KEY names, else beside synthetic data, else of the user.

    Raises
    ------
    ReportError
        If there is no key, it cannot be read, lies in a repository, or is a public one and the data are not synthetic.
    """
    named = os.environ.get(VARIABLE)
    label = study.study.label
    synthetic, open_data = SYNTHETIC in label, any(word in label for word in _OPEN_DATA)
    data = None if study.data.path is None else study.file.parent / study.data.path
    if named:
        return _usable(Path(named), open_data=open_data)
    if synthetic and data is not None and public_place(data).is_file():
        return _usable(public_place(data), open_data=True)
    if user_place().is_file():
        return _usable(user_place(), open_data=open_data)
    again = (
        f"; synthetic data bring theirs: interim example {os.path.relpath(data)}"
        if synthetic and data
        else ""
    )
    raise ReportError(
        f"no key for the pseudo-ids of {study.study.id}: the variable {VARIABLE} is not set and {user_place()} does not exist; "
        f"make a key once: interim key (or: interim key FILE, and set {VARIABLE} to FILE){again}"
    )


def user_place() -> Path:
    """Return where the key of a user lies.

    Returns
    -------
    Path
        ``interim/privacy.key`` in the user's folder of settings.

    Raises
    ------
    None
    """
    home = os.environ.get("XDG_CONFIG_HOME") or os.environ.get("APPDATA") or Path.home() / ".config"
    return Path(home) / "interim" / "privacy.key"


def public_place(folder: Path) -> Path:
    """Return where the public key of synthetic data lies.

    Parameters
    ----------
    folder : Path
        The folder of the data.

    Returns
    -------
    Path
        ``FOLDER.key`` beside it.

    Raises
    ------
    None
    """
    whole = Path(os.path.normpath(folder))
    return whole.with_name(f"{whole.name}.key")


def _usable(file: Path, *, open_data: bool) -> Key:
    key = read_key(file)
    if key.public and not open_data:
        raise ReportError(
            f"{file}: is the public key, and the label of this study says neither {' nor '.join(_OPEN_DATA)}; "
            f"make a key: interim key FILE, and set {VARIABLE} to FILE"
        )
    if not key.public:
        _outside(file)
    return key


def _outside(file: Path) -> None:
    for folder in file.resolve().parents:
        if (folder / ".git").exists():
            raise ReportError(
                f"{file}: lies in the repository {folder}; whoever has a copy of it could name the participants: "
                f"move the key out of it and set {VARIABLE} to its new place"
            )


def read_key(file: Path) -> Key:
    """Read a key.

    Parameters
    ----------
    file : Path
        One line: ``interim-privacy-key:secret:`` and 64 hexadecimal digits.

    Returns
    -------
    Key
        The key.

    Raises
    ------
    ReportError
        If the file cannot be read or is no key.
    """
    try:
        text = file.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise ReportError(
            f"{file}: the key of the pseudo-ids cannot be read ({type(error).__name__}); put the file back, "
            f"or set {VARIABLE} to its place"
        ) from error
    head, _, rest = text.partition(":")
    kind, _, digits = rest.partition(":")
    known = head == _HEAD and kind in (_PRIVATE, _PUBLIC) and len(digits) == _HEX_DIGITS
    if not known or set(digits) - set("0123456789abcdef"):
        raise ReportError(
            f"{file}: is no key of pseudo-ids (expected {_HEAD}:{_PRIVATE}: and {_HEX_DIGITS} hexadecimal digits); "
            "make one: interim key FILE"
        )
    return Key(bytes.fromhex(digits), public=kind == _PUBLIC)


def write_key(file: Path | None = None) -> Path:
    """Make a key by chance and write it to a file that only its owner can read.

    Parameters
    ----------
    file : Path, optional
        Where; default `user_place`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ReportError
        If the file exists (a lost key cannot be made again), lies in a repository, or cannot be written.
    """
    target = user_place() if file is None else file
    _outside(target)
    if target.exists():
        raise ReportError(
            f"{target}: exists and is left as it is; another key gives every participant another pseudo-id"
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ReportError(f"{target}: cannot be written ({error.strerror}); name another file") from error
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(f"{_HEAD}:{_PRIVATE}:{secrets.token_hex(_HEX_DIGITS // 2)}\n")
    return target


def write_public_key(folder: Path) -> Path:
    """Write the public key beside synthetic data; it is the same everywhere and protects nobody.

    Parameters
    ----------
    folder : Path
        The folder of the data.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    target = public_place(folder)
    digits = hashlib.sha256(_PUBLIC_TEXT.encode()).hexdigest()
    target.write_text(f"{_HEAD}:{_PUBLIC}:{digits}\n", encoding="ascii")
    return target


def make_key(file: Path | None = None) -> tuple[str, ...]:
    """Write a key and say what to do with it.

    Parameters
    ----------
    file : Path, optional
        As in `write_key`.

    Returns
    -------
    tuple of str
        Lines for the user; the key itself is not among them.

    Raises
    ------
    ReportError
        As `write_key`.
    """
    target = write_key(file)
    own = target == user_place()
    return (
        f"written: {target}",
        *(() if own else (f"next: set {VARIABLE} to {target.resolve()}",)),
        "keep it, and a copy in a safe place: without it no participant has the same pseudo-id again",
    )
