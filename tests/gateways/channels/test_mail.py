"""Mail against a real SMTP server on this machine, with everything that can go wrong on the way."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from tests.jobs.installations import free_port

from lipei.gateways.channels import Attachment, CallbackRefused, Inquiry, Message, Receipt
from lipei.gateways.channels.mail import MailChannel, MailServer
from lipei.gateways.channels.mail.compose import BadAddress, address, compose, message_id

NOW = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 20
MESSAGE = Message(
    id="delivery-42",
    to="wang@example.com",
    to_name="王小明",
    subject="您的理赔申请已受理（案件号 LP2026000042）",
    text="王小明，您好：\n\n我们已受理您的报案。\n.\n.以点开头的一行\n",
    html="<p>我们已受理您的报案。</p>",
    language="zh-hans",
    attachments=(Attachment("理赔通知书.pdf", "application/pdf", PDF),),
)


class Mailbox:
    """What the server under test does: takes mail, or answers as told."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, list[str], bytes]] = []
        self.answers: dict[str, str] = {}
        self.drop_after_data = False

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 OK")

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.taken.append((envelope.mail_from, envelope.rcpt_tos, envelope.original_content))
        if self.drop_after_data:
            server.transport.abort()
        return self.answers.get("DATA", "250 2.0.0 queued as ABC123")


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def channel(mailbox: Mailbox) -> Iterator[MailChannel]:
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield MailChannel(
        MailServer.from_url(f"smtp://127.0.0.1:{controller.port}?timeout=5"), "claims@lipei.example", "理赔中心"
    )
    controller.stop()


def parsed(mailbox: Mailbox) -> EmailMessage:
    mail = message_from_bytes(mailbox.taken[-1][2], policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def lines(part: EmailMessage) -> str:
    """The text of a part with this machine's line ends: on the wire they are CRLF."""
    return str(part.get_content()).replace("\r\n", "\n")


@pytest.mark.norm("2.4.1")
def test_a_chinese_mail_with_a_letter_arrives_as_it_was_written(channel: MailChannel, mailbox: Mailbox) -> None:
    receipt = channel.send(MESSAGE, now=NOW)
    assert receipt == Receipt("accepted", "<delivery-42@lipei.example>")
    sender, recipients, raw = mailbox.taken[0]
    assert (sender, recipients) == ("claims@lipei.example", ["wang@example.com"])
    assert raw.isascii(), "no server has to know 8BITMIME"
    mail = parsed(mailbox)
    assert mail["Subject"] == MESSAGE.subject
    assert mail["From"].addresses[0].display_name == "理赔中心"
    assert mail["To"].addresses[0].display_name == "王小明"
    assert mail["Date"].datetime == NOW
    assert mail["Content-Language"] == "zh-Hans"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None and lines(text) == MESSAGE.text
    assert html is not None and "已受理" in html.get_content()
    (letter,) = mail.iter_attachments()
    assert letter.get_filename() == "理赔通知书.pdf"
    assert letter.get_content_type() == "application/pdf"
    assert letter.get_content() == PDF


@pytest.mark.parametrize(("language", "tag"), [("zh-hant", "zh-Hant"), ("en", "en")])
def test_other_languages(channel: MailChannel, mailbox: Mailbox, language: str, tag: str) -> None:
    text = (
        "您好，您的理賠申請已受理。\n"
        if language == "zh-hant"
        else "Your claim has been received:\n.\n..\n.so a line may begin.\n"
    )
    channel.send(Message("d1", "a@example.com", text, language, subject="x"), now=NOW)
    mail = parsed(mailbox)
    assert mail["Content-Language"] == tag
    assert lines(mail) == text


def test_every_attempt_has_the_same_message_id(channel: MailChannel, mailbox: Mailbox) -> None:
    channel.send(MESSAGE, now=NOW)
    channel.send(MESSAGE, now=NOW + timedelta(hours=1))
    ids = {message_from_bytes(raw, policy=default)["Message-ID"] for _, _, raw in mailbox.taken}
    assert ids == {"<delivery-42@lipei.example>"}
    assert message_id("delivery-43", "claims@lipei.example") not in ids


@pytest.mark.parametrize(
    ("step", "answer", "outcome", "reason", "detail"),
    [
        ("RCPT", "450 4.2.1 mailbox busy wang@example.com", "failed", "not_now", "smtp 450 4.2.1"),
        ("RCPT", "550 5.1.1 no such user wang@example.com", "rejected", "address_refused", "smtp 550 5.1.1"),
        ("RCPT", "530 5.7.0 authentication required", "failed", "not_admitted", "smtp 530 5.7.0"),
        ("MAIL", "451 try later", "failed", "not_now", "smtp 451"),
        ("MAIL", "550 5.7.1 sender not allowed", "failed", "not_admitted", "smtp 550 5.7.1"),
        ("MAIL", "552 5.3.4 too big", "rejected", "message_refused", "smtp 552 5.3.4"),
        ("DATA", "452 4.3.1 disk full", "failed", "not_now", "smtp 452 4.3.1"),
        ("DATA", "554 5.7.1 looks like spam", "rejected", "message_refused", "smtp 554 5.7.1"),
    ],
)
def test_later_and_never_are_told_apart(
    channel: MailChannel, mailbox: Mailbox, step: str, answer: str, outcome: str, reason: str, detail: str
) -> None:
    mailbox.answers[step] = answer
    assert channel.send(MESSAGE, now=NOW) == Receipt(outcome, reason=reason, detail=detail)


def test_a_server_that_is_down_is_a_failure_to_be_tried_again() -> None:
    channel = MailChannel(MailServer.from_url(f"smtp://127.0.0.1:{free_port()}?timeout=2"), "claims@lipei.example")
    assert channel.send(MESSAGE, now=NOW) == Receipt("failed", reason="unreachable", detail="ConnectionRefusedError")


def test_a_line_that_breaks_after_the_content_leaves_it_unknown(channel: MailChannel, mailbox: Mailbox) -> None:
    mailbox.drop_after_data = True
    receipt = channel.send(MESSAGE, now=NOW)
    assert (receipt.outcome, receipt.reason) == ("unknown", "connection_lost")
    assert receipt.provider_id == "<delivery-42@lipei.example>"
    assert len(mailbox.taken) == 1, "the server did get it: sending again would have been a second mail"


def scripted(*answers: bytes) -> tuple[int, Thread]:
    """A server that greets, answers each line in turn and hangs up; with no answers at all it stays silent."""
    listening = socket.create_server(("127.0.0.1", 0))

    def talk() -> None:
        with listening, listening.accept()[0] as line:
            line.settimeout(3)
            for answer in answers:
                line.sendall(answer)
                if not line.recv(4096):
                    return
            if not answers:
                line.recv(1)

    thread = Thread(target=talk, daemon=True)
    thread.start()
    return int(listening.getsockname()[1]), thread


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ((b"220 hello\r\n", b"250 ok\r\n", b"250 sender ok\r\n"), "unreachable"),  # hangs up at RCPT
        ((b"220 hello\r\n", b"250 ok\r\n", b"250 ok\r\n", b"250 ok\r\n"), "unreachable"),  # hangs up at DATA
        ((b"554 go away\r\n",), "not_admitted"),
        ((b"421 too busy\r\n",), "not_now"),
        ((), "unreachable"),  # says nothing at all: the time-out ends it
    ],
)
def test_whatever_breaks_before_the_content_was_not_sent(answers: tuple[bytes, ...], reason: str) -> None:
    port, thread = scripted(*answers)
    channel = MailChannel(MailServer.from_url(f"smtp://127.0.0.1:{port}?timeout=0.5"), "claims@lipei.example")
    receipt = channel.send(MESSAGE, now=NOW)
    thread.join(5)
    assert (receipt.outcome, receipt.reason) == ("failed", reason)


