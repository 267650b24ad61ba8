"""One identifier of every pattern, and every surface of a file on which one can stand."""

from __future__ import annotations

import base64
import io
import json
import struct
import zipfile
import zlib
from html import escape
from pathlib import Path

import pandas as pd

from interim.data.write.tables import write_dataset_json
from interim.data.write.xport import write_xport
from interim.display.table import BLOCK, written
from interim.report.content import Document, Paragraph, Span, text_table
from interim.report.pdf import write_pdf
from interim.report.privacy.identifiers import Matcher
from interim.report.privacy.known import Known
from interim.report.privacy.scan import Scan
from interim.report.rtf import rtf_text
from interim.report.word import write_docx
from tests.report import writers_sample as sample

LABEL = "SYNTHETIC - NOT PATIENT DATA"
KNOWN = Known(
    participant=frozenset({"TRIAL-01-007", "01-007"}),
    product=frozenset({"NK-LOT-77"}),
    person=frozenset({"Wang Xiaoming", "王小明"}),
    short=frozenset({"1015", "WXM"}),
)
# The checksum of the identity number is that of the example in GB 11643-1999.
PLANTED = {
    "participant": "see 01-007 of the site",
    "product": "from NK-LOT-77",
    "person": "signed by Wang Xiaoming",
    "short id": "patient no. 1015",
    "name (zh)": "姓名：李雷",
    "name (en)": "Patient name: Zhang",
    "initials": "initials: L.H.",
    "mobile phone (zh)": "call 13800138000 now",
    "telephone": "Tel. +49 (30) 1234567",
    "resident id (zh)": "id 11010519491231002X",
    "record number (zh)": "住院号：0012345",
    "record number (en)": "MRN 0012345",
    "e-mail": "li.lei@hospital.example.cn",
    "date (en)": "on 2025-03-14 at home",
    "date (zh)": "于2025年3月14日",
    "path": "in /home/someone/trial",
    "computer": "made on ward-pc-17",
    "host": "from 192.168.1.20",
    "lot number": "lot no. A2025-7",
    "scan id": "accession no. CT-200311",
}
LATIN = {name: text for name, text in PLANTED.items() if text.isascii()}
NOT_ASKED = {
    "document": set(),
    "notebook": set(),
    **{key: {"date (en)", "date (zh)"} for key in ("data", "record")},
}


def scan(folder: Path = Path(), **changes) -> Scan:
    matcher = Matcher(KNOWN, frozenset({"ward-pc-17"}), frozenset({"2026-06-30", "2026-01-31"}))
    return Scan(folder, matcher, **changes)


def names(found, of: Scan) -> set[str]:
    return {of.matcher.patterns[one.pattern].name for one in found}


def _lines(texts: dict[str, str]) -> str:
    return "\n".join(texts.values())


def _html(texts, form: str) -> bytes:
    items = [escape(text) for text in texts.values()]
    made = {
        "text": "".join(f"<p><b>{text[:3]}</b>{text[3:]}</p>" for text in items),
        "attribute": "".join(f'<img alt="{text}" src="">' for text in items),
        "comment": "".join(f"<!-- {text} -->" for text in items),
        "picture": f'<img alt="x" src="data:image/svg+xml;base64,{base64.b64encode(_svg(texts)).decode()}">',
        "references": "".join(f"<p>{''.join(f'&#{ord(letter)};' for letter in text)}</p>" for text in items),
    }[form]
    return f"<html><body><p>{LABEL}</p>{made}</body></html>".encode()


def _svg(texts) -> bytes:
    """A drawing whose letters are paths: the texts stand in comments, as matplotlib writes them."""
    parts = "".join(f'<g><!-- {escape(text)} --><path d="M 1 2"/></g>' for text in texts.values())
    return f'<svg xmlns="http://www.w3.org/2000/svg">{parts}</svg>'.encode()


