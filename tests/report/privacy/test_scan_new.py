"""A file is searched in what is new since its last clean version: nothing that a whole search finds is lost by it."""

from __future__ import annotations

import io
import zipfile
from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.report.cache import Cache
from interim.report.content import text_table
from interim.report.hashes import sha256_bytes
from interim.report.html import write_html
from interim.report.pdf import write_pdf
from interim.report.privacy import scan as module
from interim.report.privacy.surfaces import UnscannableError
from interim.report.privacy.surfaces_new import Fresh
from interim.report.privacy.surfaces_pages import pages
from interim.report.privacy.surfaces_quick import quick
from interim.report.rtf import rtf_text
from interim.report.stamp import PLACE, entered
from interim.report.word import write_docx
from tests.report import writers_sample as sample
from tests.report.privacy.planted import LABEL, PLANTED, document, names, scan

HOLE = "HOLE"
PARTS = ["before 138001", "38000 behind", "MRN", "0012345", "姓名：", "王小", "明 x", "a-", "call 1380013-"]


def text(number: int) -> str:
    return f"{PARTS[number % len(PARTS)]} row {number}"


def html(rows) -> bytes:
    cells = "".join(
        f'<tr><td id="r{n}" title="t {n}">{escape(row)}</td><td>{n}</td></tr>' for n, row in enumerate(rows)
    )
    notes = "".join(f"<p>{escape(row)} <b>note</b></p>" for row in rows[:4])
    pictures = '<figure><!-- a note --><img src="data:image/svg+xml;base64,PHN2Zy8+" alt="x > y"><p>z</p></figure>'.replace(
        " > ", " &gt; "
    )
    return f"<html><body><p>{LABEL}</p>{notes}<table>{cells}</table>{pictures}<ul><li>a</li></ul><p>end</p></body></html>".encode()


def word(rows) -> bytes:
    cells = "".join(
        f'<w:tr><w:tc w:id="{n}"><w:p><w:r><w:t>{escape(row)}</w:t></w:r></w:p></w:tc></w:tr>'
        for n, row in enumerate(rows)
    )
    return packed(f'<w:x xmlns:w="w"><w:p>{LABEL}</w:p><w:tbl>{cells}</w:tbl><w:p>end</w:p></w:x>'.encode())