def test_a_server_without_tls_gets_neither_password_nor_mail(channel: MailChannel, mailbox: Mailbox) -> None:
    url = f"smtp+tls://user:secret@127.0.0.1:{channel.server.port}"
    receipt = MailChannel(MailServer.from_url(url), "claims@lipei.example").send(MESSAGE, now=NOW)
    assert (receipt.outcome, receipt.reason) == ("failed", "not_admitted")
    assert mailbox.taken == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of its own for localhost, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    started = datetime.now(UTC) - timedelta(hours=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(started)
        .not_valid_after(started + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem", folder / "key.pem"


class SecureController(Controller):
    """STARTTLS and sign-in required."""

    tls: ssl.SSLContext

    def factory(self) -> Any:
        def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
            right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"lipei", b"p@ss:word")
            return AuthResult(success=right, handled=right)

        from aiosmtpd.smtp import SMTP

        return SMTP(
            self.handler,
            hostname="localhost",
            require_starttls=True,
            auth_required=True,
            authenticator=authenticate,
            tls_context=self.tls,
        )


@pytest.fixture
def secure_port(mailbox: Mailbox, certificate: tuple[Path, Path]) -> Iterator[int]:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*certificate)
    controller = SecureController(mailbox, hostname="127.0.0.1", port=free_port())
    controller.tls = tls
    controller.start()
    yield controller.port
    controller.stop()


def secured(port: int, password: str, certificate: tuple[Path, Path] | None) -> MailChannel:
    server = MailServer.from_url(f"smtp+tls://lipei:{password}@localhost:{port}?timeout=5")
    tls = ssl.create_default_context(cafile=str(certificate[0])) if certificate else None
    return MailChannel(server, "claims@lipei.example", tls=tls)


