"""Takes the pictures of docs/pictures from a demonstration company that is being served.

Run it in the environment of the installation whose `lipei run` is at that address:

    LIPEI_HOME=… python tools/pictures.py http://127.0.0.1:8000

It needs Chromium (CHROMIUM names another than /usr/bin/chromium) and the development packages. Chinese is set in the
letters' own fonts, so that the pictures look alike on every machine.
"""

from __future__ import annotations

import os
import sys
import tempfile
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs/pictures"
FONTS = ROOT / "src/lipei/gateways/letters/fonts"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SIZE = {"width": 1280, "height": 860}
COLOURS = 128
BYTES_MAX = 300_000
FONTCONFIG = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{fonts}</dir><dir>/usr/share/fonts</dir><cachedir>{cache}</cachedir>
<match target="pattern"><edit name="family" mode="prepend_first" binding="strong"><string>Noto Sans SC</string></edit></match>
</fontconfig>"""


def main() -> int:
    """Take the three pictures; 0, or 2 with a sentence when there is nothing to photograph."""
    if len(sys.argv) != 2 or not urlsplit(sys.argv[1]).netloc:
        print("pictures: name the address of a running demonstration, e.g. http://127.0.0.1:8000", file=sys.stderr)
        return 2
    base = sys.argv[1].rstrip("/")
    number, handler, link, password = subject()
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        config = Path(folder, "fonts.conf")
        config.write_text(FONTCONFIG.format(fonts=FONTS, cache=folder))
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], env={**os.environ, "FONTCONFIG_FILE": str(config)}
        )
        for name, who, path in (
            ("worklist", "lead1", "/console/work/"),
            ("claim", handler, f"/console/claims/{number}/"),
            ("portal", "", urlsplit(link).path),
        ):
            page = chromium.new_context(viewport=SIZE, locale="zh-CN").new_page()
            if who:
                page.goto(f"{base}/accounts/login/")
                page.locator("[name=login]").fill(who)
                page.locator("[name=password]").fill(password)
                page.locator("main form button").click()
            page.goto(base + path)
            take(page, PICTURES / f"{name}.png")
        chromium.close()
    return 0


def subject() -> tuple[str, str, str, str]:
    """The claim to show: number, its handler's sign-in name, the customer's link, the demonstration's password."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lipei.config.settings")
    sys.path.insert(0, str(ROOT / "src"))
    import django

    django.setup()
    from lipei.services import portal
    from lipei.services.demo.founding import PASSWORD
    from lipei.store import models

    now = datetime.now(UTC)
    worked_on = models.Claim.objects.filter(state__in=("investigating", "assessing"), handler__isnull=False)
    row = (worked_on.filter(due_at__gt=now) or worked_on).order_by("-estimate_minor")[0]
    handler = models.Staff.objects.get(id=row.handler).user.username
    return row.number, handler, portal.claim_address(row.number, 1, now=now), PASSWORD


def take(page: Page, target: Path) -> None:
    """One screen as a picture of few colours. Raises SystemExit where it is too heavy for a README."""
    whole = Image.open(BytesIO(page.screenshot()))
    whole.convert("RGB").quantize(COLOURS).save(target, optimize=True)
    size = target.stat().st_size
    print(f"{target.relative_to(ROOT)}: {size // 1000} kB")
    if size > BYTES_MAX:
        raise SystemExit(f"{target.name} weighs more than {BYTES_MAX // 1000} kB")


if __name__ == "__main__":
    sys.exit(main())
