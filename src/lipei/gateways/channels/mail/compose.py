"""A message as a mail (RFC 5322): headers that cannot be broken out of, Chinese that arrives as Chinese."""

from __future__ import annotations

import re
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256

from lipei.gateways.channels import Message

_LANGUAGES = {"zh-hans": "zh-Hans", "zh-hant": "zh-Hant", "en": "en"}  # BCP 47, for readers' machines
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_PLAIN_ID = re.compile(r"[A-Za-z0-9-]{1,100}")
_DOMAIN = re.compile(r"localhost|[a-z0-9-]+(\.[a-z0-9-]+)+")
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


_WIRE = SMTP.clone(cte_type="7bit")  # every server takes it; 8BITMIME is an extension that one may lack


class BadAddress(ValueError):
    """Not one mail address that we could write to."""


def message_id(id: str, sender: str) -> str:
    """The Message-ID of a delivery: the same for every attempt, so that a mail that came twice shows as one."""
    plain = id if _PLAIN_ID.fullmatch(id) else sha256(id.encode()).hexdigest()
    return f"<{plain}@{sender.rpartition('@')[2]}>"


def address(text: str, name: str = "") -> Address:
    """One address, its domain in ASCII. Raises BadAddress for none, several, or what could carry a header."""
    local, _, domain = text.strip().rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise BadAddress from error
    if not _LOCAL_PART.fullmatch(local) or not _DOMAIN.fullmatch(ascii_domain):
        raise BadAddress
    return Address(display_name=one_line(name), username=local, domain=ascii_domain)


def one_line(text: str) -> str:
    """Without line ends and other control characters: what is free text elsewhere must not end a header."""
    return _CONTROL.sub(" ", text).strip()


def compose(message: Message, *, sender: str, sender_name: str, now: datetime) -> EmailMessage:
    """The mail for a message. Raises BadAddress."""
    mail = EmailMessage(policy=_WIRE)
    mail["From"] = address(sender, sender_name)
    mail["To"] = address(message.to, message.to_name)
    mail["Subject"] = one_line(message.subject)
    mail["Date"] = now
    mail["Message-ID"] = message_id(message.id, sender)
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notes in answer, please
    mail.set_content(message.text)
    if message.html:
        mail.add_alternative(message.html, subtype="html")
    for attachment in message.attachments:
        kind, _, subtype = attachment.media_type.partition("/")
        mail.add_attachment(
            attachment.content, maintype=kind, subtype=subtype or "octet-stream", filename=one_line(attachment.name)
        )
    mail["Content-Language"] = _LANGUAGES[message.language]  # last: adding parts moves such headers into the first one
    return mail
