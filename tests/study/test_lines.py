from __future__ import annotations

from interim.study.lines import line_index

TEXT = '''# comment [not.a.table]
top = 1
text = """
[fake]
key = 2
"""
list = [
  1, # ]
  "]",
]

[a.b]
"quoted key" = { x = [1,
 2], y = 3 }
after = 1
[[rows]]
id = 1
[[rows]]
id = 2
[rows.sub]
z = 1
'''


def test_line_index_passes_over_multi_line_values():
    index = line_index(TEXT)
    assert index[("top",)] == 2
    assert ("fake",) not in index and ("key",) not in index
    assert index[("list",)] == 7
    assert index[("a", "b")] == 12
    assert index[("a", "b", "quoted key")] == 13
    assert index[("a", "b", "after")] == 15
    assert index[("rows", 0, "id")] == 17
    assert index[("rows", 1, "id")] == 19
    assert index[("rows", 1, "sub", "z")] == 21


def test_literal_strings_hide_brackets():
    index = line_index("a = '''\n[x]\n'''\nb = 'it''s ['\n[c]\nd = 1\n")
    assert index[("c", "d")] == 6
