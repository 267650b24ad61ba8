"""Settings of the test run, and the table rule -> tests -> reference -> result."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
RULE = re.compile(r"^- \*\*([A-Z]+-\d+)\*\* (.+)$", re.M)

os.environ.setdefault("OMP_NUM_THREADS", "1")
# The key of the pseudo-ids of every test, below the temporary folder: a key in a repository is refused.
KEY = Path(tempfile.gettempdir()) / f"interim-tests-{os.getuid()}.key"
KEY.write_text("interim-privacy-key:secret:" + "07" * 32 + "\n", encoding="ascii")
os.environ["INTERIM_PRIVACY_KEY"] = str(KEY)
# The same examples in every run, and no deadline: a busy machine must not fail a property.
settings.register_profile("project", deadline=None, derandomize=True)
settings.load_profile("project")


def documented_rules() -> dict[str, tuple[str, str]]:
    """Return rule id -> (methods page, text)."""
    rules: dict[str, tuple[str, str]] = {}
    for page in sorted((ROOT / "docs" / "methods").glob("*.md")):
        for rule, text in RULE.findall(page.read_text(encoding="utf-8")):
            assert rule not in rules, f"rule {rule} is stated twice: {rules[rule][0]} and {page.name}"
            rules[rule] = (page.name, text)
    return rules


def pytest_addoption(parser):
    parser.addoption(
        "--rules", default=None, help="write the table of rules to this folder; every rule needs a test"
    )


def pytest_configure(config):
    config.rule_results = defaultdict(list)
    config.rule_problem = ""


def pytest_collection_modifyitems(items):
    for item in items:
        for mark in item.iter_markers("rule"):
            item.user_properties.append(("rule", [mark.args[0], mark.kwargs.get("source") or ""]))


def pytest_runtest_logreport(report):
    if report.when != "call" and report.passed:
        return
    results = _CONFIG["config"].rule_results
    for name, value in report.user_properties:
        if name == "rule":
            results[value[0]].append((report.nodeid, value[1], report.outcome))


_CONFIG: dict[str, pytest.Config] = {}


def pytest_sessionstart(session):
    documented_rules()  # a rule that is stated twice is told before the first test, not after the last
    _CONFIG["config"] = session.config


def pytest_sessionfinish(session):
    folder = session.config.getoption("--rules")
    if folder is None or hasattr(session.config, "workerinput"):
        return
    rules, results = documented_rules(), session.config.rule_results
    untested = [rule for rule in rules if rule not in results]
    unknown = [rule for rule in results if rule not in rules]
    write_table(Path(folder), rules, results)
    if untested or unknown:
        session.config.rule_problem = f"rules without a test: {untested}; markers without a rule: {unknown}"
        session.exitstatus = session.exitstatus or 1


def pytest_terminal_summary(terminalreporter, config):
    if config.rule_problem:
        terminalreporter.write_line(config.rule_problem, red=True)


def write_table(folder: Path, rules, results) -> None:
    """Write rules.md and rules.json."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for rule, (page, text) in sorted(rules.items()):
        runs = sorted(set(results.get(rule, [])))
        outcomes = {outcome for _, _, outcome in runs}
        verdict = (
            "no test"
            if not runs
            else "failed"
            if "failed" in outcomes
            else "passed"
            if "passed" in outcomes
            else "skipped"
        )
        rows.append(
            {
                "rule": rule,
                "page": page,
                "text": text,
                "result": verdict,
                "tests": [node for node, _, _ in runs],
                "sources": sorted({s for _, s, _ in runs if s}),
            }
        )
    (folder / "rules.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    lines = [
        "# Rules and the tests that prove them",
        "",
        "| rule | text | tests | reference | result |",
        "|--|--|--|--|--|",
    ]
    for row in rows:
        tests = "<br>".join(row["tests"][:8]) + (
            f"<br>and {len(row['tests']) - 8} more" if len(row["tests"]) > 8 else ""
        )
        lines.append(
            f"| {row['rule']} | {row['text']} | {tests} | {'<br>'.join(row['sources'])} | {row['result']} |"
        )
    (folder / "rules.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="session")
def external() -> Path:
    """The folder of public third-party data; the test is skipped where it is absent."""
    folder = os.environ.get("INTERIM_EXTERNAL", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("INTERIM_EXTERNAL names no folder of third-party data")
    return Path(folder)


@pytest.fixture
def reference() -> Path:
    """The folder of reference packs that are read in place; the test is skipped where it is absent."""
    folder = os.environ.get("INTERIM_REFERENCE", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("INTERIM_REFERENCE names no folder of reference packs")
    return Path(folder)
