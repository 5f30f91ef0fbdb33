"""Mail by SMTP (RFC 5321), one connection per message.

The conversation is led step by step, for each step fails differently: before the end of DATA nothing was sent; after
it, without an answer, nobody knows. A refusal of *us* (sign-in, sender, TLS) is a fault of the set-up: the message
waits for the operator to mend it, instead of being given up for every customer at once.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qs, unquote, urlsplit

from lipei.gateways.channels import CallbackRefused, DeliveryReport, Inquiry, Message, Receipt
from lipei.gateways.channels.mail.compose import BadAddress, compose, message_id

_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
_NOT_ADMITTED = frozenset({530, 534, 535, 538})  # sign-in missing or refused, RFC 4954
_TOO_LARGE = 552
_ENHANCED = re.compile(rb"^([245]\.\d{1,3}\.\d{1,3})\b")
_LEADING_DOT = re.compile(rb"(?m)^\.")


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in: ``smtp://``, ``smtp+tls://`` (STARTTLS, required) or ``smtps://``."""

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    timeout_seconds: float = 20.0

    @classmethod
    def from_url(cls, url: str) -> MailServer:
        """``smtp+tls://user:password@host:587?timeout=20``; user and password percent-encoded.

        Raises ValueError for an unknown scheme or a missing host; the sentence never repeats the password.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("a mail URL is smtp://…, smtp+tls://… or smtps://… with a host")
        return cls(
            scheme=parts.scheme,
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            timeout_seconds=float(parse_qs(parts.query).get("timeout", ["20"])[0]),
        )


class _Answer(Exception):
    """The server said no at some step, which decides what the no means."""

    def __init__(self, step: str, code: int, text: bytes) -> None:
        super().__init__(step)
        enhanced = _ENHANCED.match(text)
        # The rest of the text often repeats the address: it stays out.
        self.step, self.code = step, code
        self.detail = f"smtp {code}" + (f" {enhanced[1].decode()}" if enhanced else "")


@dataclass(frozen=True, slots=True)
class MailChannel:
    """Sends from one address. ``tls`` may carry a company's own certificate authority."""

    server: MailServer
    sender: str
    sender_name: str = ""
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    name = "mail"
    can_inquire = False  # SMTP has no question for "did you take it?"

    def send(self, message: Message, *, now: datetime) -> Receipt:
        """See `Channel.send`. The provider's id is the Message-ID, which follows from the delivery's id."""
        try:
            mail = compose(message, sender=self.sender, sender_name=self.sender_name, now=now)
        except BadAddress:
            return Receipt("rejected", reason="address_refused", detail="address")
        content = mail.as_bytes()
        try:
            connection = self._connect()
        except _Answer as answer:
            return _receipt(answer)
        except smtplib.SMTPNotSupportedError:  # no STARTTLS or no sign-in where the set-up asks for it
            return Receipt("failed", reason="not_admitted", detail="smtp extension missing")
        except (OSError, smtplib.SMTPException) as error:
            return Receipt("failed", reason="unreachable", detail=type(error).__name__)
        try:
            return self._hand_in(connection, mail["To"].addresses[0].addr_spec, content, message.id)
        finally:
            _leave(connection)

    def inquire(self, inquiry: Inquiry, *, now: datetime) -> DeliveryReport | None:
        """Always None: SMTP cannot be asked."""
        return None

    def parse_callback(
        self, body: bytes, headers: Mapping[str, str], *, query: Mapping[str, str]
    ) -> list[DeliveryReport]:
        """Always refused: a mail server does not call back."""
        raise CallbackRefused("unsigned")

    def _connect(self) -> smtplib.SMTP:
        """Greet, secure and sign in. Raises _Answer, OSError or SMTPException: nothing was sent then."""
        server = self.server
        tls = self.tls or ssl.create_default_context()
        domain = self.sender.rpartition("@")[2]
        connection = (
            smtplib.SMTP_SSL(local_hostname=domain, timeout=server.timeout_seconds, context=tls)
            if server.scheme == "smtps"
            else smtplib.SMTP(local_hostname=domain, timeout=server.timeout_seconds)
        )
        try:
            connection._host = server.host  # type: ignore[attr-defined]  # the name that TLS checks, unset by connect()
            code, text = connection.connect(server.host, server.port)
            if code != 220:
                raise _Answer("greeting", code, text)
            connection.ehlo_or_helo_if_needed()
            if server.scheme == "smtp+tls":
                connection.starttls(context=tls)
                connection.ehlo_or_helo_if_needed()
            if server.user:
                connection.login(server.user, server.password)
        except smtplib.SMTPResponseException as error:
            _leave(connection)
            raise _Answer("sign_in", error.smtp_code, _bytes(error.smtp_error)) from None
        except BaseException:
            _leave(connection)
            raise
        return connection

    def _hand_in(self, connection: smtplib.SMTP, to: str, content: bytes, id: str) -> Receipt:
        """MAIL, RCPT, DATA. Until the final dot has been sent a broken line means: not sent."""
        try:
            _expect("sender", 250, connection.mail(self.sender))
            _expect("recipient", 250, connection.rcpt(to))
            _expect("data", 354, connection.docmd("DATA"))
            connection.send(_LEADING_DOT.sub(b"..", content))
        except _Answer as answer:
            return _receipt(answer)
        except (OSError, smtplib.SMTPException) as error:
            return Receipt("failed", reason="unreachable", detail=type(error).__name__)
        known_as = message_id(id, self.sender)
        try:
            connection.send(b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n")
            _expect("content", 250, connection.getreply())
        except _Answer as answer:
            return _receipt(answer)
        except (OSError, smtplib.SMTPException) as error:
            return Receipt("unknown", known_as, "connection_lost", type(error).__name__)
        return Receipt("accepted", known_as)


def _expect(step: str, wanted: int, answer: tuple[int, bytes]) -> None:
    code, text = answer
    if code != wanted and not (wanted == 250 and 200 <= code < 300):
        raise _Answer(step, code, text)


def _receipt(answer: _Answer) -> Receipt:
    """What a refusal at this step means for the message: 4xx later, 5xx never, and a refusal of us is ours to mend."""
    if answer.code == -1 or not 400 <= answer.code < 600:
        return Receipt("failed", reason="unreachable", detail=answer.detail)
    if answer.code < 500:
        return Receipt("failed", reason="not_now", detail=answer.detail)
    about_us = answer.step in ("greeting", "sign_in", "sender") and answer.code != _TOO_LARGE
    if about_us or answer.code in _NOT_ADMITTED:
        return Receipt("failed", reason="not_admitted", detail=answer.detail)
    reason = "address_refused" if answer.step == "recipient" else "message_refused"
    return Receipt("rejected", reason=reason, detail=answer.detail)


def _leave(connection: smtplib.SMTP) -> None:
    """Say goodbye. What goes wrong now changes nothing: the answer is in already."""
    try:
        if connection.sock is not None:
            connection.quit()
    except (OSError, smtplib.SMTPException):
        connection.close()


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode("ascii", "replace")
