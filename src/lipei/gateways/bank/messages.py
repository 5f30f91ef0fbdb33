"""ISO 20022 messages between bytes and the classes of pyiso20022, without trusting the bytes.

A file of a bank is input from outside: no document type declaration (so no entities), nothing but the messages asked
for, and nothing in them that their schema does not know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from xml.parsers import expat

_NAMESPACE = re.compile(
    r"urn:iso:std:iso:20022:tech:xsd:(?P<kind>(?P<family>[a-z]{4})\.\d{3}\.\d{3})\.(?P<version>\d{2})"
)

_DECLARED = re.compile(
    rb"""<\?xml\s+version\s*=\s*(?:"1\.0"|'1\.0')\s+encoding\s*=\s*(?P<quote>["'])(?P<name>[\w.-]{1,40})(?P=quote)"""
)
_CODECS = {
    "gb18030": "gb18030", "gbk": "gb18030", "gb2312": "gb18030", "cp936": "gb18030", "windows-936": "gb18030",
    "big5": "cp950", "cp950": "cp950", "big5-hkscs": "big5hkscs",
}  # fmt: skip
"""Encodings of Chinese that banks write and the XML parser does not know, by their names in small letters. What is named
by an older one is read by the newest that has all its characters."""


class Unreadable(Exception):
    """A file that is not the message it should be. ``code`` is a text key."""

    def __init__(self, code: str, **params: str) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params


@dataclass(frozen=True, slots=True)
class Message:
    """A message read: ``kind`` is ``pain.002.001``, ``body`` the pyiso20022 document."""

    kind: str
    version: int
    body: Any


def load(content: bytes, *, accepts: Mapping[str, AbstractSet[int]]) -> Message:
    """The message in these bytes, one of the kinds and versions accepted.

    Raises Unreadable with ``refusal.bank_file_xml`` (no XML, or with a document type), ``refusal.bank_file_kind``
    (another message) or ``refusal.bank_file_structure`` (does not follow its schema).
    """
    from xsdata.exceptions import ConverterWarning, ParserError
    from xsdata.formats.dataclass.parsers import XmlParser
    from xsdata.formats.dataclass.parsers.config import ParserConfig
    from xsdata.formats.dataclass.parsers.handlers import XmlEventHandler

    content = _in_utf8(content)
    namespace, _, root = _root(content).rpartition(" ")
    found = _NAMESPACE.fullmatch(namespace)
    if found is None or int(found["version"]) not in accepts.get(found["kind"], ()):
        raise Unreadable("refusal.bank_file_kind", found=(namespace or f"<{root}>")[:100])
    name = f"{found['kind'].replace('.', '_')}_{found['version']}"
    document = import_module(f"pyiso20022.{found['family']}.{name}").Document
    config = ParserConfig(fail_on_unknown_properties=True, fail_on_converter_warnings=True)
    try:
        body = XmlParser(config=config, handler=XmlEventHandler).from_bytes(content, document)
    # A missing element is a missing argument of a class; the rest is what conversion of odd values may raise.
    except (ParserError, ConverterWarning, TypeError, ValueError, ArithmeticError) as error:
        raise Unreadable("refusal.bank_file_structure", detail=_first_line(error)) from error
    return Message(found["kind"], int(found["version"]), body)


def serialise(document: Any, namespace: str) -> bytes:
    """The document as UTF-8 bytes with its namespace as the default one."""
    from xsdata.formats.dataclass.serializers import XmlSerializer
    from xsdata.formats.dataclass.serializers.config import SerializerConfig

    text: str = XmlSerializer(config=SerializerConfig(indent="  ")).render(document, ns_map={None: namespace})
    return text.encode()


def code(value: Any) -> str:
    """The text of a code, which the versions of a message hold as a string, an enumeration or a choice of the two."""
    if value is None or isinstance(value, str):
        return value or ""
    if hasattr(value, "cd"):
        return code(value.cd) or code(value.prtry)
    return str(value.value)


def _in_utf8(content: bytes) -> bytes:
    """The file in UTF-8 where it declares an encoding of Chinese, else as it is: the parser knows or refuses the rest."""
    declared = _DECLARED.match(content)
    codec = _CODECS.get(declared["name"].decode("ascii", "replace").lower()) if declared else None
    if declared is None or codec is None:
        return content
    renamed = content[: declared.start("name")] + b"UTF-8" + content[declared.end("name") :]
    try:
        return renamed.decode(codec).encode()
    except UnicodeError as error:
        raise Unreadable("refusal.bank_file_xml", detail=_first_line(error)) from error


def _root(content: bytes) -> str:
    """One pass over the whole file: well-formed, no document type; the namespace and name of its root.

    Anything else in the file is left to the typed parser, which runs after this.
    """
    roots: list[str] = []

    def start(name: str, _: object) -> None:
        if not roots:
            roots.append(name)

    def doctype(*_: object) -> None:
        raise Unreadable("refusal.bank_file_xml", detail="DOCTYPE")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # the latter two: an encoding that does not exist
        raise Unreadable("refusal.bank_file_xml", detail=_first_line(error)) from error
    return roots[0]


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
