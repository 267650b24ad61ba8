"""Drives a headless Chromium through its debugging pipe: no driver package, no port, every request recorded."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import threading
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--remote-debugging-pipe",
    "--hide-scrollbars",
)


def required(thing: object, what: str):
    """Return the thing; if it is absent, fail where a browser is demanded and skip elsewhere."""
    if thing:
        return thing
    if os.environ.get("INTERIM_REQUIRE_BROWSER") == "1":
        pytest.fail(f"{what} is missing, and INTERIM_REQUIRE_BROWSER=1 demands it")
    pytest.skip(f"{what} is missing")


def executable() -> str:
    return required(next(filter(None, map(shutil.which, _NAMES)), None), "chromium")


def axe_source() -> str:
    return required(AXE.is_file() and AXE.read_text(encoding="utf-8"), "axe-core (npm ci in tests/browser)")


class Page:
    """One tab."""

    def __init__(self, send, read):
        self._send, self._read, self._ids, self._session = send, read, count(1), None
        self.requests: list[str] = []
        self.console: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params):
        number = next(self._ids)
        message = {"id": number, "method": method, "params": params}
        self._send(message | ({"sessionId": self._session} if self._session else {}))
        return self._until(lambda answer: answer.get("id") == number)["result"]

    def _until(self, wanted):
        while True:
            answer = self._read()
            if answer.get("method") == "Network.requestWillBeSent":
                self.requests.append(answer["params"]["request"]["url"])
            if answer.get("method") == "Log.entryAdded":
                self.console.append(answer["params"]["entry"]["text"])
            if "error" in answer:
                raise RuntimeError(answer["error"])
            if wanted(answer):
                return answer

    def open(self, path: Path, *, width: int = 1200, height: int = 1600) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self.call("Page.setBypassCSP", enabled=True)
        self._send(
            {
                "id": next(self._ids),
                "method": "Page.navigate",
                "params": {"url": path.as_uri()},
                "sessionId": self._session,
            }
        )
        self._until(lambda answer: answer.get("method") == "Page.loadEventFired")

    def value(self, expression: str):
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def violations(self) -> list[str]:
        """Return rule and place of everything that axe finds."""
        self.call("Runtime.evaluate", expression=axe_source())
        run = f"axe.run(document, {{runOnly: {{type: 'tag', values: {json.dumps(TAGS)}}}, resultTypes: ['violations']}})"
        found = self.value(
            f"{run}.then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 160)).join(' | ')))"
        )
        return list(found)


@contextmanager
def browser(profile: Path):
    """Yield a tab of a new browser with a new profile."""
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    theirs = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (to_read, from_write)]
    process = subprocess.Popen(
        [executable(), *_FLAGS, f"--user-data-dir={profile}"],
        preexec_fn=lambda: [os.dup2(end, place) for place, end in enumerate(theirs, 3)],
        pass_fds=(3, 4),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for end in theirs:
        os.close(end)
    os.close(to_read)
    os.close(from_write)
    with os.fdopen(to_write, "wb", buffering=0) as out, os.fdopen(from_read, "rb") as stream:
        watch = threading.Timer(300, process.kill)
        watch.start()
        try:
            yield Page(
                lambda message: out.write(json.dumps(message).encode() + b"\0"), lambda: _message(stream)
            )
        finally:
            watch.cancel()
            process.terminate()
            process.wait(timeout=20)


def _message(stream) -> dict:
    parts = bytearray()
    while (byte := stream.read(1)) != b"\0":
        if not byte:
            raise RuntimeError("chromium ended")
        parts += byte
    return json.loads(parts)
