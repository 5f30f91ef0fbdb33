"""Messages and letters as customers and colleagues will read them, in every language, with example data (norm 2.4.1)."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from lipei.domain.events import Refusal
from lipei.norms.texts import text, texts
from lipei.services import previews
from lipei.web.console.files import LETTERS
from lipei.web.console.shell import book, complain, show
from lipei.web.templatetags.lipei import language, word


@require_GET
def messages(request: HttpRequest) -> HttpResponse:
    """Every message of the table in force; the words of the one that ``message`` names, else of the first."""
    table = book(request).messages
    code = request.GET.get("message", "")
    code = code if code in table.rows else next(iter(table.rows))
    row = table.rows[code]
    languages = book(request).settings.languages
    found = previews.wordings(code, book=book(request))
    spoken = [(one, text(f"messages.language.{one}", language())) for one in languages]
    called = dict(spoken)
    return show(
        request, "messages", "messages", code=code, name=name(code), letter=row.letter,
        names=[(c, name(c)) for c in table.rows], channels=[
            (channel, [(w.language, called[w.language], w.said) for w in found if w.channel == channel])
            for channel in row.channels
        ],
        events=[word("event", e) for e in row.events],
        letters=[(kind, word("letter_kind", kind), spoken) for kind in LETTERS],
    )  # fmt: skip


def name(code: str) -> str:
    """What people call a message of the table."""
    key = f"message_name.{code}"
    return text(key, language()) if key in texts() else code


@require_GET
def letter(request: HttpRequest, kind: str, spoken: str) -> HttpResponse:
    """A letter with example data, as PDF."""
    made = previews.letter(kind, spoken, book=book(request))
    if isinstance(made, Refusal):
        if made.kind == "missing":
            raise Http404
        complain(request, made)
        return messages(request)
    response = HttpResponse(made, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="example-{kind}-{spoken}.pdf"'
    return response
