"""The settings of an installation: every `LIPEI_…` variable with its default and meaning, checked at start.

`docs/settings.md` is drawn from `VARIABLES`. What a claims manager decides is not here but in the norm tables.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo

DATA_KEY_BYTES = 32
SECRET_KEY_LENGTH_MIN = 32


class Misconfigured(SystemExit):
    """One sentence saying which variable is wrong and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(f"lipei: {sentence}")


@dataclass(frozen=True)
class Variable:
    """One variable. What ``parse`` refuses is said in one sentence; the value of a secret one is never repeated."""

    name: str
    default: str
    meaning: str
    parse: Callable[[str], Any] = str
    secret: bool = False


def _number(least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) < least:
            raise ValueError(f"say a whole number, {least} or more")
        return int(text)

    return parse


def _flag(text: str) -> bool:
    if text.lower() not in ("0", "1", "true", "false", "yes", "no"):
        raise ValueError("say 1 or 0")
    return text.lower() in ("1", "true", "yes")


def _data_key(text: str) -> str:
    try:
        sound = not text or len(base64.urlsafe_b64decode(text)) == DATA_KEY_BYTES
    except binascii.Error:
        sound = False
    if not sound:
        raise ValueError("it must be 32 bytes in URL-safe base64")
    return text


def _secret_key(text: str) -> str:
    if text and len(text) < SECRET_KEY_LENGTH_MIN:
        raise ValueError(f"it must have {SECRET_KEY_LENGTH_MIN} characters or more, or be empty")
    return text


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        raise ValueError("say a zone by its name, like Asia/Shanghai") from None


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("say an address without a path, like https://claims.example.com")
    return text.rstrip("/")


