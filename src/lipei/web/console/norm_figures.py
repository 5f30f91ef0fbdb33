"""Figures of the terms of products, read from a form: fixed, as the policy says, as found, or different by a fact.

A literal is written in the document as its unit wants it: ``"1234.56"``, ``"80%"``, ``3``, ``true``. People type
``1,234.56``, ``80``, ``3`` and choose yes.
"""

from __future__ import annotations

from typing import Any

from lipei.domain.money import Money, MoneyError, plain, rate_ppm
from lipei.norms.money import rate_text
from lipei.norms.shapes import Shape
from lipei.web.console.norm_fields import FIXED, Typed, blank, items, one, sub
from lipei.web.console.norm_words import Words
from lipei.web.console.norm_wrong import Wrong, amount, number


def literal_read(w: Words, shape: Shape, node: Typed, unit: str) -> Any:
    """A literal as the document has it; None for nothing. Raises `Wrong`."""
    said = one(node)
    if not said:
        return None
    if unit == "money":
        return plain(Money(amount(said, w.currency), w.currency))
    if unit == "percent":
        try:
            return rate_text(rate_ppm(said))
        except MoneyError as error:
            raise Wrong(error.code) from None
    if unit == "count":
        return number(said, 0, None)
    if unit == "yes_no":
        return said == "yes"
    if shape.options and said not in shape.options:
        raise Wrong("refusal.not_a_choice")
    return said


def figure_read(w: Words, shape: Shape, node: Typed, path: str, errors: dict[str, str], *, needed: bool = False) -> Any:
    """A figure as the document has it; what is wrong goes to ``errors`` by path. None for nothing."""
    chosen, said = one(sub(node, "from")), sub(node, "n")
    if chosen in ("", FIXED):
        found = _literal(w, Shape("literal", unit=shape.unit), said, f"{path}.n", errors)
        if found is None and (needed or chosen == FIXED) and f"{path}.n" not in errors:
            errors[f"{path}.n"] = w.t("refusal.required")
        return found
    source, _, key = chosen.partition(":")
    if chosen in shape.options:
        return {source: key}
    fact = shape.field(key) if source == "by" else None
    if fact is None:
        errors[f"{path}.from"] = w.t("refusal.not_a_choice")
        return None
    cases: dict[Any, Any] = {}
    for n, case in items(sub(node, "of")):
        where = f"{path}.of.{n}"
        if (
            not one(sub(case, "key"))
            and blank(sub(sub(case, "is"), "n"))
            and one(sub(sub(case, "is"), "from")) in ("", FIXED)
        ):
            continue
        at = _literal(w, fact.shape, sub(case, "key"), f"{where}.key", errors)
        if at is None or at in cases:
            errors.setdefault(f"{where}.key", w.t("refusal.required" if at is None else "refusal.said_twice"))
        cases[at] = figure_read(w, shape, sub(case, "is"), f"{where}.is", errors, needed=True)
    if not cases:
        errors[f"{path}.of"] = w.t("refusal.required")
    how = "bands" if one(sub(node, "how")) == "upto" else "choices"
    return {
        "by": key,
        how: cases,
        "otherwise": figure_read(w, shape, sub(node, "else"), f"{path}.else", errors, needed=True),
    }


def _literal(w: Words, shape: Shape, node: Typed, path: str, errors: dict[str, str]) -> Any:
    try:
        return literal_read(w, shape, node, shape.unit)
    except Wrong as wrong:
        errors[path] = w.t(wrong.code, **wrong.params)
        return None
