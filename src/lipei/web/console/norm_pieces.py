"""The pieces in which a norm table is edited: a row, a part, or what stands alone; taken out of a document and put back.

A piece is named by its place: ``limits/3`` (a row), ``limits/+`` (a new one), ``payment`` (a part), ``-`` (what stands alone).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lipei.norms import declared_terms, loader, yaml_texts
from lipei.norms.shapes import Name, Shape, record
from lipei.norms.texts import LANGUAGES, texts
from lipei.web.console.norm_draw import Drawer, Input
from lipei.web.console.norm_fields import ROOT, Typed, sub, typed_of
from lipei.web.console.norm_read import Reader
from lipei.web.console.norm_sections import has_rows, is_section
from lipei.web.console.norm_words import Words
from lipei.web.console.norm_wrong import slug

NEW = "+"
ALONE = "-"


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a document with its declaration. ``rows`` is that of the table it is a row of."""

    part: str
    shape: Shape
    value: Any
    label: str
    rows: Shape | None = None

    @property
    def names(self) -> tuple[Name, ...]:
        """The wordings that are edited with it."""
        return self.rows.names if self.rows else ()

    @property
    def new(self) -> bool:
        """Whether the document has no such row yet."""
        return self.part.endswith(f"/{NEW}")


def document_of(table: str, text: str) -> dict[str, Any]:
    """The document of a text as forms edit it; terms of products laid out as lists. Raises `NormError` where it is none."""
    document = loader.document_of(table, text)
    return declared_terms.laid_out(document) if table == "products" else document


def text_of(table: str, document: Mapping[str, Any]) -> str:
    """A document as text. Raises `NormError` where terms name the same thing twice."""
    if table == "products":
        document = declared_terms.put_together(document)
    return yaml_texts.dump(document)


def alone(shape: Shape) -> Shape:
    """What of a table stands under no heading, as a record."""
    return record(*(f for f in shape.fields if not is_section(f.shape) and f.key not in ("version", "texts")))


def piece(w: Words, shape: Shape, document: Mapping[str, Any], part: str) -> Piece | None:
    """The piece at a place; None where the document has none."""
    if part == ALONE:
        return Piece(part, alone(shape), document, w.t("table.head"))
    key, _, at = part.partition("/")
    found = shape.field(key)
    if found is None or not found.form or key not in document:
        return None
    section, label = found.shape, w.label(key)
    if not has_rows(section):
        return Piece(part, section, document[key], label) if is_section(section) and not at else None
    assert section.item is not None
    if section.kind == "entries":
        held = document[key].get(at) if isinstance(document[key], Mapping) else None
        return None if held is None else Piece(part, section.item, held, w.code(section.of, at))
    if at == NEW:
        return Piece(part, section.item, None, label, section)
    rows = document[key]
    if not at.isdigit() or not isinstance(rows, list) or int(at) >= len(rows) or not isinstance(rows[int(at)], Mapping):
        return None
    return Piece(part, section.item, rows[int(at)], w.title(section, rows[int(at)]), section)


def typed_piece(w: Words, one: Piece) -> dict[str, Typed]:
    """What the form of a piece begins with."""
    typed = typed_of(w, one.shape, one.value if one.value is not None else {})
    if one.shape.kind not in ("record", "setting"):
        typed = {"_": typed}
    names = {str(n): _worded(w, name, one.value or {}) for n, name in enumerate(one.names)}
    return {**typed, **({"names": names} if names else {})}


def _worded(w: Words, name: Name, row: Mapping[str, Any]) -> dict[str, str]:
    key = row.get(name.key) if name.key and name.key in row else name.pattern.format(code=row.get("code", ""))
    found = w.names.get(str(key)) or texts().get(str(key)) or {}
    return {spoken: found.get(spoken, "") for spoken in LANGUAGES}