def test_starttls_and_sign_in(secure_port: int, mailbox: Mailbox, certificate: tuple[Path, Path]) -> None:
    receipt = secured(secure_port, "p%40ss%3Aword", certificate).send(MESSAGE, now=NOW)
    assert receipt.outcome == "accepted", receipt
    assert parsed(mailbox)["Subject"] == MESSAGE.subject


def test_a_wrong_password_is_ours_to_mend_and_loses_no_message(
    secure_port: int, mailbox: Mailbox, certificate: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    channel = secured(secure_port, "wrong-secret", certificate)
    receipt = channel.send(MESSAGE, now=NOW)
    assert (receipt.outcome, receipt.reason) == ("failed", "not_admitted")
    assert "wrong-secret" not in repr(channel) + repr(receipt) + caplog.text
    assert mailbox.taken == []


def test_a_certificate_of_somebody_else_is_not_trusted(secure_port: int, mailbox: Mailbox) -> None:
    receipt = secured(secure_port, "p%40ss%3Aword", None).send(MESSAGE, now=NOW)
    assert (receipt.outcome, receipt.detail) == ("failed", "SSLCertVerificationError")
    assert mailbox.taken == []


@pytest.mark.parametrize("url", ["http://host", "smtp://", "smtp+tls:///x", "host:25"])
def test_a_url_without_sense_is_refused_without_repeating_secrets(url: str) -> None:
    with pytest.raises(ValueError, match="mail URL"):
        MailServer.from_url(url)


def test_urls_name_port_and_protocol() -> None:
    assert MailServer.from_url("smtps://mail.example").port == 465
    assert MailServer.from_url("smtp+tls://mail.example").port == 587
    server = MailServer.from_url("smtp://u%40x:p%2Fw@mail.example:2525?timeout=7")
    assert (server.user, server.password, server.port, server.timeout_seconds) == ("u@x", "p/w", 2525, 7.0)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "nobody",
        "a@b@c.example",
        "a@example.com, b@example.com",
        "a@example.com\r\nBcc: b@example.com",
        "<a@example.com>",
        "a b@example.com",
        "a@exa mple.com",
        "a@-",
        "a..b@example.com",
        "@example.com",
        "a@" + "x" * 64 + ".com",
    ],
)
def test_what_is_not_one_address_is_never_written_to(channel: MailChannel, mailbox: Mailbox, bad: str) -> None:
    with pytest.raises(BadAddress):
        address(bad)
    assert channel.send(Message("d1", bad, "x", "en"), now=NOW).reason == "address_refused"
    assert mailbox.taken == []


def test_a_chinese_domain_is_written_in_ascii() -> None:
    assert address("wang@例子.example").addr_spec == "wang@xn--fsqu00a.example"


@given(subject=st.text(), name=st.text(), file=st.text(min_size=1))
def test_no_free_text_ever_makes_a_header(subject: str, name: str, file: str) -> None:
    lone = any(0xD800 <= ord(c) <= 0xDFFF for c in subject + name + file)
    if lone:
        return
    mail = compose(
        Message(
            "d1",
            "a@example.com",
            "text",
            "en",
            to_name=name,
            subject=subject,
            attachments=(Attachment(file, "application/pdf", b"x"),),
        ),
        sender="claims@lipei.example",
        sender_name=name,
        now=NOW,
    )
    again = message_from_bytes(mail.as_bytes(), policy=default)
    assert sorted(again.keys()) == sorted(
        [
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "Content-Language",
            "Auto-Submitted",
            "MIME-Version",
            "Content-Type",
        ]
    )
    assert [a.addr_spec for a in again["To"].addresses] == ["a@example.com"]


@pytest.mark.parametrize("evil", ["x\r\nBcc: b@example.com", "x\nBcc: b@example.com", "x\x0bBcc: y", "x\u2028Bcc: y"])
def test_a_subject_cannot_smuggle_a_recipient(channel: MailChannel, mailbox: Mailbox, evil: str) -> None:
    message = Message("d1", "a@example.com", "text", "en", to_name=evil, subject=evil)
    assert channel.send(message, now=NOW).outcome == "accepted"
    assert mailbox.taken[0][1] == ["a@example.com"]
    assert parsed(mailbox)["Bcc"] is None


def test_an_id_that_could_break_the_message_id_is_digested() -> None:
    plain = message_id("a>b\r\nBcc: c", "claims@lipei.example")
    assert plain == message_id("a>b\r\nBcc: c", "claims@lipei.example")
    assert len(plain) == 2 + 64 + len("@lipei.example")


def test_smtp_can_neither_be_asked_nor_calls_back(channel: MailChannel) -> None:
    assert not channel.can_inquire
    assert channel.inquire(Inquiry("d1", "a@example.com", NOW), now=NOW) is None
    with pytest.raises(CallbackRefused):
        channel.parse_callback(b"[]", {}, query={})
