"""Bad input: one clear sentence in the caller's language, nothing kept of it, and never our fault."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from tests.contract.conftest import Stranger, cny, good, item

from lipei.config import cli
from lipei.store import models

LANGUAGES = ("zh-Hans", "zh-Hant", "en")
REPORT = {"phone": "13700001111", "story": "倒车时撞到柱子。", "line": "motor", "loss_kind": "single_vehicle"}
OWN = {"cover": "own_damage", "peril": "collision"}

REPORTS: list[tuple[dict[str, Any], str]] = [
    ({"loss_at": "2026-11-24T10:00:00+08:00"}, "loss_at"),
    ({"loss_at": "1026-11-20T10:00:00+08:00"}, "loss_at"),
    ({"loss_at": "2026-11-20T10:00:00"}, "loss_at"),
    ({"policy_number": "NO-SUCH"}, "policy_number"),
    ({"policy_number": "PC-1", "line": "health", "loss_kind": ""}, "policy_number"),
    ({"estimate": cny("-1.00")}, "estimate"),
    ({"estimate": cny("99999999999.00")}, "estimate"),
    ({"estimate": cny("1.001")}, "estimate"),
    ({"estimate": cny("1.5", "JPY")}, "estimate"),
    ({"estimate": cny("1.00", "XXX")}, "estimate"),
    ({"policy_number": "PC-1", "estimate": cny("100.00", "USD")}, "estimate"),
    ({"estimate": cny("1.00"), "exposures": [{**OWN, "reserve": cny("1.00", "HKD")}]}, "exposures.1.reserve"),
    ({"policy_number": "PC-1", "exposures": [{**OWN, "facts": {"salvage": cny("1.00", "EUR")}}]},
     "exposures.1.facts.salvage"),
    ({"exposures": [{**OWN, "facts": {"salvage": 1.5}}]}, "exposures.1.facts.salvage"),
    ({"phone": "123"}, "phone"),
    ({"phone": "", "email": ""}, "phone"),
    ({"phone": "", "email": "nobody"}, "email"),
    ({"story": "  "}, "story"),
    ({"parties": [{"roles": ["insured"], "name": "张三", "id_type": "resident_id", "id_number": "110105194912310023"}]},
     "parties.1.id_number"),
    ({"parties": [{"roles": ["insured"], "name": "张三", "id_type": "resident_id", "id_number": "110105209912310020"}]},
     "parties.1.id_number"),
    ({"parties": [{"roles": ["payee"], "name": "X", "account_number": "DE89370400440532013001"}]},
     "parties.1.account_number"),
    ({"parties": [{"roles": ["agent"], "name": "周某"}]}, "parties.1.acts_for"),
    ({"line": "spaceships"}, "line"),
    ({"loss_kind": "x"}, "loss_kind"),
    ({"exposures": [{"cover": "moon"}], "policy_number": "PC-1"}, "exposures.1.cover"),
    ({"nmae": "张三"}, "nmae"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "field"), REPORTS, ids=[f"{n}-{f}" for n, (_, f) in enumerate(REPORTS, 1)])
def test_a_report_that_cannot_be_says_which_field_and_what_to_do(
    stranger: Stranger, wrong: dict[str, Any], field: str
) -> None:
    said = []
    for language in LANGUAGES:
        found = stranger.office.program.post("claims", {**REPORT, **wrong}, Accept_Language=language)
        assert found.status == 422 and found.headers["Content-Type"] == "application/problem+json", found.body
        assert found.headers["Content-Language"] == language.lower()
        fields = {error["field"]: error["message"] for error in found.body["errors"]}
        assert set(fields) == {field}
        said.append(fields[field])
    assert len(set(said)) == 3 and all(said), said
    assert said[2].isascii() or "“" in said[2], "the English sentence is English"
    assert not any("refusal." in words or "{" in words.replace("{…}", "").replace('{"amount"', "") for words in said)
    assert not models.Claim.objects.exists() and not models.Entry.objects.filter(stream_kind="claim").exists()


def test_a_loss_outside_the_policy_period_is_taken_and_said(stranger: Stranger) -> None:
    for loss_at in ("2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z"):
        body = {**REPORT, "policy_number": "PC-1", "loss_at": loss_at, "exposures": [OWN]}
        said = set()
        for language in LANGUAGES:
            found = good(stranger.office.program.post("claims", body, Accept_Language=language), 201)
            said |= {r["message"] for r in found["remarks"] if r["code"] == "remark.not_in_force"}
        assert len(said) == 3 and all("PC-1" in words for words in said)
        claim = stranger.claim(found)
        assert claim["payments"] == [] and claim["state"] != "closed", "a person looks at it"


def test_the_same_loss_twice_is_recognised_and_can_be_linked(stranger: Stranger) -> None:
    body = {**REPORT, "policy_number": "PC-1", "loss_at": "2026-11-22T10:00:00+08:00"}
    first = good(stranger.office.program.post("claims", body), 201)
    second = good(stranger.office.program.post("claims", {**body, "story": "补报"}), 201)
    assert first["remarks"] == []
    assert second["remarks"][0]["claims"] == [first["number"]]
    linked = stranger.act(stranger.handler(second), second, "link_duplicate", {"number": first["number"]})
    assert linked["state"] == "cancelled" and stranger.claim(second)["duplicate_of"] == first["number"]


def test_a_wrong_code_agrees_to_nothing(stranger: Stranger) -> None:
    stranger.insure("P", "private_car", own_damage={"sum_insured_minor": 15_000_000})
    claim = stranger.report("P", OWN)
    stranger.papers(claim)
    stranger.assess(claim, 1, item("1000.00"))
    stranger.decide(claim, 1)
    stranger.act(stranger.handler(claim), claim, "offers/1/send")
    stranger.act(stranger.office.program, claim, "offers/1/send_code")
    code = stranger.code()
    wrong = f"{(int(code[0]) + 1) % 10}{code[1:]}"
    found = stranger.office.program.post(f"claims/{claim['number']}/offers/1/agree", {"code": wrong})
    assert found.status == 422 and found.body["errors"][0]["field"] == "code"
    assert stranger.claim(claim)["offers"][0]["state"] == "sent" and not stranger.payments(claim)
    kinds = [e["kind"] for e in good(stranger.office.manager1.get(f"claims/{claim['number']}/timeline"))["entries"]]
    assert "offer.code_wrong" in kinds, "the try is on record"
    assert stranger.act(stranger.office.program, claim, "offers/1/agree", {"code": code})["state"] == "paying"


def test_two_people_at_once_the_later_sees_what_changed(stranger: Stranger) -> None:
    claim = good(stranger.office.program.post("claims", {**REPORT, "policy_number": "PC-1"}), 201)
    seen = f'"{claim["version"]}"'
    stranger.act(stranger.handler(claim), claim, "add_note", {"text": "已联系客户"}, If_Match=seen)
    said = set()
    for language in LANGUAGES:
        found = stranger.office.lead1.post(
            f"claims/{claim['number']}/triage", {"injured": 1}, If_Match=seen, Accept_Language=language
        )
        assert found.status == 409 and [c["kind"] for c in found.body["changed"]] == ["claim.note_added"]
        assert found.body["actions"] and found.body["version"] == claim["version"] + 1
        said.add(found.body["detail"])
    assert len(said) == 3
    assert stranger.claim(claim)["injured"] == 0


def photo() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (20, 20)).save(out, "JPEG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "kind", "content", "status"),
    [
        ("车损.jpg", "image/jpeg", b"MZ" + bytes(300), 415),
        ("发票.pdf", "application/pdf", b"<html></html>", 415),
        ("说明.txt", "text/plain", "你好".encode(), 415),
        ("车损.jpg", "image/jpeg", b"", 422),
        ("车损.jpg", "image/jpeg", photo()[:200], 422),
        ("车损.pdf", "application/pdf", photo(), 415),
    ],
)
def test_a_file_that_is_not_what_it_says_is_not_kept(
    stranger: Stranger, tmp_path: Path, settings: Any, name: str, kind: str, content: bytes, status: int
) -> None:
    settings.LIPEI_MEDIA = str(tmp_path)
    claim = good(stranger.office.program.post("claims", REPORT), 201)
    caller, said = stranger.office.program, set()
    for language in LANGUAGES:
        headers = {"Authorization": f"Bearer {caller.token}", "Accept-Language": language}
        file = SimpleUploadedFile(name, content, kind)
        found = caller.client.post(f"/api/v1/claims/{claim['number']}/documents", {"file": file}, headers=headers)
        assert found.status_code == status, found.content
        said.add(found.json()["detail"])
    assert len(said) == 3
    assert stranger.claim(claim)["documents"] == [] and not any(p.is_file() for p in tmp_path.rglob("*"))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("policies.csv", b"a,b\n1,2\n", "policy_number"),
        ("policies.xlsx", bytes(range(256)) * 8, "not a table"),
        ("policies.csv", b"", "no rows"),
    ],
)
def test_a_table_that_cannot_be_imported_is_refused_in_a_sentence(
    office: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, words: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    before = models.Policy.objects.count()
    assert cli.main(["import", "policies", str(file), "--json"]) == 1
    assert words in capsys.readouterr().err.splitlines()[-1]
    assert models.Policy.objects.count() == before


def test_a_row_that_cannot_be_names_its_column_and_comes_in_once_mended(
    office: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    head = "policy_number,product,starts_at,ends_at,holder_name,phone,own_damage.sum_insured\n"
    row = "N-{n},private_car,2026-01-01,2026-12-31,张三,{phone},150000\n"
    Path("in.csv").write_text(head + row.format(n=1, phone="13700001111") + row.format(n=2, phone="12"), "utf-8")

    def imported(name: str) -> dict[str, Any]:
        import json

        assert cli.main(["import", "policies", name, "--json"]) == 0
        return dict(json.loads(capsys.readouterr().out.splitlines()[-1]))

    first = imported("in.csv")
    assert (first["read"], first["imported"], first["unchanged"], first["rejected"]) == (2, 1, 0, 1)
    rejects = Path(first["rejects_file"])
    assert "“phone”" in rejects.read_text("utf-8-sig")
    rejects.write_text(rejects.read_text("utf-8-sig").replace(",12,", ",13700002222,"), "utf-8")
    assert imported(str(rejects)) == {"read": 1, "imported": 1, "unchanged": 0, "rejected": 0, "rejects_file": None}
    again = imported("in.csv")
    assert (again["imported"], again["unchanged"], again["rejected"]) == (0, 1, 1)
