"""Draws the icons under which a phone keeps the portal from ``static/mark.svg``: ``python tools/portal_icons.py``.

The mark stands in white on the company's blue, within the middle that every phone leaves whole however it cuts an icon.
The pictures are kept in the repository; a test draws them again and compares.
"""

from __future__ import annotations

from pathlib import Path

import typst

STATIC = Path(__file__).resolve().parent.parent / "src/lipei/web/static"
PIXELS = (192, 512)
BLUE, WHITE = "#0b5f8a", "#ffffff"
SHARE = "56%"
"""How much of the width the mark takes: a mask may cut away all but the middle four fifths."""


def drawn(pixels: int) -> bytes:
    """The icon as PNG of so many pixels each way."""
    mark = (STATIC / "mark.svg").read_text(encoding="utf-8").replace(BLUE, WHITE).replace('"', '\\"')
    page = (
        f'#set page(width: 72pt, height: 72pt, margin: 0pt, fill: rgb("{BLUE}"))\n'
        f'#align(center + horizon, image(bytes("{mark}"), format: "svg", width: {SHARE}))\n'
    )
    made = typst.compile(page.encode(), format="png", ppi=pixels)
    return bytes(made if isinstance(made, bytes) else made[0])


def main() -> None:
    """Write the icons."""
    for pixels in PIXELS:
        (STATIC / f"portal/icon-{pixels}.png").write_bytes(drawn(pixels))


if __name__ == "__main__":
    main()
