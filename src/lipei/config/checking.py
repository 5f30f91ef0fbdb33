"""Whether an installation can work: a list of small looks, each with a name and one sentence. Nothing is sent."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from lipei.config.commands import Failed, require_key, require_migrated
from lipei.norms.errors import NormError
from lipei.norms.texts import text
from lipei.reads import rulebook
from lipei.services import bank
from lipei.services.deliveries import outlets
from lipei.store import journal


@dataclass
class Seen:
    """What one look came to."""

    name: str
    good: bool
    says: str


class Wrong(Exception):
    """What is wrong and what to do, in one sentence."""


def run() -> list[Seen]:
    """Every look, in order; one that fails keeps none of the others."""
    found = []
    for name, look in LOOKS.items():
        try:
            found.append(Seen(name, True, look()))
        except (Wrong, Failed, ValueError, OSError, bank.NotSetUp) as error:
            found.append(Seen(name, False, str(error)))
    return found


def require() -> None:
    """Asserted when a process starts that is to serve or work. Raises `Failed` with the first thing wrong."""
    wrong = next((one for one in run() if not one.good), None)
    if wrong is not None:
        raise Failed(f"{wrong.name}: {wrong.says}")


def _database() -> str:
    require_migrated()
    missing = journal.guards_missing()
    if missing:
        raise Wrong(f"the guards of {', '.join(missing)} are missing: run `lipei migrate`.")
    return f"{settings.DATABASES['default']['ENGINE'].rpartition('.')[2]}, up to date, the journal is guarded"


def _keys() -> str:
    require_key()
    return "the data key is the one that the database was written with"


def _rules() -> str:
    try:
        book = rulebook.current()
    except NormError as error:
        raise Wrong(text(error.code, "en", **error.params)) from None
    return (
        f"the law of {settings.LIPEI_MARKET or book.settings.market}, {len(book.products.terms)} versions of products"
    )


def _folders() -> str:
    for folder in (Path(settings.LIPEI_HOME), Path(settings.LIPEI_MEDIA)):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            file.write(b"x" * 4096)
            file.flush()
    return f"{settings.LIPEI_HOME} and {settings.LIPEI_MEDIA} can be written"


def _mail() -> str:
    outlets.outlet("email", sender_name="")
    return f"sent as {settings.LIPEI_EMAIL_FROM}" if settings.LIPEI_EMAIL_URL else _into_folder()


def _sms() -> str:
    if not settings.LIPEI_SMS_URL:
        return _into_folder()
    account = outlets.sms_account(settings.LIPEI_SMS_URL)
    if not account.templates:
        raise Wrong("no template is named: say &templates=FILE.json in LIPEI_SMS_URL.")
    reports = outlets.callback_address()
    where = f"delivery reports to {reports}" if reports else "no delivery reports (say &callback=KEY)"
    return f"{len(account.templates)} templates, {where}"


def _into_folder() -> str:
    return f"into the folder {Path(settings.LIPEI_HOME) / 'outbox'}: nothing leaves the house"


def _bank() -> str:
    bank.gateway()
    account = bank.own_account()
    if str(settings.LIPEI_BANK_URL).startswith("demonstration:"):
        return "the demonstration bank: no money moves"
    return f"files in {bank.folder()}, paid by {account.name}"


LOOKS: Mapping[str, Callable[[], str]] = {
    "database": _database,
    "keys": _keys,
    "rules": _rules,
    "folders": _folders,
    "mail": _mail,
    "sms": _sms,
    "bank": _bank,
}