def packed(content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as book:
        book.writestr("word/document.xml", content)
        book.writestr("word/header1.xml", "<?xml version='1.0'?><w:p>x</w:p>")
    return stream.getvalue()


def rtf(rows) -> bytes:
    told = ["".join(f"\\u{ord(letter)}?" if ord(letter) > 127 else letter for letter in row) for row in rows]
    cells = "".join(f"\\trowd\\cellx1\\pard {row}\\cell\\b {n}\\cell\\row\n" for n, row in enumerate(told))
    picture = "{\\pict\\pngblip " + "0a" * 40 + "}\\par\n"
    return f"{{\\rtf1 {LABEL}\\par\n{cells}{picture}end\\par\nlast}}".encode("ascii")


def shown(row: str) -> bytes:
    return b"".join(b"\\%03o\\%03o" % divmod(ord(letter), 256) for letter in row)


def pdf(rows) -> bytes:
    """A page with a line for each text, and tags enough for two blocks."""
    lines = b"".join(
        b"\nq 1 0 0 -1 50 %d cm/c0 cs 0 scn\nBT 0 Tr/f0 8 Tf 1 0 0 -1 0 0 Tm[(%s)]TJ\nET\nQ\nEMC/Span<</MCID %d>>BDC"
        % (800 - 8 * (n // 2 if n < 6 else n), shown(row), n)
        for n, row in enumerate(rows)
    )
    letters = b"\n".join(b"<%04X> <%04X>" % (ord(x), ord(x)) for x in sorted(set("".join(rows))))
    bodies = [
        b"<</Type/Catalog/Title(%s)>>" % LABEL.encode(),
        b"<</Type/Page/Resources<</Font<</f0 4 0 R>>>>/Contents 3 0 R>>",
        b"<</Length 1>>\nstream\n/P BDC%s\nEMC\nendstream" % lines,
        b"<</Type/Font/ToUnicode 5 0 R>>",
        b"<</Length 2>>\nstream\n%s\nendstream" % letters,
        *(b"<</Type/StructElem/S/TD/T(tag %d)/K[%d]>>" % (n, n) for n in range(6, 790)),
    ]
    return b"%PDF-1.7" + b"".join(b"\n%d 0 obj\n%s\nendobj" % it for it in enumerate(bodies, 1))


FORMS = {".html": html, ".docx": word, ".rtf": rtf, ".pdf": pdf}
ROWS = [text(n) for n in range(40)]
OLD = {form: make(ROWS) for form, make in FORMS.items()}
FRAGMENTS = [
    b"", b"13800138000", b" 800", b"138", b"-", b"</tr>", b"</p>", b"</w:tr>", b"<", b">", b'"', b"'", b"<!--", b"-->", b"<script>",
    b'<img alt="<script">', b"data:image/png;base64,", b"data:text/html,", b"&#49;", "１３８".encode(), b"\\row\n", b"\\par\n", b"\\",
    b"{", b"}", b"{\\pict\\pngblip ", b"\\object", b"stream\n", b"endstream", b"endobj", b"\n512 0 obj\n", b"(", b")", b"<FEFF0031>", b"/JavaScript",
    b"<<", b">>", b"/Contents 3 0 R", b" Tj", b"'", b" cm", b"[", b"]",
]  # fmt: skip


def lines(found) -> set[str]:
    return {line for piece in found for line in piece.text.split("\n")}


def unpacked(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        return book.read("word/document.xml")


def changed(form: str, cuts) -> bytes:
    """The file with other bytes at some places."""
    data = unpacked(OLD[form]) if form == ".docx" else OLD[form]
    for place, length, fragment in cuts:
        begin = round(place * len(data))
        data = data[:begin] + fragment + data[begin + length :]
    return packed(data) if form == ".docx" else data


def check(name: str, old: bytes, new: bytes) -> Fresh | None:
    """Compare the lines of a file with those that were known and those that are new; None if it is read whole."""
    first = Fresh()
    known = list(quick(name, old, first))
    fresh = Fresh(frozenset(() if first.unsure else first.seen))
    try:
        told = list(quick(name, new, fresh))
    except UnscannableError:
        return None
    if fresh.unsure:
        return None
    whole = list(quick(name, new))
    assert lines(whole) <= lines(known) | lines(told)
    assert {piece.hidden for piece in whole} <= {piece.hidden for piece in [*known, *told]}
    return fresh


CUTS = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from([0, 0, 1, 3, 8, 30, 200]), st.sampled_from(FRAGMENTS)), min_size=1, max_size=3
)  # fmt: skip


@pytest.mark.rule("PRV-53")
@pytest.mark.parametrize("form", sorted(FORMS))
def test_the_lines_of_a_changed_file_are_those_that_are_known_and_those_that_are_new(form):
    @settings(max_examples=120, deadline=None)
    @given(CUTS)
    def law(cuts):
        check(f"x{form}", OLD[form], changed(form, cuts))

    law()
    same = check(f"x{form}", OLD[form], OLD[form])
    assert same is not None and same.partial and same.seen == same.known
    assert len(lines(quick(f"x{form}", OLD[form], same))) < len(lines(quick(f"x{form}", OLD[form]))) / 2


def both(name: str, new: bytes, home) -> tuple:
    """What is found after a clean version, and what a scan without a cache finds."""
    return scan(cache=Cache(home), labels=(LABEL,)).file(name, new), scan(labels=(LABEL,)).file(name, new)


def clean(name: str, old: bytes, home) -> None:
    assert scan(cache=Cache(home), labels=(LABEL,)).file(name, old) == ()


@pytest.mark.rule("PRV-53")
@pytest.mark.parametrize("planted", sorted(PLANTED))
@pytest.mark.parametrize("form", sorted(FORMS))
def test_an_identifier_is_found_wherever_it_is_entered(form, planted, tmp_path):
    rows, name = [f"line {n}" for n in range(40)], f"documents/x{form}"
    clean(name, FORMS[form](rows), tmp_path)
    for place in (0, 2, 24, 39):
        found, whole = both(
            name, FORMS[form]([*rows[:place], PLANTED[planted], *rows[place + 1 :]]), tmp_path
        )
        assert found == whole and names(found, scan()) == {planted}


@pytest.mark.rule("PRV-53")
@pytest.mark.parametrize(
    ("form", "old", "new"),
    [
        (".html", b"138001</td><td>0</td></tr><tr><td>38000", b"13800138000"),
        (".html", b"<tr><td>x 138001</td></tr><tr><td>38000 y</td></tr>", b"<tr><td>x 138001<!--</td></tr>--><b>38000 y</b></td></tr>"),
        (".html", b"<p>a</p><p>13800</p><p>138000</p>", b'<p>a</p><img alt="<p>13800</p><p>138000</p>13800138000">'),
        (".html", b"<p>a</p><p>b</p><p>c</p>", b"<p>a</p><!-- <p>b</p> 138001&#51;8000 --><p>c</p>"),
        (".html", b"<p>a</p><p>b</p><p>c</p>", "<p>a</p><p>１３８００１３８０００</p><p>c</p>".encode()),
        (".html", b"<p>a</p><p>b</p><p>c</p>", b'<p>a</p><p><img alt="<script">b</p><p>c</p>'),
        (".html", b"<p>a</p><p>b</p><p>c</p>", b"<p>a</p><p><SCRIPT>b</p><p>c</p>"),
        (".html", b"<p>a</p><p>b</p><p>c</p>", b'<p>a</p><img src="data:application/x,1"><p>b</p><p>c</p>'),
        (".html", b"<p>a</p><p>b</p><p>c</p>", b"<p>a</p>data:image/svg+xml,<svg><desc>13800138000</desc></svg><p>b</p><p>c</p>"),
        (".html", LABEL.encode(), b"SYNTHETIC"),
        (".rtf", b"138001\\par\nb\\par\n38000\\par\n", b"13800\\'31\\u51 ?8000\\par\n"),
        (".rtf", b"a\\par\nb\\par\nc\\par\n", b"a\\par\n{\\object x}\\par\nb\\par\nc\\par\n"),
        (".rtf", b"138001\\par\n38000\\par\n", b"13800138000\\par\n"),
        (".rtf", b"C:\\\\Users\\\\{\\b}\\par\nx\\par\n", b"C:\\\\Users\\\\\\\\par\nx\\par\n"),
        (".rtf", b"a\\par\nb\\par\n", b"{\\pict\\pngblip\\par\n " + b"tel 13800138000, MRN 0012345 and all the rest of it".hex().encode() + b"}\\par\nb\\par\n"),
        (".pdf", b"(tag 300)", b"(tag 13800138000)"),
        (".pdf", b"/T(tag 300)", b"/T(tag 300)/JavaScript 1"),
        (".pdf", b"(tag 512)", b"<FEFF00310033003800300030003100330038003000300030>"),
    ],
)  # fmt: skip
def test_what_only_neighbours_together_or_odd_markup_show_is_found(form, old, new, tmp_path):
    """A short file of many pieces, the old and the new bytes in the middle of it."""
    if form == ".pdf":
        before, after = OLD[form], OLD[form].replace(old, new)
    else:
        rows = [f"line {n}" for n in range(12)]
        made = FORMS[form]([*rows, HOLE, *rows]) if old != LABEL.encode() else FORMS[form](rows)
        middle = {".html": b"</td><td>12</td></tr>", ".rtf": b"\\cell\\b 12\\cell\\row\n"}[form]
        hole = HOLE.encode() + middle
        before = made.replace(hole, old + middle)
        after = made.replace(hole, new + middle) if hole in made else made.replace(old, new)
    assert before != after
    name = f"documents/x{form}"
    clean(name, before, tmp_path)
    found, expected = both(name, after, tmp_path)
    assert found == expected != ()


@pytest.mark.rule("PRV-53")
def test_a_string_of_a_pdf_that_goes_across_a_known_block_is_read(tmp_path):
    """A number that stands in no string is no text, until objects before and behind it make one of it."""
    old = OLD[".pdf"].replace(b"(tag 300)", b"(tag 300)/N 13800138000 ")
    new = old.replace(b"(tag 255)", b"(tag 255").replace(b"(tag 780)", b"tag 780)")
    clean("documents/x.pdf", old, tmp_path)
    found, expected = both("documents/x.pdf", new, tmp_path)
    assert found == expected != ()


@pytest.mark.rule("PRV-53")
@pytest.mark.parametrize(
    ("first", "second"), [("call 13800-", "138000 x"), ("id TRIAL-01-", "007"), ("tel", "0301234567")]
)
def test_a_word_broken_at_the_foot_of_a_page_is_found(first, second, tmp_path):
    old, name = [f"line {n}" for n in range(40)], "documents/x.pdf"
    for place in range(20, 28):
        new = [*old[:place], first, second, *old[place + 2 :]]
        for number, before in enumerate((old, [*new[: place + 1], *old[place + 1 :]])):
            home = tmp_path / f"{place}{number}"
            clean(name, pdf(before), home)
            found, whole = both(name, pdf(new), home)
            assert found == whole


@pytest.mark.rule("PRV-53")
@pytest.mark.parametrize(
    ("form", "piece"),
    [
        (".html", b"<p>a</p>a < b</p><p>c</p>"),
        (".html", b"<p>a</p><!-- </p> --><p>c</p>"),
        (".html", b"<p>a</p>data:image/jpeg,</p>)<p>c</p>"),
        (".html", b"<p>a</p><b data:image/jpeg,>)</p><p>c</p>"),
        (".html", b"<p>a</p><b <!-- > --></p><p>c</p>"),
        (".html", b"<p>a</p><b title='</p>'><p>c</p>"),
        (".rtf", b"a\\par\nb\\\\par\nc\\par\n"),
        (".rtf", b"a\\par\n{\\pict\\pngblip \\par\n0a}\\par\n"),
        (".rtf", b"a\\par\n{\\pict\\wmetafile8 \\row\n0a}\\par\n"),
        (".rtf", b"a\\par\n{\\pict\\dibitmap0 \\row\n0a}\\par\n"),
    ],
)
def test_a_piece_that_may_go_on_behind_its_cut_makes_the_file_read_whole(form, piece):
    fresh, start = Fresh(), OLD[form][: -len(b"last}") if form == ".rtf" else None]
    list(quick(f"x{form}", start + piece, fresh))
    assert fresh.seen and fresh.unsure


@pytest.mark.rule("PRV-53")
def test_a_file_that_is_read_whole_for_its_form_leaves_nothing_known(tmp_path, reads):
    for number in range(2):
        data = OLD[".html"] + b"<p title='a'>b</p>" + b" " * number
        scan(cache=Cache(tmp_path), labels=(LABEL,)).file("documents/x.html", data)
    assert [(len(of.known), of.partial) for of in reads] == [(0, False), (0, False)]


BLOCKS = b"".join(b"\n%d 0 obj\n<</T(tag %d)>>\nendobj" % (n, n) for n in range(1, 600))


@pytest.mark.rule("PRV-53")
@pytest.mark.parametrize(
    ("old", "new", "known"),
    [
        (b"(tag 10)", b"(tag 11)", True),
        (b"(tag 300)", b"(tag 301)", False),
        (b"\n255 0 obj\n<</T(tag 255)>>", b"\n255 0 obj\n<<>>\nstream\n1", False),
        (b"(tag 255)>>\nendobj", b"(tag 255", False),
    ],
)
def test_a_block_of_a_pdf_is_left_out_only_between_whole_objects(old, new, known):
    first = Fresh()
    assert first.pdf(BLOCKS) == BLOCKS
    assert len(first.seen) == 1
    fresh = Fresh(frozenset(first.seen))
    told = fresh.pdf(BLOCKS.replace(old, new))
    assert (b"(tag 400)" not in told) is known
    assert b"(tag 200)" in told and b"(tag 520)" in told


@pytest.mark.rule("PRV-53")
@pytest.mark.parametrize(
    "body",
    [
        b"(open",
        b"(a))",
        b"(a\\))",
        b"/Contents 3 0 R",
        b"/Resources 4 0 R",
        b"/Type/Font",
        b">>\nendobj\n3 0 obj\n<<endobj",
        b">>\nstream\nendstream<<",
    ],
)
def test_a_block_that_is_needed_or_goes_on_in_the_next_is_never_known(body):
    fresh = Fresh()
    fresh.pdf(BLOCKS.replace(b"(tag 300)", body))
    assert not fresh.seen


def page(rows, heights) -> bytes:
    lines = (
        b"\nq 1 0 0 -1 50 %d cm/c0 cs 0 scn\nBT 0 Tr/f0 8 Tf 1 0 0 -1 0 0 Tm[(%s)]TJ\nET\nQ"
        % (height, shown(row))
        for row, height in zip(rows, heights, strict=True)
    )
    return b"".join(lines) + b"\n"


LETTERS = {7: {n: chr(n) for n in range(32, 127)}}


def pages_of(content: bytes, fresh: Fresh, letters=LETTERS) -> set[str]:
    ((_, told),) = pages({1: content}, {1: {b"f0": 7}}, letters, fresh=fresh)
    return set(told.split("\n"))


@pytest.mark.rule("PRV-53")
def test_a_page_is_cut_between_two_lines(tmp_path):
    """Sixteen texts at the foot; the first of them share a height or are empty or broken, so the cut is below these."""
    rows = [f"row {n}" for n in range(30)]
    for broken in ("row 14", "", "row-"):
        rows[16] = broken
        heights = [600 - n for n in range(14)] + [500, 500, 500] + [400 - n for n in range(13)]
        first = Fresh()
        whole = pages_of(page(rows, heights), first)
        foot = pages_of(page(rows, heights), Fresh(frozenset(first.seen)))
        assert foot < whole and "row 29" in foot and len(first.seen) == 1
        assert not any("row 15" in line for line in foot)
        assert ("row 17" in foot) is (broken == "row 14")


@pytest.mark.rule("PRV-53")
def test_a_page_is_known_with_the_letters_of_its_fonts_and_in_the_form_that_is_read_in_bulk():
    content = page([f"row {n}" for n in range(30)], range(900, 600, -10))
    first = Fresh()
    whole = pages_of(content, first)
    other = {7: {**LETTERS[7], ord("r"): "R"}}
    assert pages_of(content, Fresh(frozenset(first.seen)), other) == {
        line.replace("r", "R") for line in whole
    }
    odd = Fresh(frozenset(first.seen))
    pages_of(content + b"(\\000A) '", odd)
    assert odd.unsure and not odd.seen


@pytest.fixture
def reads(monkeypatch) -> list[Fresh]:
    """What was known of the files that are read."""
    seen: list[Fresh] = []
    monkeypatch.setattr(module, "quick", lambda name, data, of: seen.append(of) or quick(name, data, of))
    return seen


def _rtf(made, path) -> None:
    path.write_text(rtf_text(made), encoding="ascii")


WRITERS = {".pdf": write_pdf, ".docx": write_docx, ".html": write_html, ".rtf": _rtf}


def written(form: str, rows, home, **front) -> bytes:
    table = text_table("T 14.1.1.1", "Texts", head=["Text", "B"], rows=[(row, "b") for row in rows])
    made = document(**front)
    WRITERS[form](type(made)(made.front, (sample.Section(1, "1", "Response", "s-1"), table)), home / "x")
    return (home / "x").read_bytes()


@pytest.mark.rule("PRV-53")
@pytest.mark.parametrize("form", sorted(WRITERS))
def test_of_a_file_of_the_writers_little_is_read_again(form, tmp_path, reads):
    """Another row and another hash of the data: the stamped file is read in part, and its next hash by lines alone."""
    rows = [f"row {n}" for n in range(400)]
    cache, name = Cache(tmp_path / "cache"), f"documents/x{form}"
    templates = [
        written(form, rows, tmp_path, snapshot=PLACE)
        for rows in (rows, [*rows[:200], "row 002", *rows[201:]])
    ]
    stamps = [("0a1b2c3d4e5f", 0), ("9f8e7d6c5b4a", 1), ("123456789012", 1)]
    for digits, which in stamps:
        data = entered(templates[which], form, {PLACE: digits})
        of = scan(cache=cache, labels=(LABEL,), marks={PLACE: digits})
        of.template(name, sha256_bytes(data), f"{which}" * 64)
        assert of.file(name, data) == ()
    first, second = reads
    assert not first.partial and second.partial and not second.unsure
    assert len(second.seen - second.known) <= 3 < len(second.seen)


@pytest.mark.rule("PRV-53")
@pytest.mark.parametrize("form", sorted(FORMS))
def test_a_hash_in_a_known_piece_is_sought_when_it_changes(form, tmp_path):
    """The piece was known before its digits were those of the data; then the data and so the digits change."""
    digits = "abcdefabcde1"
    rows = [f"line {n}" for n in range(40)]
    known = [*rows[:8], f"MRN {digits}", *rows[9:]]
    name, cache = f"documents/x{form}", Cache(tmp_path)
    versions = [
        ("0" * 12, known, "1"),
        (digits, [*known[:20], "other", *known[21:]], "2"),
        (
            "400123456789",
            [row.replace(digits, "400123456789") for row in [*known[:20], "other", *known[21:]]],
            "2",
        ),
    ]
    for number, (entered_digits, texts, template) in enumerate(versions):
        of = scan(cache=cache, labels=(LABEL,), marks={PLACE: entered_digits})
        data = FORMS[form](texts)
        of.template(name, sha256_bytes(data), template * 64)
        assert bool(of.file(name, data)) == (number == 2)


@pytest.mark.rule("PRV-53")
@pytest.mark.parametrize(
    "change",
    [{"labels": ()}, {"labels": (LABEL, "other")}, {"cache": Cache(None)}, {"name": "documents/y.html"}],
)
def test_what_is_known_rests_on_name_label_and_cache(change, tmp_path, reads):
    given_ = {"cache": Cache(tmp_path), "labels": (LABEL,)}
    scan(**given_).file("documents/x.html", OLD[".html"])
    other = {**given_, **change}
    name = other.pop("name", "documents/x.html")
    scan(**other).file(name, OLD[".html"] + b" ")
    assert [of.partial for of in reads] == [False, False]


@pytest.mark.rule("PRV-53")
def test_a_version_with_a_find_leaves_what_is_known_as_it_was(tmp_path, reads):
    """The mended file is read in part; the one with the find is read whole."""
    cache, name = Cache(tmp_path), "documents/x.html"
    rows = [f"line {n}" for n in range(40)]
    found = [
        bool(scan(cache=cache, labels=(LABEL,)).file(name, html([*rows, *more])))
        for more in ([], ["call 13800138000"], ["call 13800138000", "x"], ["call nobody"])
    ]
    assert found == [False, True, True, False]
    assert [(bool(of.known), of.partial) for of in reads] == [
        (False, False),
        *[(True, True), (False, False)] * 2,
        (True, True),
    ]


@pytest.mark.rule("PRV-53")
def test_what_is_known_outlives_builds_in_which_the_file_is_the_same(tmp_path, reads):
    cache, name, rows = Cache(tmp_path), "documents/x.html", [f"line {n}" for n in range(40)]
    for texts in [rows] * 5 + [[*rows, "one more"]]:
        cache.begin()
        scan(cache=cache, labels=(LABEL,)).file(name, html(texts))
        cache.end("report")
    assert [of.partial for of in reads] == [False, True]