def document(texts=(), **front) -> Document:
    blocks = (
        sample.Section(1, "1", "Response", "s-1"),
        *(Paragraph((Span(text),)) for text in texts or ("–",)),
    )
    return Document(sample.front(**{"title": "Report", "details": (), **front}), blocks)


def _docx(texts, part: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as book:
        book.writestr("[Content_Types].xml", f"<Types><Override>{LABEL}</Override></Types>")
        runs = "".join(
            f"<w:p><w:r><w:t>{escape(t)[:4]}</w:t></w:r><w:r><w:t>{escape(t)[4:]}</w:t></w:r></w:p>"
            for t in texts.values()
        )
        book.writestr(part, f'<w:x xmlns:w="w">{runs}</w:x>')
    return stream.getvalue()


def _zip(name: str, data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as book:
        book.writestr(name, data)
    return stream.getvalue()


def _notebook(texts, form: str) -> bytes:
    lines = list(texts.values())
    cell = {"cell_type": "code", "id": "a", "source": ["x"], "metadata": {}, "outputs": []}
    book = {"cells": [cell], "metadata": {}}
    if form == "source":
        cell["source"] = [f"# {line}\n" for line in lines]
    elif form == "metadata":
        book["metadata"] = {"notes": {str(n): line for n, line in enumerate(lines)}}
    elif form == "stream":
        cell["outputs"] = [{"output_type": "stream", "text": "\n".join(lines)}]
    elif form == "html":
        cell["outputs"] = [
            {"output_type": "display_data", "data": {"text/html": _html(texts, "text").decode()}}
        ]
    elif form == "png":
        cell["outputs"] = [
            {
                "output_type": "display_data",
                "data": {"image/png": base64.b64encode(_png(texts, b"iTXt")).decode()},
            }
        ]
    else:
        block = {"kind": "figure", "svg": _svg(texts).decode(), "png": sample.png()}
        if form == "block text":
            block = {"kind": "table", "title": "\n".join(['"as printed"', *lines])}
        cell["outputs"] = [
            {
                "output_type": "display_data",
                "data": {BLOCK: block if form == "block tree" else written(block)},
            }
        ]
    return json.dumps(book, ensure_ascii=form == "source").encode()


def _png(texts, kind: bytes) -> bytes:
    text = _lines(texts)
    body = {
        b"tEXt": lambda: b"Comment\0" + text.encode("latin-1"),
        b"zTXt": lambda: b"Comment\0\0" + zlib.compress(text.encode("latin-1")),
        b"iTXt": lambda: b"Comment\0\1\0zh\0\0" + zlib.compress(text.encode()),
        b"eXIf": lambda: b"II*\0" + text.encode(),
    }[kind]()
    image = base64.b64decode(sample.png())
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return image[:33] + chunk + image[33:]


def _written(write, made: Document, home: Path, ending: str) -> bytes:
    path = home / f"x{ending}"
    write(made, path)
    return path.read_bytes()


def _frame(texts) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": ["P-1"] * len(texts), "AETERM": list(texts.values())})


def _parquet(texts, home: Path) -> bytes:
    _frame(texts).to_parquet(home / "x.parquet")
    return (home / "x.parquet").read_bytes()


def _parquet_metadata(texts, home: Path) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"A": [1.0]}).replace_schema_metadata({"note": _lines(texts)})
    pq.write_table(table, home / "x.parquet")
    return (home / "x.parquet").read_bytes()


def _xport(texts, home: Path) -> bytes:
    moment = sample.front().timestamp
    write_xport(_frame(texts), home / "x.xpt", name="AE", label="Events", labels={}, moment=moment)
    return (home / "x.xpt").read_bytes()


def _dataset_json(texts, home: Path) -> bytes:
    write_dataset_json(_frame(texts), home / "x.json", name="AE", labels={"": "Events"})
    return (home / "x.json").read_bytes()