def _sender(text: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", parseaddr(text)[1]):
        raise ValueError("say an e-mail address")
    return text


def _choice(*options: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        found = next((option for option in options if option.lower() == text.lower()), None)
        if found is None:
            raise ValueError(f"choose one of {', '.join(filter(None, options))}")
        return found

    return parse


def _hosts(text: str) -> list[str]:
    """Names of hosts between commas: no scheme, port or path, with which none would ever be met."""
    found = [part.strip() for part in text.split(",") if part.strip()]
    if any(not re.fullmatch(r"[\w.*-]+|\[?[0-9A-Fa-f:.]+\]?", name) for name in found) or (text and not found):
        raise ValueError("say names of hosts with commas between them, without http:// and port")
    return found


MARKETS = (
    "CN",
    "TW",
    "HK",
    "UK",
    "EU",
    "EU-DE",
    "EU-FR",
    "EU-BE",
    "EU-NL",
    "EU-AT",
    "US-NAIC",
    "US-CA",
    "US-UT",
    "US-OK",
)
"""The profiles of the shipped table of promises."""

VARIABLES: tuple[Variable, ...] = (
    Variable(
        "LIPEI_HOME", "var", "Folder for everything that lies on disk unless another variable says otherwise.", Path
    ),
    Variable(
        "LIPEI_DATABASE_URL",
        "",
        "`sqlite:///path` or `postgresql://user:password@host:port/name`; empty: SQLite in LIPEI_HOME.",
        secret=True,
    ),
    Variable("LIPEI_DATABASE_POOL", "10", "Connections kept open per process (PostgreSQL).", _number(1)),
    Variable(
        "LIPEI_SECRET_KEY",
        "",
        "Signs sessions and links: 32 characters or more. Empty: made at first start and kept in LIPEI_HOME.",
        _secret_key,
        secret=True,
    ),
    Variable(
        "LIPEI_DATA_KEY",
        "",
        "Encrypts personal data: 32 bytes, URL-safe base64. Keep it apart from backups."
        " Empty: made at first start and kept in LIPEI_HOME.",
        _data_key,
        secret=True,
    ),
    Variable("LIPEI_MEDIA", "", "Where uploads lie; empty: LIPEI_HOME/media."),
    Variable(
        "LIPEI_EMAIL_URL",
        "",
        "`smtp://user:password@host:port` (`smtp+tls`, `smtps`); empty: messages are put into LIPEI_HOME/outbox.",
    ),
    Variable("LIPEI_EMAIL_FROM", "claims@localhost", "Sender of e-mails.", _sender),
    Variable(
        "LIPEI_SMS_URL",
        "",
        "`tencent://secret_id:secret_key@host/?app=…&sign=…&templates=FILE.json&callback=KEY`: the file names the"
        " provider's template for each message and language, the key guards its delivery reports;"
        " empty: messages are put into LIPEI_HOME/outbox.",
    ),
    Variable(
        "LIPEI_BANK_URL",
        "demonstration:",
        "`files:/folder` writes pain.001 and reads answers there; `demonstration:` confirms by itself.",
    ),
    Variable("LIPEI_BANK_ACCOUNT", "", "The company's own account: `name;number;bank code`."),
    Variable("LIPEI_BANK_WAIT", "10", "Seconds to wait for another process that holds the bank's folder.", _number(1)),
    Variable(
        "LIPEI_TIME_ZONE",
        "Asia/Shanghai",
        "Zone of logs and of a demonstration; the company keeps the time of its calendar, or of the setting `zone`.",
        _zone,
    ),
    Variable("LIPEI_LANGUAGE", "zh-hans", "Language where nobody chose one.", _choice("zh-hans", "zh-hant", "en")),
    Variable(
        "LIPEI_MARKET",
        "",
        "Whose law applies, whatever the settings in the product say: a profile of the promises table; empty: as they say.",
        _choice("", *MARKETS),
    ),
    Variable("LIPEI_HOSTS", "localhost,127.0.0.1,[::1]", "Host names this installation answers to.", _hosts),
    Variable("LIPEI_ORIGIN", "http://127.0.0.1:8000", "Address that people use, for links in messages.", _address),
    Variable("LIPEI_HTTPS", "0", "1 behind TLS: secure cookies, redirects, HSTS.", _flag),
    Variable("LIPEI_DEBUG", "0", "1 shows errors in full. Never in service.", _flag),
    Variable("LIPEI_LOG", "INFO", "Least level logged.", _choice("DEBUG", "INFO", "WARNING", "ERROR")),
    Variable("LIPEI_ANALYSIS", "duckdb", "Engine of analyses over the whole journal.", _choice("duckdb")),
    Variable(
        "LIPEI_WEBHOOK_INSIDE",
        "",
        "Hosts of the company's own network that webhooks may call; all others must have public addresses."
        " This machine itself may be called while LIPEI_ORIGIN is an address of it.",
        _hosts,
    ),
    Variable(
        "LIPEI_PROXIES",
        "0",
        "How many proxies stand before the web process (for the address of a caller).",
        _number(0),
    ),
)


def read(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Every variable's value. Raises Misconfigured with one sentence for the first that makes no sense."""
    unknown = sorted(
        n
        for n in environ
        if n.startswith("LIPEI_")
        and not n.startswith(("LIPEI_TEST_", "LIPEI_BENCH_"))
        and n not in {v.name for v in VARIABLES}
    )
    if unknown:
        raise Misconfigured(f"there is no setting {unknown[0]}; docs/settings.md lists them all.")
    found: dict[str, Any] = {}
    for variable in VARIABLES:
        text = environ.get(variable.name, "") or variable.default
        try:
            found[variable.name] = variable.parse(text)
        except ValueError as error:
            said = variable.name if variable.secret else f"{variable.name}={text!r}"
            raise Misconfigured(f"{said} cannot be used: {error}. {variable.meaning}") from None
    return found


def made_home(home: Path) -> Path:
    """The installation's folder, made where it is not there yet."""
    try:
        home = home.resolve()
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(
            f"LIPEI_HOME={str(home)!r} cannot be used ({error.strerror}): name a folder that can be written."
        ) from None
    return home


def webhooks_inside(named: list[str], origin: str) -> list[str]:
    """The hosts that webhooks may call wherever they are: this machine too while people use the product on it alone."""
    loopback = ["localhost", "127.0.0.1", "::1"]
    return [*named, *(loopback if urlsplit(origin).hostname in loopback else [])]


def kept_secret(home: Path, name: str) -> str:
    """A secret of 32 bytes that is made once and kept in the installation's folder, readable by its owner only."""
    path = home / "keys" / name
    try:
        if not path.exists():
            _make_secret(path)
        kept = path.read_text().strip()
        _data_key(kept or "?")
    except (OSError, ValueError) as error:
        raise Misconfigured(
            f"the key {path} can be neither read nor made ({error}): put the one that was there back, "
            "or see that the folder can be written."
        ) from None
    return kept


def _make_secret(path: Path) -> None:
    """Whole or not at all, and by one process only: a reader never finds half a key, nor a second one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    own = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(base64.urlsafe_b64encode(secrets.token_bytes(DATA_KEY_BYTES)).decode())
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process of the same start was first
            os.link(own, path)
    finally:
        own.unlink()


def database(url: str, home: Path, pool: int) -> dict[str, Any]:
    """Django's description of the database of a URL."""
    if not url:
        url = f"sqlite:///{home / 'lipei.sqlite3'}"
    parts = urlsplit(url)
    path = unquote(url.removeprefix("sqlite:///"))  # sqlite:///relative, sqlite:////absolute
    if parts.scheme == "sqlite" and url.startswith("sqlite:///") and path:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": path,
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA recursive_triggers=ON; "
                    "PRAGMA cache_size=-64000; PRAGMA foreign_keys=ON; PRAGMA mmap_size=268435456"
                ),
            },
        }
    if parts.scheme in ("postgresql", "postgres") and parts.path.strip("/") and _port(parts) is not None:
        return {
            "ENGINE": "lipei.store.postgresql",
            "NAME": unquote(parts.path[1:]),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": _port(parts),
            "CONN_HEALTH_CHECKS": True,  # a connection that broke while it lay in the pool is replaced, not handed out
            "OPTIONS": {
                # Nobody waits long for a database that is away; and once it is back, it is found within seconds.
                "pool": {"min_size": 1, "max_size": pool, "timeout": 5, "reconnect_timeout": 10},
                # Parameters travel apart from the statement, so that the server can keep it prepared.
                "server_side_binding": True,
                "prepare_threshold": 3,
                **{name: int(value) if value.isdigit() else value for name, value in parse_qsl(parts.query)},
            },
        }
    raise Misconfigured(
        "LIPEI_DATABASE_URL cannot be used: say sqlite:///path or postgresql://user:password@host:port/name."
    )


def _port(parts: SplitResult) -> str | None:
    """The port of an address, empty where none is said; None for one that cannot be."""
    try:
        return str(parts.port or "")
    except ValueError:
        return None