def hidden_keys(one: Piece) -> tuple[str, ...]:
    """Keys that people never see: the row's own short name is made of its wording."""
    code = one.shape.field("code") if one.rows else None
    return ("code", "text") if code is not None and code.shape.kind == "words" and one.rows and one.rows.names else (
        ("code",) if code is not None and code.shape.kind == "words" else ()
    )  # fmt: skip


def draw_piece(w: Words, one: Piece, typed: Mapping[str, Typed], errors: Mapping[str, str]) -> list[Input]:
    """The fields of a piece, its names first."""
    drawer = Drawer(w, errors)
    names = [
        drawer.wordings(Shape("wordings", open=name.long), sub(sub(typed, "names"), str(n)), f"{ROOT}.names.{n}", w.label(name.label))
        for n, name in enumerate(one.names)
    ]  # fmt: skip
    for n, drawn in enumerate(names):
        drawn.error = errors.get(f"{ROOT}.names.{n}", "")
    if one.shape.kind not in ("record", "setting"):
        return [drawer.draw(one.shape, sub(typed, "_"), f"{ROOT}._", one.label)]
    return [*names, *drawer.fields(one.shape, typed, one.value, omit=hidden_keys(one))]


def read_piece(w: Words, one: Piece, typed: Mapping[str, Typed]) -> tuple[Any, dict[int, Any], dict[str, str]]:
    """The value of a piece, its wordings by number, and what is wrong by path."""
    reader = Reader(w)
    if one.shape.kind not in ("record", "setting"):
        return reader.value(one.shape, sub(typed, "_"), f"{ROOT}._", required=True, was=one.value), {}, reader.errors
    named = {
        n: reader.wordings(Shape("wordings"), sub(sub(typed, "names"), str(n)), f"{ROOT}.names.{n}")
        for n, name in enumerate(one.names)
    }
    if one.rows and one.names and one.names[0].label == "name" and named[0] is None and not reader.errors:
        reader.errors[f"{ROOT}.names.0"] = w.t("table.error.language")
    keys, said = hidden_keys(one), typed
    if keys:  # what nobody sees is not read either
        said = {**typed, **{key: str((one.value or {}).get(key, "_")) for key in keys}}
    value = reader.value(one.shape, said, ROOT, was=one.value if one.value is not None else {})
    return value, named, reader.errors


def put(
    w: Words, document: Mapping[str, Any], one: Piece, value: Any, named: Mapping[int, Any]
) -> tuple[dict[str, Any], str]:
    """The document with a piece as it is now, and the place of the piece in it."""
    made = copy.deepcopy(dict(document))
    if one.part == ALONE:
        return {**made, **value}, ALONE
    key, _, at = one.part.partition("/")
    if not at:
        made[key] = value
        return made, key
    if one.rows is None:
        made[key] = {**made[key], at: value}
        return made, one.part
    row = dict(value)
    if one.new:
        _coded(w, one, row, made[key], named)
    for n, name in enumerate(one.names):
        _named(w, made, row, name, named.get(n))
    if one.new:
        made[key] = [*made[key], row]
        return made, f"{key}/{len(made[key]) - 1}"
    made[key] = [*made[key][: int(at)], row, *made[key][int(at) + 1 :]]
    return made, one.part


def _coded(w: Words, one: Piece, row: dict[str, Any], rows: list[Any], named: Mapping[int, Any]) -> None:
    """Give a new row the short name that it is kept under."""
    if "code" not in hidden_keys(one):
        return
    wording = named.get(0) or row.get(one.rows.title[0] if one.rows else "name") or {}
    code = slug(wording.get("en", ""), {r.get("code") for r in rows})
    held = {
        "code": code,
        **({"text": one.names[0].pattern.format(code=code)} if one.names and one.names[0].key else {}),
    }
    rest = {key: value for key, value in row.items() if key not in held}
    row.clear()
    row.update({**held, **rest})


