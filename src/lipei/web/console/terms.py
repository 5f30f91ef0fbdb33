"""The terms of products among the norm tables: their editions, what a new one begins with, and refusals in words."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from lipei.domain.settlement import Products
from lipei.norms.declared_terms import LISTS, PARTS
from lipei.norms.texts import texts
from lipei.reads import norm_versions
from lipei.web.console.norm_pieces import document_of, text_of
from lipei.web.console.norm_words import Words


def next_edition(products: Products, name: str, now: datetime) -> str | None:
    """The terms ``code-version`` as the product's next edition, valid from today; None where there are none."""
    text = norm_versions.product_text(name)
    newest = products.latest(name.rpartition("-")[0])
    if not text or newest is None:
        return None
    found = document_of("products", text)
    today = timezone.localtime(now).date()
    found["version"] = newest.version + 1
    found["valid_from"] = max(today, newest.valid_from + timedelta(days=1))
    return text_of("products", found)


def newest_text(products: Products, code: str) -> str:
    """The text of a product's newest edition; empty for a product that there is not yet."""
    newest = products.latest(code)
    return norm_versions.product_text(f"{code}-{newest.version}") if newest else ""


def edition(w: Words, document: Mapping[str, Any]) -> str:
    """From when a draft would hold, and what becomes of earlier losses."""
    return w.t("terms.edition", version=document.get("version"), day=document.get("valid_from"))


def with_parts(document: Mapping[str, Any], copied: Mapping[str, Any], part: str) -> dict[str, Any]:
    """Laid-out terms in which a copied cover (the last one) brings the parts of the cover at ``part``."""
    key, _, at = part.partition("/")
    made = dict(copied)
    if key == "covers" and at.isdigit() and int(at) < len(document["covers"]):
        model, new = document["covers"][int(at)].get("code"), made["covers"][-1].get("code")
        made |= {f"{one}.{new}": copy.deepcopy(document.get(f"{one}.{model}") or []) for one in PARTS if model != new}
    return made


def told(w: Words, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a refusal of terms as people find them on the page: ``private_car.own_damage.steps.3``."""
    _, *steps = str(params["at"]).split(".")
    named = []
    for step in steps:
        known = (
            w.said_of["own_cover"].get(step) or w.said_of["own_clause"].get(step) or w.said_of["own_limit"].get(step)
        )
        if step.isdigit():
            named.append(w.t("table.row.number", n=step))
        elif step in (*LISTS, *PARTS):
            named.append(w.t(f"terms.{step}.short"))
        else:
            named.append(known or _worded(w, step))
    found: dict[str, Any] = {"at": " · ".join(named) or w.t("console.norm.products")}
    found |= {key: _worded(w, str(params[key])) for key in ("key", "clause", "limit", "do") if params.get(key)}
    if "value" in params:
        found["value"] = _worded(w, str(params["value"]))
    return found


def _worded(w: Words, said: str) -> str:
    for of in ("own_limit", "own_clause", "own_cover"):
        if said in w.said_of[of]:
            return w.said_of[of][said]
    for key in (f"fact.{said}", f"step.{said}", f"column.products.{said}", f"column.{said}", said):
        if key in texts():
            return w.t(key)
    return said
