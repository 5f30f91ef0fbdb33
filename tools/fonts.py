"""The letters' fonts: four whole Noto Sans files out of node_modules, and which characters they carry.

Letters are set with these files only, so the coverage written here is what `lipei.gateways.letters` may print. It is
worked out once, at build time: service then needs no font library.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

FACES = (
    "noto-sans-sc/400Regular/NotoSansSC_400Regular.ttf",
    "noto-sans-sc/700Bold/NotoSansSC_700Bold.ttf",
    "noto-sans-tc/400Regular/NotoSansTC_400Regular.ttf",
    "noto-sans-tc/700Bold/NotoSansTC_700Bold.ttf",
)
LICENCE = "noto-sans-sc/LICENSE_FONT"


def build(*, packages: Path, target: Path) -> None:
    """Fill the empty folder ``target`` with fonts, their licence and ``coverage.json``.

    ``packages`` is the folder that holds ``noto-sans-sc`` and ``noto-sans-tc``. Raises FileNotFoundError where a face
    is not there.
    """
    for face in FACES:
        shutil.copyfile(packages / face, target / Path(face).name)
    shutil.copyfile(packages / LICENCE, target / "LICENSE.txt")
    ranges = _ranges(_coverage([target / Path(face).name for face in FACES]))
    (target / "coverage.json").write_text(json.dumps(ranges, separators=(",", ":")) + "\n", encoding="utf-8")


def _coverage(faces: Iterable[Path]) -> set[int]:
    """The code points that can be printed in every weight by one family or the other."""
    from fontTools.ttLib import TTFont

    families: dict[str, set[int]] = {}
    for face in faces:
        with TTFont(face, lazy=True) as font:
            points = set(font.getBestCmap())
            family = font["name"].getDebugName(1)
        # A character that only the regular weight has would be missing from a heading: it does not count.
        families[family] = families.get(family, points) & points
    return set().union(*families.values())


def _ranges(points: Iterable[int]) -> list[tuple[int, int]]:
    """Sorted inclusive ranges of code points."""
    ranges: list[tuple[int, int]] = []
    for point in sorted(points):
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1] = (ranges[-1][0], point)
        else:
            ranges.append((point, point))
    return ranges
