"""The same notebook gives the same cells, whether a kernel runs it or the engine ``interim``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.report import handmade

ROOT = Path(__file__).resolve().parents[2]
ALL = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
NAMES = ALL if os.environ.get("INTERIM_GOLDEN") == "all" else ["05_response_survival.ipynb"]

ODD = [
    "import sys\nprint('out 1')\nprint('err', file=sys.stderr)\nprint('out 2')\n1 + 1",
    "_ + 40",
    "import pandas as pd\npd.set_option('display.max_columns', 20)\npd.set_option('display.width', 80)\nframe = pd.DataFrame([[i * j for i in range(30)] for j in range(3)])\nframe",
    "print(frame)",
    "from IPython.display import Markdown, display\ndisplay(Markdown('*a*'))\nhandle = display('one', display_id=True)\nhandle.update('two');",
    "import asyncio\nawait asyncio.sleep(0.01)\n'awaited'",
    "from IPython.display import clear_output\nprint('gone')\nclear_output()\nprint('stays')",
    "import matplotlib.pyplot as plt\nplt.figure(figsize=(2, 1))\nplt.plot([1, 2]);",
    "_ = 7\n_",
    "quiet = 1;",
    "%precision 2\n3.14159",
    "def f():\n    raise ValueError('told you')\nf()",
    "'never run'",
]
ADDED = {"injected-parameters", "papermill-error-cell-tag"}


def odd_notebook(path: Path) -> Path:
    cells = [
        {
            "cell_type": "code",
            "id": f"odd-{n}",
            "source": source,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for n, source in enumerate(ODD)
    ]
    cells.insert(0, {"cell_type": "markdown", "id": "head", "metadata": {}, "source": "# Odd"})
    spec = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    path.write_text(json.dumps({"cells": cells, "metadata": spec, "nbformat": 4, "nbformat_minor": 5}))
    return path


def papermill(notebook: Path, output: Path, *options: str, code: int = 0) -> dict:
    """Run a notebook with papermill's command in a process of its own."""
    path = os.pathsep.join(
        filter(None, [str(Path(__file__).parent / "plain"), os.environ.get("PYTHONPATH", "")])
    )
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    command = [sys.executable, "-m", "papermill", str(notebook), str(output), "--no-progress-bar", *options]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **threads, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.returncode == code, done.stderr[-3000:]
    return json.loads(output.read_text(encoding="utf-8"))


def comparable(book: dict) -> list[dict]:
    """Return the cells without what differs from run to run."""
    return [
        {
            "type": cell["cell_type"],
            "id": None if ADDED & set(cell["metadata"].get("tags", [])) else cell["id"],
            "source": re.sub(r"(?<=href=.)#[\w-]+|(?<=id=.)[\w-]+", "", "".join(cell["source"])),
            "count": cell.get("execution_count"),
            "tags": cell["metadata"].get("tags", []),
            "outputs": joined(cell.get("outputs", [])),
        }
        for cell in book["cells"]
    ]


def joined(outputs: list[dict]) -> list[dict]:
    """Join the streams by name, which a kernel sends in no fixed order; keep name and value of errors only."""
    streams: dict[str, str] = {}
    rest = []
    for output in outputs:
        if output["output_type"] == "stream":
            streams[output["name"]] = streams.get(output["name"], "") + "".join(output["text"])
        elif output["output_type"] == "error":
            rest.append({name: output[name] for name in ("output_type", "ename", "evalue")})
        else:
            text = json.dumps(
                {**output, "data": {k: flat(v) for k, v in output["data"].items()}}, sort_keys=True
            )
            rest.append(json.loads(re.sub(r"\b0x[0-9a-f]+\b", "0x0", text)))
    return [{"streams": streams}, *rest]


def flat(value):
    return "".join(value) if isinstance(value, list) and all(isinstance(v, str) for v in value) else value


@pytest.mark.rule("ENG-01")
def test_an_odd_notebook_is_the_same_with_and_without_a_kernel(tmp_path):
    notebook = odd_notebook(tmp_path / "odd.ipynb")
    plain = papermill(notebook, tmp_path / "plain.ipynb", code=1)
    ours = papermill(notebook, tmp_path / "ours.ipynb", "--engine", "interim", code=1)
    assert comparable(ours) == comparable(plain)
    assert ours["metadata"]["language_info"] == plain["metadata"]["language_info"]
    kinds = [output["output_type"] for cell in ours["cells"] for output in cell.get("outputs", [])]
    assert {"stream", "display_data", "execute_result", "error"} <= set(kinds)
    figures = [
        o for cell in ours["cells"] for o in cell.get("outputs", []) if "image/png" in o.get("data", {})
    ]
    assert len(figures) == 1


@pytest.mark.rule("ENG-01")
@pytest.mark.parametrize("name", NAMES)
def test_a_report_notebook_is_the_same_plain_by_engine_and_in_the_run(tmp_path, name, hand_run):
    options = ("-p", "study", str(hand_run.study))
    plain = papermill(ROOT / "notebooks" / name, tmp_path / "plain.ipynb", *options)
    ours = papermill(ROOT / "notebooks" / name, tmp_path / "ours.ipynb", "--engine", "interim", *options)
    forked = json.loads((hand_run.folder / "notebooks" / name).read_text(encoding="utf-8"))
    assert comparable(ours) == comparable(plain)
    named = json.loads(json.dumps(plain).replace(str(hand_run.study), hand_run.study.name))  # PRV-44
    assert comparable(forked) == comparable(named)


def test_the_hand_made_study_is_the_one_of_the_analysis_tests(hand_run):
    assert handmade.ROOT == ROOT
    assert hand_run.folder.name == "2026-06-30"
