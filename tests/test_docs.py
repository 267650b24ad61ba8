"""The pages that are made from the code, and what no committed file may hold."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.rule("STUDY-08")
def test_generated_pages_are_those_of_the_code():
    done = subprocess.run(
        [sys.executable, "tools/make_docs.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.rule("DOCS-01")
@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "requirements-lab.lock"])
def test_lock_files_name_no_address_and_hash_everything(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text and "--index" not in text
    entries = re.split(r"\n(?=[a-z])", text)
    assert len(entries) > 40
    assert [entry.split(" ")[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.rule("DOCS-02")
def test_no_copyleft_package_at_run_time():
    names = {
        line.split("==")[0].split("[")[0]
        for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    assert not names & {"scikit-survival", "exact-tests", "rpy2", "unidecode", "pandoc", "pypandoc-binary"}


LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@pytest.mark.rule("DOCS-03")
@pytest.mark.parametrize(
    "page", sorted(p.relative_to(ROOT).as_posix() for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
)
def test_links_lead_to_files(page):
    file = ROOT / page
    targets = LINK.findall(file.read_text(encoding="utf-8"))
    assert [t for t in targets if not (file.parent / t).exists()] == []


@pytest.mark.rule("DOCS-04")
def test_every_decision_has_a_number_of_its_own():
    numbers = [p.name[:3] for p in sorted((ROOT / "docs" / "decisions").glob("*.md"))]
    assert numbers and all(n.isdigit() for n in numbers) and len(set(numbers)) == len(numbers)
