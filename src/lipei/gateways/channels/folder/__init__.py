"""Messages into a folder instead of the world: for demonstrations and development, so that nothing leaves the machine.

A mail becomes ``<id>.eml``, anything else ``<id>.json``. The same delivery twice is the same file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lipei.gateways.channels import CallbackRefused, DeliveryReport, Inquiry, Message, Receipt
from lipei.gateways.channels.mail.compose import BadAddress, compose, message_id


@dataclass(frozen=True, slots=True)
class FolderChannel:
    """Stands in for the channel ``name`` (``mail``, ``sms``) and writes below ``folder``/``name``."""

    folder: Path
    name: str
    sender: str = "lipei@localhost"
    sender_name: str = ""

    can_inquire = True

    def send(self, message: Message, *, now: datetime) -> Receipt:
        """See `Channel.send`. A folder that cannot be written (full disk) is a failed attempt like any other."""
        try:
            content = self._content(message, now)
        except BadAddress:
            return Receipt("rejected", reason="address_refused", detail="address")
        target = self._file(message.id)
        partial = target.with_suffix(".partial")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
            partial.replace(target)
        except OSError as error:
            return Receipt("failed", reason="unreachable", detail=type(error).__name__)
        return Receipt("accepted", target.name)

    def inquire(self, inquiry: Inquiry, *, now: datetime) -> DeliveryReport | None:
        """Delivered once the file is there."""
        target = self._file(inquiry.message_id)
        if not target.exists():
            return None
        return DeliveryReport(True, message_id=inquiry.message_id, provider_id=target.name, at=inquiry.sent_at)

    def parse_callback(
        self, body: bytes, headers: Mapping[str, str], *, query: Mapping[str, str]
    ) -> list[DeliveryReport]:
        """Always refused: a folder does not call back."""
        raise CallbackRefused("unsigned")

    def _file(self, id: str) -> Path:
        plain = message_id(id, self.sender)[1:].partition("@")[0]  # an id that is no file name is digested there
        return self.folder / self.name / f"{plain}.{'eml' if self.name == 'mail' else 'json'}"

    def _content(self, message: Message, now: datetime) -> bytes:
        if self.name == "mail":
            return compose(message, sender=self.sender, sender_name=self.sender_name, now=now).as_bytes()
        fields = {
            "id": message.id,
            "at": now.isoformat(),
            "to": message.to,
            "language": message.language,
            "template": message.template,
            "params": list(message.params),
            "text": message.text,
        }
        return json.dumps(fields, ensure_ascii=False, indent=2).encode()
