"""Reading in bulk loses no identifier: the quick texts of a file hold what the piecewise readers find, and the prefilter every line."""

from __future__ import annotations

import io
import re

import pytest
from pypdf import PdfReader

from interim.report.pdf import write_pdf
from interim.report.privacy import surfaces_binary, surfaces_pages
from interim.report.privacy.prefilter import Sought, lines_with, plain, suspects
from interim.report.privacy.surfaces import pieces
from interim.report.privacy.surfaces_binary import _pdf_text
from interim.report.privacy.surfaces_pages import _decoded, _shown
from interim.report.privacy.surfaces_quick import quick
from tests.report.privacy.planted import PLANTED, SURFACES, document, scan


def held(texts) -> set[tuple[int, str]]:
    matcher = scan().matcher
    return {(hit.pattern, hit.value) for piece in texts for hit in matcher.hits(piece.text)}


@pytest.mark.rule("PRV-50")
@pytest.mark.parametrize("surface", sorted(SURFACES))
def test_the_quick_texts_hold_every_find_of_the_pieces(surface, tmp_path):
    name, make, planted = SURFACES[surface]
    data = make(planted, tmp_path)
    slow, fast = list(pieces(name, data)), list(quick(name, data))
    assert held(slow) <= held(fast)
    assert held(slow), surface
    assert {piece.hidden for piece in slow} == {piece.hidden for piece in fast}


@pytest.mark.rule("PRV-50")
@pytest.mark.parametrize(
    "text",
    [
        "<p>138<b>0013</b>8000</p>",
        '<p title="a > 13800138000">x</p>',
        "<p title='13800138000'>it's</p>",
        '<p title="it\'s 13800138000">x</p>',
        "<p>unclosed 13800138000 <",
        "<!-- 13800138000 <b>x</b> -->",
        '<svg><path d="M 1 2" id="s-13800138000"/></svg>',
        "<td>1</td><td>13800138000</td>",
        '<p>a</p><script src="x',
        "<p>a</p><SCRIPT>1</SCRIPT>",
        "<!-- <iframe> --><p>a</p>",
    ],
)
def test_markup_is_read_in_bulk_as_it_is_read_by_pieces(text):
    slow, fast = list(pieces("a.html", text.encode())), list(quick("a.html", text.encode()))
    assert held(slow) <= held(fast)
    assert {piece.hidden for piece in slow} <= {piece.hidden for piece in fast}


@pytest.mark.rule("PRV-50")
def test_pages_in_bulk_show_what_pages_one_by_one_show(tmp_path, monkeypatch):
    texts = [
        *PLANTED.values(),
        "Brackets ( ) [ ] and \\ backslash, a\\(b",
        "it's 'TJ' \"BT\" (24)",
        "中文 – dash",
    ]
    write_pdf(document(texts), tmp_path / "a.pdf")
    data = (tmp_path / "a.pdf").read_bytes()
    read = []
    monkeypatch.setattr(surfaces_pages, "_shown", lambda *given: read.append(_shown(*given)) or read[-1])
    fast = sorted(line for piece in quick("a.pdf", data) for line in piece.text.split("\n"))
    slow = sorted(line for piece in pieces("a.pdf", data) for line in piece.text.split("\n"))
    assert fast == slow
    assert any(read), "the writer's pages are of the form that is read in bulk"


@pytest.mark.rule("PRV-45")
@pytest.mark.parametrize("read", [quick, pieces])
def test_a_text_of_a_pdf_is_told_with_its_page(tmp_path, read):
    write_pdf(document([f"word{number} " * 900 for number in range(4)]), tmp_path / "a.pdf")
    data = (tmp_path / "a.pdf").read_bytes()
    found = {
        (piece.place, word) for piece in read("a.pdf", data) for word in re.findall(r"word\d", piece.text)
    }
    shown = enumerate((page.extract_text() for page in PdfReader(io.BytesIO(data)).pages), 1)
    assert found == {
        (f"page {number}", word) for number, text in shown for word in re.findall(r"word\d", text)
    }
    assert len({place for place, _ in found}) > 2


TEXT = b"0 Tr/f0 8 Tf 1 0 0 -1 0 0 Tm"


@pytest.mark.rule("PRV-50")
@pytest.mark.parametrize(
    "content",
    [
        b"q\nBT " + TEXT + b"[(\\000A)]TJ (\\000B) Tj\nET\n",
        b"q\nBT " + TEXT + b"[(\\000A)]TJ\nET\nBT /f0 8 Tf(\\000B)Tj ET",
        b"q\nBT " + TEXT + b"[(\\000A)]TJ\nET\n(\\000B) '",
        b"q\nBT " + TEXT + b"<0041> Tj\nET\n",
        b"q (\\000B) Tj\nBT " + TEXT + b"[(\\000A)]TJ\nET\n",
    ],
)
def test_a_page_of_another_form_is_not_read_in_bulk(content):
    assert _shown(content, {b"f0": 1}) is None
    assert _shown(b"q\nBT " + TEXT + b"[(\\000A)]TJ\nET\n", {b"f0": 1}) == [(1, b"(\\000A)", (b"", b"0"))]


