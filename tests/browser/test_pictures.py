"""The pictures of guide and README are taken from the product as it is: one that has gone stale is found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat
from tests.browser.looking import CHROMIUM
from tests.web.every_page import EVERYTHING

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = ROOT / "docs/pictures"
SQUARE_PX = 16
"""Compared are squares of this side, so that a date or a name may differ."""
DIFFERENT_MAX = 7.0
"""Of 255, on average. Most pages of the demonstration differ by less than 5 from one day to another; another frame or sheet
makes nearly all differ by more."""
OTHER_CONTENT_MAX = 0.25
"""So many of the pictures may show another day's work: more or fewer visits, claims, bars."""

pytestmark = [pytest.mark.browser, pytest.mark.once]


def difference(one: Path, other: Path) -> float:
    """How far two pictures of one size are apart, from 0 to 255."""
    with Image.open(one) as left, Image.open(other) as right:
        assert left.size == right.size, f"{one.name} has another size than the page"
        size = (left.width // SQUARE_PX, left.height // SQUARE_PX)
        squares = [picture.convert("L").resize(size, Image.Resampling.BOX) for picture in (left, right)]
    return ImageStat.Stat(ImageChops.difference(*squares)).mean[0]


@pytest.mark.skipif(not EVERYTHING, reason="looked at with LIPEI_TEST_EVERYTHING=1")
@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no Chromium at {CHROMIUM}")
def test_every_picture_is_taken_anew_and_none_has_gone_stale(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools/pictures.py", "--into", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    kept, taken = ({path.relative_to(at) for path in at.rglob("*.png")} for at in (KEPT, tmp_path))
    assert taken == kept
    stale = {str(path): apart for path in kept if (apart := difference(KEPT / path, tmp_path / path)) > DIFFERENT_MAX}
    assert len(stale) <= OTHER_CONTENT_MAX * len(kept), (
        f"{stale}: the product no longer looks like its pictures: `make pictures` takes them anew"
    )


def test_another_page_is_not_taken_for_the_same() -> None:
    assert difference(KEPT / "en/worklist.png", KEPT / "en/worklist.png") == 0
    assert difference(KEPT / "en/worklist.png", KEPT / "en/claim.png") > DIFFERENT_MAX
    assert difference(KEPT / "en/visit.png", KEPT / "en/visits.png") > DIFFERENT_MAX