def _named(w: Words, document: dict[str, Any], row: dict[str, Any], name: Name, wording: Any) -> None:
    """Keep a row's wording in the document where it says something else than is known."""
    own = document.get("texts") or {}
    key = row[name.key] if name.key and name.key in row else name.pattern.format(code=row.get("code"))
    if wording is None or wording == dict(own.get(key) or texts().get(key) or {}):
        return
    if name.key and key != name.pattern.format(code=row.get("code")):
        key = row[name.key] = name.pattern.format(code=row.get("code"))  # a wording that other rows share stays theirs
    document["texts"] = {**own, key: wording}


def copied(w: Words, shape: Shape, document: Mapping[str, Any], part: str) -> tuple[dict[str, Any], str]:
    """The document with a row once more, and its place."""
    one = piece(w, shape, document, part)
    made = copy.deepcopy(dict(document))
    if one is None or one.rows is None or one.new:
        return made, ""
    key, row = part.partition("/")[0], copy.deepcopy(dict(one.value))
    named = {n: _worded(w, name, row) for n, name in enumerate(one.names)}
    if "code" in row and "code" in hidden_keys(one):
        row["code"] = slug(str(row["code"]), {r.get("code") for r in made[key]})
    for n, name in enumerate(one.names):
        wording = {spoken: f"{said} (2)" if name.label == "name" else said for spoken, said in named[n].items()}
        if name.key:
            row[name.key] = name.pattern.format(code=row["code"])
        if all(wording.values()) and (not name.only or name.only in row.get("channels", ())):
            _named(w, made, row, name, wording)
    made[key] = [*made[key], row]
    return made, f"{key}/{len(made[key]) - 1}"


def earlier(document: Mapping[str, Any], part: str) -> dict[str, Any]:
    """The document with a row before the one that it followed."""
    made = copy.deepcopy(dict(document))
    key, _, at = part.partition("/")
    rows = made.get(key)
    if isinstance(rows, list) and at.isdigit() and 0 < int(at) < len(rows):
        rows[int(at) - 1], rows[int(at)] = rows[int(at)], rows[int(at) - 1]
    return made


def removed(w: Words, shape: Shape, document: Mapping[str, Any], part: str) -> dict[str, Any]:
    """The document without a row, and without the wordings that were its own."""
    one = piece(w, shape, document, part)
    made = copy.deepcopy(dict(document))
    if one is None or one.rows is None or one.new:
        return made
    key, at = part.partition("/")[0], int(part.partition("/")[2])
    gone = {name.pattern.format(code=one.value.get("code")) for name in one.names}
    made[key] = [*made[key][:at], *made[key][at + 1 :]]
    if isinstance(made.get("texts"), dict):
        made["texts"] = {k: said for k, said in made["texts"].items() if k not in gone}
    return made


# --- adding to and taking from what is typed ----------------------------------------------------------------------------


def changed(typed: dict[str, Typed], how: str, path: str) -> tuple[dict[str, Typed], str]:
    """The tree with one more (``add``, ``group``) or one less (``less``) at a path, and where one goes on."""
    steps = path.split(".")[1:]
    if not steps or len(steps) > 24:
        return typed, ""
    made = copy.deepcopy(typed)
    at: Any = made
    for step in steps[:-1]:
        if not isinstance(at.get(step), dict):
            at[step] = {}
        at = at[step]
    if how == "less":
        inner = [v for k, v in sorted(_numbered(at), key=lambda pair: int(pair[0])) if k != steps[-1]]
        for k, _ in _numbered(at):
            del at[k]
        at.update({str(n): v for n, v in enumerate(inner)})
        return made, path.rpartition(".")[0]
    branch = at.get(steps[-1])
    branch = branch if isinstance(branch, dict) else {}
    free = str(max((int(k) for k, _ in _numbered(branch)), default=-1) + 1)
    at[steps[-1]] = {**branch, free: {"how": "any", "of": {"0": {"field": ""}}} if how == "group" else {}}
    return made, f"{path}.{free}"


def _numbered(node: Mapping[str, Typed]) -> list[tuple[str, Typed]]:
    return [(k, v) for k, v in node.items() if k.isdigit()]
