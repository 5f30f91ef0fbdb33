"""Investigation (单证、查勘、会商): papers asked for once, the survey, and experts who confer (norm 2.2.2, 2.2.3; 保险法22)."""

from __future__ import annotations

from datetime import datetime, timedelta

from lipei.domain import papers
from lipei.domain.conduct import Ask
from lipei.domain.customers import PREFIX
from lipei.domain.events import Change, Outcome, Refusal, Value, wrong


def request_papers(ask: Ask) -> Outcome:
    """Everything that is missing, in one request. Nothing named means: what the table asks of this claim.

    A second request needs a reason on record, for the law allows one (保险法22).
    """
    claim, command = ask.case.claim, ask.command
    needed = papers.papers_needed(case=ask.case, table=ask.rulebook.papers)
    known = {need.code: need for need in needed}
    extra = [code for code in dict.fromkeys(command.papers) if code not in known]
    unknown = [code for code in extra if code not in ask.rulebook.papers.kinds]
    if unknown:
        return wrong(papers="refusal.paper_unknown")
    if claim.papers_requests and not command.reason.strip():
        return wrong(reason="refusal.papers_asked_before")
    wanted: list[tuple[str, int, int | None, bool]] = [(n.code, n.exposure, n.party, n.required) for n in needed]
    wanted += [(code, 0, _claimant(ask), True) for code in extra]
    if not wanted:
        return Refusal("refusal.papers_nothing_missing")
    due_at = ask.now + timedelta(days=ask.rulebook.settings.papers_due_days)
    first = ask.case.next_part("paper")
    changes = [
        Change("paper", first + n, _paper(code, exposure, party, required, ask.now, due_at))
        for n, (code, exposure, party, required) in enumerate(wanted)
    ]
    facts = {
        "papers": tuple(code for code, _, _, required in wanted if required),
        "papers_if": tuple(code for code, _, _, required in wanted if not required),
        "due_at": due_at,
        "request": claim.papers_requests + 1,
        "reason": command.reason.strip(),
    }
    return (ask.done(*changes, facts=facts, papers_requested_at=ask.now, papers_requests=claim.papers_requests + 1),)


def _paper(
    code: str, exposure: int, party: int | None, required: bool, now: datetime, due_at: datetime
) -> dict[str, Value]:
    return {
        "state": "requested",
        "code": code,
        "exposure": exposure,
        "asked_of": party,
        "required": required,
        "requested_at": now,
        "due_at": due_at,
    }


def _claimant(ask: Ask) -> int | None:
    party = ask.case.party("claimant") or ask.case.party("reporter")
    return party.part if party else None


def receive_paper(ask: Ask) -> Outcome:
    """A paper came in. An invoice that another claim holds already is refused: it is paid once."""
    command = ask.command
    unknown = [n for n in command.documents if n not in ask.case.documents]
    if unknown:
        return wrong(documents="refusal.document_unknown")
    if ask.actor.id.startswith(PREFIX) and not (command.documents or ask.target.uploads):
        return wrong(documents="refusal.document_missing")  # a colleague may hold a paper in hand, a customer sends it
    invoice = "".join(command.invoice_number.split()).upper()
    elsewhere = ask.world.invoices_seen.get(invoice) if invoice else None
    here = any(p.invoice_number == invoice and n != ask.part for n, p in ask.case.papers.items()) if invoice else False
    if elsewhere or here:
        return Refusal(
            "refusal.invoice_seen",
            "fields",
            {"claim": elsewhere or ask.case.claim.number},
            {"invoice_number": "refusal.invoice_seen"},
        )
    paper = ask.target
    uploads = tuple(dict.fromkeys((*paper.uploads, *command.documents)))
    facts = {"code": paper.code, "documents": len(uploads), "again": paper.state == "refused"}
    links = [Change("document", n, {"paper": ask.part}) for n in command.documents]
    return (
        ask.done(
            *links,
            facts=facts,
            uploads=uploads,
            received_at=ask.now,
            invoice_number=invoice or paper.invoice_number,
            reason="",
            note="",
        ),
    )


def accept_paper(ask: Ask) -> Outcome:
    """The paper is good."""
    return (ask.done(facts={"code": ask.target.code}, decided_at=ask.now),)


def refuse_paper(ask: Ask) -> Outcome:
    """The paper cannot be used; the customer is told why and sends the right one under the same request."""
    if not ask.command.reason:
        return wrong(reason="refusal.reason_missing")
    facts = {"code": ask.target.code, "reason": ask.command.reason}
    return (ask.done(facts=facts, decided_at=ask.now, reason=ask.command.reason, note=ask.command.note.strip()),)


