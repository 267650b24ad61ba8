"""The key of the pseudo-ids."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from types import SimpleNamespace

import pytest

from interim import cli
from interim.errors import ReportError
from interim.report import freshness
from interim.report.privacy import key as k
from interim.study import read_study
from tests.report import handmade

SECRET = "ab" * 32


def study(folder, label="A TRIAL", path="data"):
    data = SimpleNamespace(path=path)
    return SimpleNamespace(study=SimpleNamespace(id="T", label=label), data=data, file=folder / "t.toml")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user without a key."""
    monkeypatch.delenv(k.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def written(file, kind="secret", digits=SECRET):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"interim-privacy-key:{kind}:{digits}\n")
    return file


@pytest.mark.rule("PRV-01", source="RFC 2104; base 32 alphabet of Crockford")
def test_a_token_is_30_bits_of_the_hmac():
    key = k.Key(bytes.fromhex(SECRET))
    digest = hmac.digest(key.secret, b"participant\x1fT\x1f01-003", "sha256")
    bits = f"{int.from_bytes(digest, 'big'):0256b}"[-30:]
    fives = [bits[i : i + 5] for i in range(25, -1, -5)]
    expected = "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[int(five, 2)] for five in fives)
    assert key.token("participant", "T\x1f01-003") == expected
    assert key.token("product", "T\x1f01-003") != expected
    assert k.Key(hashlib.sha256(b"x").digest()).token("participant", "T\x1f01-003") != expected


@pytest.mark.rule("PRV-01")
def test_the_secret_is_never_printed():
    key = k.Key(bytes.fromhex(SECRET))
    assert SECRET not in repr(key)
    assert str(key.secret) not in repr(key)
    assert key.fingerprint not in SECRET
    assert len(key.fingerprint) == 12


@pytest.mark.rule("PRV-02")
def test_without_a_key_the_message_says_how_to_make_one(home):
    with pytest.raises(
        ReportError, match=r"no key for the pseudo-ids of T.*make a key once: interim key"
    ) as real:
        k.find_key(study(home))
    assert "interim example" not in str(real.value)
    with pytest.raises(ReportError, match=r"interim example .*data"):
        k.find_key(study(home, "SYNTHETIC - NOT PATIENT DATA"))


@pytest.mark.rule("PRV-02")
def test_the_places_of_a_key_in_their_order(home, monkeypatch):
    k.write_key()
    assert k.find_key(study(home)) == k.read_key(k.user_place())
    k.write_public_key(home / "data")
    assert k.find_key(study(home)) == k.read_key(k.user_place()), "the public key is for synthetic data only"
    synthetic = k.find_key(study(home, "SYNTHETIC - NOT PATIENT DATA"))
    assert synthetic == k.read_key(home / "data.key")
    assert synthetic.public
    monkeypatch.setenv(k.VARIABLE, str(written(home / "named.key")))
    for label in ("A TRIAL", "SYNTHETIC"):
        assert k.find_key(study(home, label)).secret.hex() == SECRET


@pytest.mark.rule("PRV-02")
def test_the_public_key_is_for_open_data_only(home, monkeypatch):
    public = k.write_public_key(home / "data")
    again = k.write_public_key(home / "other" / ".." / "data")
    assert public.read_bytes() == again.read_bytes()
    monkeypatch.setenv(k.VARIABLE, str(public))
    assert k.find_key(study(home, "PUBLIC DATA OF ANOTHER TRIAL")).public
    with pytest.raises(ReportError, match="neither SYNTHETIC nor PUBLIC"):
        k.find_key(study(home))


@pytest.mark.rule("PRV-02")
@pytest.mark.parametrize(
    "text",
    ["", "abc", f"interim-privacy-key:secret:{SECRET[:-1]}", f"interim-privacy-key:other:{SECRET}",
     f"interim-privacy-key:secret:{SECRET[:-1]}g", f"key:secret:{SECRET}", f"interim-privacy-key:secret:{SECRET}é"],
)  # fmt: skip
def test_what_is_no_key(home, text):
    (home / "bad.key").write_text(text, encoding="utf-8")
    with pytest.raises(ReportError, match=r"bad\.key"):
        k.read_key(home / "bad.key")


@pytest.mark.rule("PRV-02")
def test_a_key_that_is_named_and_absent_is_not_replaced_by_another(home, monkeypatch):
    k.write_key()
    monkeypatch.setenv(k.VARIABLE, str(home / "gone.key"))
    with pytest.raises(ReportError, match=r"gone\.key.*cannot be read"):
        k.find_key(study(home))


@pytest.mark.rule("PRV-02")
def test_a_key_in_a_repository_is_refused(home, monkeypatch):
    (home / "repo" / ".git").mkdir(parents=True)
    with pytest.raises(ReportError, match="lies in the repository"):
        k.write_key(home / "repo" / "deep" / "own.key")
    assert not (home / "repo" / "deep").exists()
    monkeypatch.setenv(k.VARIABLE, str(written(home / "repo" / "own.key")))
    with pytest.raises(ReportError, match="move the key out of it"):
        k.find_key(study(home))
    (home / "link.key").symlink_to(home / "repo" / "own.key")
    monkeypatch.setenv(k.VARIABLE, str(home / "link.key"))
    with pytest.raises(ReportError, match="lies in the repository"):
        k.find_key(study(home))


@pytest.mark.rule("PRV-02")
def test_the_command_makes_a_key_once(home, capsys):
    target = home / "safe" / "trial.key"
    assert cli.main(["key", str(target)]) == 0
    said = capsys.readouterr().out
    assert "set INTERIM_PRIVACY_KEY to" in said
    assert k.read_key(target).secret.hex() not in said
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    before = target.read_bytes()
    assert cli.main(["key", str(target)]) == 1
    assert "is left as it is" in capsys.readouterr().err
    assert target.read_bytes() == before
    assert cli.main(["key"]) == 0
    assert k.read_key(k.user_place()).secret != k.read_key(target).secret
    assert "INTERIM_PRIVACY_KEY" not in capsys.readouterr().out


@pytest.mark.rule("PRV-02")
def test_a_place_that_cannot_be_written(home):
    (home / "file").write_text("")
    with pytest.raises(ReportError, match="cannot be written"):
        k.write_key(home / "file" / "own.key")


@pytest.mark.rule("PRV-05")
def test_another_key_is_another_report(home, monkeypatch):
    parameters = read_study(handmade.write_study(home / "params"))
    keys = []
    for digits in (SECRET, "cd" * 32):
        monkeypatch.setenv(k.VARIABLE, str(written(home / f"{digits[:2]}.key", digits=digits)))
        keys.append(freshness.report_key(parameters, home, {}))
    first, second = keys
    assert first["ids"] != second["ids"]
    assert {**first, "ids": ""} == {**second, "ids": ""}
    assert SECRET not in str(first)


@pytest.mark.rule("PRV-02")
def test_a_run_without_a_key_ends_before_anything_is_written(home, capsys):
    file = handmade.write_study(home / "params")
    command = ["run", str(file), "--reports", str(home / "reports")]
    assert cli.main(command) == 1
    assert "no key for the pseudo-ids of HAND" in capsys.readouterr().err
    assert not (home / "reports").exists()
    assert os.environ.get(k.VARIABLE) is None
