"""Messages and letters as they will read, with example data: nothing is sent and no claim is touched (norm 2.4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.conf import settings as django_settings

from lipei.domain.events import Refusal
from lipei.domain.rulebook import Rulebook
from lipei.norms import messages
from lipei.norms.messages import PLACEHOLDERS, Rendered
from lipei.norms.texts import text, texts

EXAMPLE = "example."
"""Before the name of a placeholder: its example where that is words of a language."""


@dataclass(frozen=True, slots=True)
class Wording:
    """One message over one channel in one language."""

    channel: str
    language: str
    said: Rendered


def wordings(message: str, *, book: Rulebook) -> tuple[Wording, ...]:
    """A message of the table in force over each of its channels in each language. Raises KeyError for an unknown one."""
    row = book.messages.rows[message]
    return tuple(
        Wording(
            channel, language,
            messages.render(
                table=book.messages, message=message, channel=channel, language=language, params=params(language, book)
            ),
        )
        for channel in row.channels
        for language in book.settings.languages
    )  # fmt: skip


def params(language: str, book: Rulebook) -> Mapping[str, str]:
    """An example for every placeholder; company and telephone are the company's own."""
    known = texts()
    found = {
        name: text(f"{EXAMPLE}{name}", language) if f"{EXAMPLE}{name}" in known else example
        for name, (_, example) in PLACEHOLDERS.items()
    }
    phone = book.settings.company_phone
    return {**found, "company": _company(language, book), **({"company_phone": phone} if phone else {})}


def letter(kind: str, language: str, *, book: Rulebook) -> Refusal | bytes:
    """A letter as PDF under the company's own head. Refused (``missing``) for an unknown kind or language."""
    from lipei.gateways.letters import LETTERS, FontsMissing, MissingGlyph, render, samples  # heavy, and seldom

    if kind not in LETTERS or language not in book.settings.languages:
        return Refusal("refusal.missing", "missing")
    data, setting = samples.sample(kind, language), book.settings
    head = replace(
        data.company, name=_company(language, book), address=setting.company_address, phone=setting.company_phone,
        email=setting.company_email, website=str(django_settings.LIPEI_ORIGIN), department="", time_zone=setting.zone,
        time_zone_words=text("jobs.zone_words", language),
    )  # fmt: skip
    try:
        return bytes(render(letter=kind, language=language, data=replace(data, company=head)))
    except (MissingGlyph, FontsMissing, ValueError):
        return Refusal("refusal.letter_not_printable", "state")


def _company(language: str, book: Rulebook) -> str:
    return str(book.settings[f"company_name_{language.replace('-', '_')}"])
