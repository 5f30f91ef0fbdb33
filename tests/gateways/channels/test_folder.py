"""Messages into a folder: what a demonstration shows instead of sending."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from lipei.gateways.channels import CallbackRefused, Channel, Inquiry, Message
from lipei.gateways.channels.folder import FolderChannel
from lipei.gateways.channels.mail import MailChannel, MailServer
from lipei.gateways.channels.sms import SmsAccount, SmsChannel

NOW = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)
MESSAGE = Message("delivery-42", "wang@example.com", "您好\n", "zh-hans", subject="已受理", template="claim_received")


def test_a_mail_becomes_a_file_that_mail_programs_open(tmp_path: Path) -> None:
    receipt = FolderChannel(tmp_path, "mail").send(MESSAGE, now=NOW)
    assert (receipt.outcome, receipt.provider_id) == ("accepted", "delivery-42.eml")
    mail = message_from_bytes((tmp_path / "mail" / "delivery-42.eml").read_bytes(), policy=default)
    assert mail["Subject"] == "已受理"


def test_a_short_message_becomes_json(tmp_path: Path) -> None:
    FolderChannel(tmp_path, "sms").send(MESSAGE, now=NOW)
    written = json.loads((tmp_path / "sms" / "delivery-42.json").read_text("utf-8"))
    assert (written["text"], written["at"], written["template"]) == ("您好\n", NOW.isoformat(), "claim_received")


def test_the_same_delivery_twice_is_one_file(tmp_path: Path) -> None:
    channel = FolderChannel(tmp_path, "mail")
    assert channel.send(MESSAGE, now=NOW) == channel.send(MESSAGE, now=NOW)
    assert [path.name for path in (tmp_path / "mail").iterdir()] == ["delivery-42.eml"]


@pytest.mark.parametrize("id", ["../../evil", "/etc/passwd", "a/b", "..", "a\x00b", ""])
def test_no_id_leads_out_of_the_folder(tmp_path: Path, id: str) -> None:
    channel = FolderChannel(tmp_path / "outbox", "sms")
    channel.send(Message(id, "+8613800138000", "x", "en"), now=NOW)
    (written,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert written.parent == tmp_path / "outbox" / "sms"


def test_a_folder_can_be_asked(tmp_path: Path) -> None:
    channel = FolderChannel(tmp_path, "mail")
    assert channel.inquire(Inquiry("delivery-42", "wang@example.com", NOW), now=NOW) is None
    channel.send(MESSAGE, now=NOW)
    report = channel.inquire(Inquiry("delivery-42", "wang@example.com", NOW), now=NOW)
    assert report is not None and report.delivered
    with pytest.raises(CallbackRefused):
        channel.parse_callback(b"", {}, query={})


def test_a_folder_that_cannot_be_written_is_a_failure_to_be_tried_again(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file in the way")
    assert FolderChannel(tmp_path, "mail").send(MESSAGE, now=NOW).outcome == "failed"


def test_a_bad_address_is_refused_here_as_there(tmp_path: Path) -> None:
    receipt = FolderChannel(tmp_path, "mail").send(Message("d", "nobody", "x", "en"), now=NOW)
    assert (receipt.outcome, receipt.reason) == ("rejected", "address_refused")


def test_every_kind_is_a_channel(tmp_path: Path) -> None:
    account = SmsAccount(secret_id="i", secret_key="k", sdk_app_id="1", sign_name="s")
    channels: list[Channel] = [
        FolderChannel(tmp_path, "mail"),
        MailChannel(MailServer.from_url("smtp://localhost"), "a@example.com"),
        SmsChannel(account),
    ]
    assert [(channel.name, channel.can_inquire) for channel in channels] == [
        ("mail", True),
        ("mail", False),
        ("sms", True),
    ]
