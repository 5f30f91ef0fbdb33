"""The files of a `FilesGateway` as people look at them: what went to the bank, what came and was read or put aside.

Only looked at, never moved: whatever happens here, the gateway's promises hold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from lipei.gateways.bank.book import Book, read_json
from lipei.gateways.bank.interface import BankFile

OPENED = ("outbox", "read", "rejected")
"""The folders whose files may be opened."""
_HEAD_BYTES = 4096
_KIND = re.compile(rb"urn:iso:std:iso:20022:tech:xsd:([a-z]{4}\.\d{3})\.\d{3}\.\d{2}")
_MESSAGE = re.compile(rb"<(?:\w+:)?OrgnlMsgId>\s*([^<\s]{1,60})\s*<")
_ORDER = re.compile(rb"<(?:\w+:)?(?:Orgnl)?EndToEndId>\s*([^<\s]{1,60})\s*<")


def files(folder: Path, *, limit: int = 100) -> list[BankFile]:
    """The latest files of each kind, the newest first: at most ``limit`` of each folder."""
    found = [*_sent(folder, limit)]
    found += [_file(path, "read", "read") for path in _latest(folder / "read", limit)]
    for path in _latest(folder / "rejected", limit):
        reason = read_json(path.with_name(f"{path.name}.reason.json")) or {}
        said = {"code": reason.get("code", ""), "params": reason.get("params", {})}
        found.append(_file(path, "rejected", "rejected", **said))
    return sorted(found, key=lambda file: file.at, reverse=True)


def content(folder: Path, place: str, name: str) -> bytes | None:
    """A file's bytes; None where there is no such file to be opened."""
    if place not in OPENED or name.startswith(".") or name != Path(name).name:
        return None
    path = folder / place / name
    return path.read_bytes() if path.is_file() else None


def rejected(folder: Path, name: str) -> tuple[str, dict[str, str]] | None:
    """Why a file was put aside under this name: a text key with what fills it; None where it was not."""
    reason = read_json(folder / "rejected" / f"{name}.reason.json")
    return (str(reason["code"]), dict(reason["params"])) if reason else None


def kind(content: bytes) -> str:
    """Which message a file says it is, such as ``pain.002``; empty for anything else."""
    found = _KIND.search(content[:_HEAD_BYTES])
    return found[1].decode() if found else ""


def orders(content: bytes) -> set[str]:
    """The identities of the orders that a file speaks of, ours or not."""
    return {found.decode(errors="replace") for found in _ORDER.findall(content)}


def answered(folder: Path, content: bytes) -> set[str]:
    """The orders that an answer speaks of: those it names, else all of the message of ours that it answers as a whole."""
    named, message = orders(content), _MESSAGE.search(content)
    if named or message is None:
        return named
    manifest = Book(folder).manifest(message[1].decode(errors="replace"))
    return set(manifest.ids) if manifest else set()


def _sent(folder: Path, limit: int) -> Iterator[BankFile]:
    """Every message that left, by its manifest; what still lies in the outbox can be opened."""
    for path in _latest(folder / "messages", limit, ".json"):
        manifest = json.loads(path.read_bytes())
        name = f"{manifest['message_id']}.xml"
        ids = tuple(name for members in manifest["groups"].values() for name in members)
        facts = {"orders": len(ids), "ids": ids, "control_sum": manifest["control_sum"]}
        there = folder / "outbox" / name
        if there.is_file():
            yield _file(there, "outbox", "waiting", **facts)
        else:
            yield BankFile("outbox", name, "pain.001", _time(path), 0, "gone", **facts)


def _latest(folder: Path, limit: int, suffix: str = "") -> list[Path]:
    if not folder.is_dir():
        return []
    paths = (p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    shown = [p for p in paths if (p.suffix == suffix if suffix else not p.name.endswith(".reason.json"))]
    return sorted(shown, key=lambda p: p.stat().st_mtime, reverse=True)[:limit]


def _file(path: Path, place: str, state: str, **more: object) -> BankFile:
    with path.open("rb") as handle:
        head = handle.read(_HEAD_BYTES)
    return BankFile(
        place, path.name, kind(head), _time(path), path.stat().st_size, state, **more  # type: ignore[arg-type]
    )  # fmt: skip


def _time(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
