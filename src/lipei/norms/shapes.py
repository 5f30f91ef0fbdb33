"""What can stand in a norm table, as a declaration: from it pages draw a table to read, a form and a difference.

A `Shape` says what a value is (an amount, a code of a vocabulary, a row of fields), never how it looks. Which table has
which shapes stands in `lipei.norms.declared`; whether a document makes sense is the parsers' business alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """A key of a record. ``default`` is what its absence means; one with ``form`` False is shown and kept, not edited.

    ``shipped``: where a document leaves it out that the shipped one has at this place, it is as there
    (`lipei.norms.completing`).
    ``when``: a key beside it and the codes there with which this one is meant; with others it is not there.
    ``label``: what it is called, where the key alone would say something else elsewhere in the table.
    """

    key: str
    shape: Shape
    required: bool = False
    default: Any = None
    form: bool = True
    when: tuple[str, tuple[str, ...]] = ("", ())
    label: str = ""
    shipped: bool = False

    @property
    def called(self) -> str:
        """What stands for it among the headings."""
        return self.label or self.key


@dataclass(frozen=True, slots=True)
class Shape:
    """``kind`` names what the value is; the rest says more where the kind needs it.

    *words*, *whole*, *minor* (an amount), *amounts* (one per currency), *flag*, *code* and
    *codes* (of a vocabulary ``of``), *alternatives* (codes, the first that exists), *strings* (one a line), *spans* (times of
    day), *years*, *zone*, *time*, *date*, *moment* (local date and time), *duration* (``30s``), *wordings* (each language),
    *remark* (a wording in each language, or one text that everybody reads as it was written),
    *condition* (on the fields of ``of``), *either* (one number, which of ``options`` it is), *setting* (declares itself),
    *listed* (several ``item``, in their order), *record* (``fields``), *rows* (records), *entries* (code → ``item``),
    *kept* (is shown and stays as it is). Of the terms of products: *literal* (an amount, a rate, a number, yes or no, as
    its ``unit`` says) and *figure* (a literal, what ``options`` refer to, or one by a fact among ``fields``).
    """

    kind: str
    of: str = ""
    unit: str = ""  # of a number: a unit's code, or after a point the sibling key that holds it
    low: int | None = None
    high: int | None = None
    item: Shape | None = None
    fields: tuple[Field, ...] = ()
    options: tuple[str, ...] = ()
    # amounts: "unlimited" may stand; entries: codes may be new; code: may be nobody; codes: none of them means all; zone:
    # may be the company's; wordings, remark: long
    open: bool = False
    title: tuple[str, ...] = ()  # rows: what tells one from another
    columns: tuple[str, ...] = ()  # rows: what a table shows at once; the rest opens
    names: tuple[Name, ...] = ()  # rows: wordings under which people know the row
    short: str = ""  # record: a row that says only this key is written as its value alone
    groups: tuple[str, ...] = ()  # rows: what many of them are read in groups by
    ordered: bool = False  # rows: their order counts, so one can be put before another
    complete: bool = False  # entries: those that a document leaves out are as they are shipped

    def field(self, key: str) -> Field | None:
        """The field of a record that stands under a key."""
        return next((one for one in self.fields if one.key == key), None)

    def present(self, said: Callable[[str], Any]) -> Iterator[Field]:
        """The fields of a record that are meant with what ``said`` answers for the keys beside them."""
        return (one for one in self.fields if not one.when[0] or said(one.when[0]) in one.when[1])


@dataclass(frozen=True, slots=True)
class Name:
    """A wording of a row that stands in the texts: ``promise.{code}``. ``key``: the row's key that holds the text's key."""

    pattern: str
    label: str = "name"
    long: bool = False
    key: str = ""
    only: str = ""  # the row's key ``channels`` has to hold this


def fits(shape: Shape, value: Any) -> bool:
    """Whether a value has the build of its declaration, so that a page can draw it; whether it makes sense, parsers say."""
    item, build = shape.item, _BUILDS.get(shape.kind)
    if build is not None and not isinstance(value, build):
        return False
    if shape.kind == "record":
        return all(fits(f.shape, value[f.key]) for f in shape.fields if f.key in value and f.key != "texts")
    if shape.kind == "rows" and item is not None:
        return all(fits(item, row) or (bool(item.short) and isinstance(row, str)) for row in value)
    if shape.kind == "entries" and item is not None:
        return all(fits(item, one) for one in value.values())
    if shape.kind in ("wordings", "remark") and isinstance(value, Mapping):
        return all(isinstance(words, str) for words in value.values())
    return True


_BUILDS: Mapping[str, tuple[type, ...]] = {
    "record": (Mapping,), "rows": (list,), "entries": (Mapping,), "setting": (Mapping,), "wordings": (Mapping,),
    "remark": (Mapping, str, type(None)), "listed": (list,), "strings": (list,), "codes": (list, str, type(None)),
}  # fmt: skip


WORDS, FLAG, STRINGS, WORDINGS = (Shape(kind) for kind in ("words", "flag", "strings", "wordings"))
LONG_WORDINGS = Shape("wordings", open=True)
REMARK, LONG_REMARK = Shape("remark"), Shape("remark", open=True)
SPANS, YEARS, ZONE, DATE, MOMENT = (Shape(kind) for kind in ("spans", "years", "zone", "date", "moment"))
DURATION, KEPT, MINOR, AMOUNTS = (Shape(kind) for kind in ("duration", "kept", "minor", "amounts"))
LIMITS = Shape("amounts", open=True)


def whole(unit: str = "", low: int | None = 0, high: int | None = None) -> Shape:
    """A whole number with its unit and bounds."""
    return Shape("whole", unit=unit, low=low, high=high)


def code(of: str) -> Shape:
    """One code of a vocabulary."""
    return Shape("code", of=of)


def codes(of: str) -> Shape:
    """Several codes of a vocabulary, in no order."""
    return Shape("codes", of=of)


def any_of(of: str) -> Shape:
    """Several codes of a vocabulary; where none is named, all of them are meant."""
    return Shape("codes", of=of, open=True)


def listed(item: Shape) -> Shape:
    """Several values whose order counts."""
    return Shape("listed", item=item)


def condition(of: str) -> Shape:
    """A condition on the fields that ``of`` knows."""
    return Shape("condition", of=of)


def record(*fields: Field, short: str = "") -> Shape:
    """A mapping with these keys."""
    return Shape("record", fields=fields, short=short)


def rows(
    *fields: Field,
    title: tuple[str, ...] = ("code",),
    columns: tuple[str, ...] = (),
    names: tuple[Name, ...] = (),
    groups: tuple[str, ...] = (),
    ordered: bool = False,
) -> Shape:
    """A list of records."""
    return Shape(
        "rows", item=record(*fields), title=title, columns=columns, names=names, groups=groups, ordered=ordered
    )


def entries(item: Shape, of: str = "", *, new: bool = False) -> Shape:
    """A mapping of codes to values; with ``new`` codes that nobody knows yet."""
    return Shape("entries", of=of, item=item, open=new)


def must(key: str, shape: Shape) -> Field:
    """A field that no row lacks."""
    return Field(key, shape, required=True)


def may(key: str, shape: Shape, default: Any = None) -> Field:
    """A field that may be left out."""
    return Field(key, shape, default=default)


def shipped(key: str, shape: Shape, default: Any = None) -> Field:
    """A field that earlier releases did not know: left out, it is what the shipped document says there."""
    return Field(key, shape, default=default, shipped=True)


def kept(key: str, shape: Shape = KEPT) -> Field:
    """A field that is shown and not edited by a form."""
    return Field(key, shape, form=False)
