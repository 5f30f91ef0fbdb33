"""The ways out of the house, as the settings name them: SMTP and SMS where they are set up, else a folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from django.conf import settings

from lipei.gateways.channels import Channel
from lipei.gateways.channels.folder import FolderChannel
from lipei.gateways.channels.mail import MailChannel, MailServer
from lipei.gateways.channels.sms import SmsAccount, SmsChannel, callback_query


@dataclass(frozen=True, slots=True)
class Outlet:
    """A channel with what a retry needs to know about it.

    ``repeatable``: the same message twice under one id is recognisable as one (a file of one name, a mail of one
    Message-ID), so an attempt cut off by a crash is made again. A channel that is not is asked, never repeated.
    """

    channel: Channel
    repeatable: bool


def outlet(name: str, *, sender_name: str) -> Outlet:
    """The outlet for ``email`` or ``sms``. Raises ValueError where its setting makes no sense."""
    if name == "email":
        return _mail(settings.LIPEI_EMAIL_URL, settings.LIPEI_EMAIL_FROM, sender_name, Path(settings.LIPEI_HOME))
    assert name == "sms", name
    return _sms(settings.LIPEI_SMS_URL, Path(settings.LIPEI_HOME))


@cache
def _mail(url: str, sender: str, sender_name: str, home: Path) -> Outlet:
    if not url:
        return Outlet(FolderChannel(home / "outbox", "mail", sender, sender_name), True)
    return Outlet(MailChannel(MailServer.from_url(url), sender, sender_name), True)


@cache
def _sms(url: str, home: Path) -> Outlet:
    if not url:
        return Outlet(FolderChannel(home / "outbox", "sms"), True)
    return Outlet(SmsChannel(sms_account(url)), False)


def sms_account(url: str) -> SmsAccount:
    """``tencent://secret_id:secret_key@host/?app=…&sign=…&templates=FILE.json&callback=KEY``.

    The file maps ``"<message>:<language>"`` to the provider's template ids. Raises ValueError; never repeats the key.
    """
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if parts.scheme not in ("tencent", "tencent+http") or not parts.hostname or not {"app", "sign"} <= set(query):
        raise ValueError("an SMS URL is tencent://secret_id:secret_key@host/?app=…&sign=…")
    templates = json.loads(Path(query["templates"]).read_text(encoding="utf-8")) if "templates" in query else {}
    host = parts.hostname + (f":{parts.port}" if parts.port else "")
    return SmsAccount(
        secret_id=unquote(parts.username or ""),
        secret_key=unquote(parts.password or ""),
        sdk_app_id=query["app"],
        sign_name=query["sign"],
        callback_key=query.get("callback", ""),
        templates=templates,
        region=query.get("region", "ap-guangzhou"),
        endpoint=("http://" if parts.scheme == "tencent+http" else "https://") + host,
    )


def callback_address() -> str:
    """The address to be entered with the SMS provider for its delivery reports; empty where none is set up."""
    key = sms_account(settings.LIPEI_SMS_URL).callback_key if settings.LIPEI_SMS_URL else ""
    return f"{settings.LIPEI_ORIGIN}/api/callbacks/sms?{urlencode(callback_query(key))}" if key else ""