@pytest.mark.rule("PRV-50")
@pytest.mark.parametrize(
    ("strings", "alone"),
    [
        ([rb"(\000A\000B)24(\000C)", rb"(\000D)"], 0),
        ([rb"(\000\)24\000\()"], 0),
        ([rb"(\000A" rb"(\000B))", rb"(\000C)"], 1),
        ([rb"(\000\x41)", rb"(\000C)"], 1),
        ([rb"(\000A\000)", rb"(\000B)"], 2),
        ([rb"(\000\\)", rb"(\000\()"], 0),
        ([rb"(\000A(\000)7(\000B\000))", rb"(\000A)-7.5(\000D)"], 1),
        ([rb"(\000A\000(\000B\000))", rb"(\000D)"], 1),
        ([rb"(\000A\377\377\000B)", rb"(\000C)"], 2),
    ],
)
def test_strings_that_cannot_be_decoded_together_are_decoded_alone(strings, alone, monkeypatch):
    letters = {0x41: "a", 0x42: "b", 0x43: "c", 0x44: "d"}
    single = [_pdf_text(one, letters) for one in strings]
    seen = []
    monkeypatch.setattr(
        surfaces_pages.binary, "_pdf_text", lambda one, of: seen.append(one) or _pdf_text(one, of)
    )
    assert _decoded(strings, letters) == single
    assert len(seen) == alone


@pytest.mark.rule("PRV-50")
@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-1.7\n1 0 obj\n<</A(x)>>\nendobj\n\n2 0 obj\n<</L 3>>\nstream\nabc\nendstream\nendobj\n",
        b"1 0 obj<</A 1>>endobj 2 0 obj<</B 2>>endobj",
        b"1 0 obj\n<</L 9>>\nstream\r\n7 0 obj\n(x)\nendobj\nendstream\nendobj\n12 0 obj\n[1]\nendobj",
        b"junk endobj 3 0 obj\n(a stream\nb)\nendobj",
    ],
)
def test_the_objects_of_a_file_are_those_of_one_expression(data):
    """Cut at the word that ends an object; a piece of another form is read with the expression for one object."""
    found = [(int(number), body.strip()) for number, body in surfaces_binary._PDF_OBJECT.findall(data)]
    assert [(number, body.strip()) for number, body in surfaces_binary._pdf_objects(data)] == found


@pytest.mark.rule("PRV-50")
@pytest.mark.parametrize(
    "text",
    [
        r"{\rtf1 a\par b\u20013 ?c\'e9d\line\tab e\{f\}\\g}",
        "{\\rtf1\\trowd\\cellx1\n\\pard a\\cell\\row\\trowd\\cellx1\r\nb\\~c\\-d\\cell\\row\\u-10179 ?\\u-8704 ?}",
        r"{\rtf1 \b 138\b0 0013\u56 ?000}",
    ],
)
def test_runs_of_control_words_read_like_single_ones(text):
    (piece,) = surfaces_binary.rtf(text.encode())
    single = surfaces_binary._RTF_WORD.sub(surfaces_binary._rtf_letter, text)
    assert piece.text == single.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@pytest.mark.rule("PRV-50")
@pytest.mark.parametrize("before", ["", "x ", "、", "é ", "(", "-", "(+", "=00", "tel\t", "电"])
@pytest.mark.parametrize("number", ["13800138000", "8613800138000", "86 138-0013-8000", "11010519491231002X"])
def test_the_short_expression_of_a_number_loses_none(before, number):
    matcher = scan().matcher
    lines = [f"{before}{number}", f"0.{number}", f"{before}{number}."]
    hits = [line for line in lines if list(matcher.hits(line))]
    assert set(hits) <= set(matcher.suspects("\n".join(lines), range(len(matcher.patterns))))
    for line in lines:
        for pattern in (p for p in matcher.patterns if p.seek):
            found = list(re.finditer(pattern.regex, line))
            assert not found or re.search(pattern.seek, line), (pattern.name, line)


@pytest.mark.rule("PRV-50")
def test_a_line_that_holds_a_hit_is_a_suspect():
    matcher = scan().matcher
    wanted = range(len(matcher.patterns))
    for name, text in PLANTED.items():
        for line in (text, text.upper(), text.lower(), f"前{text}后", "\ud800" + text):
            hits = list(matcher.hits(line))
            assert not hits or matcher.suspects(f"before\n{line}\nafter", wanted) == [plain(line)], name


@pytest.mark.rule("PRV-50")
@pytest.mark.parametrize("line", ["NO. 1", "\u212a9", "x\u0664\u0665", "\u0130 no.", "nothing"])
def test_the_automaton_loses_no_line_that_python_finds(line):
    import re

    sought = [
        Sought(0, re.compile("a"), ("no.", "k9"), None),
        Sought(1, re.compile("a"), (), re.compile(r"x[\d-]\d")),
    ]
    low = "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in line)
    own = any(list(lines_with(line, low, one)) for one in sought)
    assert not own or suspects(line, sought) == [line]


@pytest.mark.rule("PRV-50")
def test_what_the_automaton_cannot_read_makes_every_line_a_suspect():
    import re

    odd = Sought(0, re.compile("a"), (), re.compile("(?<!b)a"))
    assert suspects("one\ntwo", [odd]) == ["one", "two"]
    assert suspects("one\ntwo", [Sought(0, re.compile("a"), (), None)]) == ["one", "two"]
    assert suspects("one\ntwo", []) == []


@pytest.mark.rule("PRV-50")
def test_a_row_of_a_dataset_is_a_line_of_its_own_and_a_find_keeps_its_place():
    data = b'{"rows":[["P-1","call 13800138000"],["P-2","b"]]}'
    assert [piece.text.count("\n") for piece in quick("data/a.json", data)] == [1]
    (one,) = scan().file("data/a.json", data)
    assert (one.place, one.shown) == ("line 1", "1**********")
