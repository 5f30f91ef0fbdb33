"""The files of a claim against the digests that its journal holds: papers as they came in, letters as they went out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lipei.domain.rulebook import Rulebook
from lipei.services import documents
from lipei.services.verify import reading
from lipei.services.verify.comparing import Difference, Found
from lipei.services.verify.owed import ends
from lipei.services.verify.reading import Chunk, Stream


@dataclass
class Files:
    """One run's comparison: a file that several claims have is read once."""

    seen: dict[str, str] = field(default_factory=dict)

    def compare(self, chunk: Chunk, rulebook: Rulebook) -> Found:
        """Every file is there with the bytes that its digest names. A claim whose time is over has none."""
        for number, stream in chunk.streams.items():
            for what, digest in _named(stream) if stream.salt else ():
                if digest not in self.seen:
                    self.seen[digest] = _wrong(digest)
                if self.seen[digest]:
                    yield Difference("files", f"{chunk.name(number)} {what}", self.seen[digest])


def _named(stream: Stream) -> Iterator[tuple[str, str]]:
    for part, raw in reading.parts_of(stream, "document").items():
        if raw.get("digest"):
            yield f"document/{part}", raw["digest"]
    for delivery, end in ends(stream).items():
        if end.letter:
            yield f"letter of delivery {delivery}", end.letter


def _wrong(digest: str) -> str:
    try:
        return "" if documents.kept().holds(digest) else "the file is not what was kept"
    except FileNotFoundError:
        return "the file is gone"
    except Exception as error:  # altered bytes, or sealed with another key
        return f"the file cannot be opened: {type(error).__name__}"