def _rtf(texts) -> bytes:
    table = text_table("T 14.1.1.1", "Texts", head=["Text"], rows=[(text,) for text in texts.values()])
    return rtf_text(Document(sample.front(title="Report", details=()), (table,))).encode("ascii")


def _attached(texts, home: Path) -> bytes:
    data = _written(write_pdf, document(), home, ".pdf")
    body = zlib.compress(_lines(texts).encode())
    head = f"99999 0 obj\n<</Type/EmbeddedFile/Filter/FlateDecode/Length {len(body)}>>\nstream\n".encode()
    return data + b"\n" + head + body + b"\nendstream\nendobj\n"


D, N = "documents/x", "notebooks/x"
# Surface -> name of the file, its bytes, and the identifiers that can stand there.
SURFACES = {
    **{f"HTML {form}": (f"{D}.html", lambda t, _, form=form: _html(t, form), PLANTED) for form in ("text", "attribute", "comment", "picture", "references")},
    "SVG": (f"{D}.svg", lambda t, _: _svg(t), PLANTED),
    **{
        f"DOCX {part}": (f"{D}.docx", lambda t, _, part=part: _docx(t, part), PLANTED)
        for part in ("word/document.xml", "word/header1.xml", "word/footer2.xml", "word/comments.xml", "docProps/core.xml", "docProps/custom.xml", "customXml/item1.xml")
    },
    "DOCX embedded sheet": (f"{D}.docx", lambda t, _: _zip("word/embeddings/a.xlsx", _docx(t, "xl/sharedStrings.xml")), PLANTED),
    "DOCX chart cache": (f"{D}.docx", lambda t, _: _docx(t, "word/charts/chart1.xml"), PLANTED),
    "DOCX of the writer": (f"{D}.docx", lambda t, home: _written(write_docx, document(t.values()), home, ".docx"), PLANTED),
    "DOCX title": (f"{D}.docx", lambda t, home: _written(write_docx, document(subtitle=" | ".join(t.values())[:250]), home, ".docx"), dict(list(PLANTED.items())[:6])),
    "PDF text": (f"{D}.pdf", lambda t, home: _written(write_pdf, document(t.values()), home, ".pdf"), PLANTED),
    "PDF properties": (f"{D}.pdf", lambda t, home: _written(write_pdf, document(subtitle=" | ".join(t.values())), home, ".pdf"), PLANTED),
    "PDF attachment": (f"{D}.pdf", _attached, PLANTED),
    "RTF": (f"{D}.rtf", lambda t, _: _rtf(t), PLANTED),
    "JSON": (f"{D}.json", lambda t, _: json.dumps(t).encode(), PLANTED),
    "CSV": (f"{D}.csv", lambda t, _: _lines(t).encode(), PLANTED),
    **{f"notebook {form}": (f"{N}.ipynb", lambda t, _, form=form: _notebook(t, form), PLANTED) for form in ("source", "metadata", "stream", "html", "png", "block", "block text", "block tree")},
    **{f"PNG {kind.decode()}": (f"{D}.png", lambda t, _, kind=kind: _png(t, kind), LATIN if kind != b"iTXt" else PLANTED) for kind in (b"tEXt", b"zTXt", b"iTXt", b"eXIf")},
    "JPEG": (f"{D}.jpg", lambda t, _: b"\xff\xd8\xff\xe1\0\0Exif\0\0" + _lines(t).encode(), PLANTED),
    "Parquet": ("data/x.parquet", _parquet, PLANTED),
    "Parquet metadata": ("data/x.parquet", _parquet_metadata, PLANTED),
    "transport file": ("adam/x.xpt", _xport, PLANTED),
    "Dataset-JSON": ("adam/x.json", _dataset_json, PLANTED),
    "ZIP": (f"{D}.zip", lambda t, _: _zip("documents/a.html", _html(t, "text")), PLANTED),
    "manifest": ("manifest.json", lambda t, _: json.dumps(t).encode(), PLANTED),
}  # fmt: skip