def waive_paper(ask: Ask) -> Outcome:
    """It is not needed after all (simplified papers)."""
    if not ask.command.reason.strip():
        return wrong(reason="refusal.reason_missing")
    return (
        ask.done(facts={"code": ask.target.code}, decided_at=ask.now, reason="waived", note=ask.command.reason.strip()),
    )


# --- survey -----------------------------------------------------------------------------------------------------------


def schedule_survey(ask: Ask) -> Outcome:
    """A visit with a time and a surveyor, told to the customer."""
    command = ask.command
    codes = {}
    if command.at is None:
        codes["at"] = "refusal.time_missing"
    elif command.at < ask.now:
        codes["at"] = "refusal.time_past"
    if not command.place.strip() and not command.remote and not ask.case.claim.place:
        codes["place"] = "refusal.place_missing"
    if command.exposure and command.exposure not in ask.case.exposures:
        codes["exposure"] = "refusal.unknown_exposure"
    if command.surveyor is not None and command.surveyor not in {c.staff_id for c in ask.world.candidates}:
        codes["surveyor"] = "refusal.staff_unknown"
    if codes:
        return wrong(**codes)
    part = ask.case.next_part("survey")
    surveyor = command.surveyor if command.surveyor is not None else ask.actor.staff_id
    facts = {"at": command.at, "surveyor": surveyor, "remote": command.remote, "exposure": command.exposure}
    return (
        ask.done(
            part=part, facts=facts, at=command.at, place=command.place.strip() or ask.case.claim.place,
            surveyor=surveyor, exposure=command.exposure, remote=command.remote,
        ),
    )  # fmt: skip


def record_survey(ask: Ask) -> Outcome:
    """What was found, with the photos taken."""
    command = ask.command
    if not command.findings.strip():
        return wrong(findings="refusal.text_missing")
    if any(n not in ask.case.documents for n in command.documents):
        return wrong(documents="refusal.document_unknown")
    links = [Change("document", n, {"survey": ask.part}) for n in command.documents]
    facts = {"documents": len(command.documents), "checked": len(command.checklist)}
    return (
        ask.done(
            *links,
            facts=facts,
            findings=command.findings.strip(),
            checklist=dict(command.checklist),
            recorded_at=ask.now,
        ),
    )


def cancel_survey(ask: Ask) -> Outcome:
    """The visit does not take place."""
    if not ask.command.reason.strip():
        return wrong(reason="refusal.reason_missing")
    return (ask.done(facts={"at": ask.target.at}, reason=ask.command.reason.strip()),)


# --- consultation -----------------------------------------------------------------------------------------------------


def convene(ask: Ask) -> Outcome:
    """Experts are asked a question about a complex case."""
    command = ask.command
    codes = {}
    if not command.question.strip():
        codes["question"] = "refusal.text_missing"
    if any(person not in {c.staff_id for c in ask.world.candidates} for person in command.experts):
        codes["experts"] = "refusal.staff_unknown"
    if command.exposure and command.exposure not in ask.case.exposures:
        codes["exposure"] = "refusal.unknown_exposure"
    if codes:
        return wrong(**codes)
    facts = {"experts": tuple(command.experts), "exposure": command.exposure}
    part = ask.case.next_part("consultation")
    return (
        ask.done(
            part=part, facts=facts, question=command.question.strip(), experts=tuple(command.experts),
            exposure=command.exposure,
        ),
    )  # fmt: skip


def opine(ask: Ask) -> Outcome:
    """An expert's opinion and vote; a later one of the same person takes the place of the earlier."""
    command, consultation = ask.command, ask.target
    if not command.text.strip():
        return wrong(text="refusal.text_missing")
    if command.amount is not None and command.amount.currency != ask.case.claim.currency:
        return wrong(amount="refusal.currency_mixed")
    voice: dict[str, Value] = {
        "expert": ask.actor.staff_id,
        "vote": command.vote,
        "at": ask.now,
        "amount_minor": command.amount.minor if command.amount else None,
    }
    others = tuple(o for o in consultation.opinions if o["expert"] != ask.actor.staff_id)
    texts = f"{consultation.opinion_texts}\n\n{ask.actor.name}: {command.text.strip()}".strip()
    facts = {"expert": ask.actor.staff_id, "vote": command.vote}
    return (ask.done(facts=facts, opinions=(*others, voice), opinion_texts=texts),)


def conclude(ask: Ask) -> Outcome:
    """The consultation's outcome, with the count of votes."""
    command = ask.command
    if not command.text.strip():
        return wrong(text="refusal.text_missing")
    votes = [o["vote"] for o in ask.target.opinions]
    facts = {"outcome": command.outcome, "for": votes.count("for"), "against": votes.count("against")}
    return (ask.done(facts=facts, outcome=command.outcome, conclusion=command.text.strip(), concluded_at=ask.now),)
