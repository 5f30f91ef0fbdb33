"""What can be said of a page by looking at it: barriers, how it is laid out, whether one sees where one is."""

from __future__ import annotations

import os
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

AXE = Axe().axe_script
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SCREENS = ((1920, 1080), (1280, 900), (1024, 768), (768, 1024), (360, 740))


def violations(page: Page, only: str = "", but: str = "") -> list[str]:
    """What axe finds on the page as it stands: by all its rules, by one, or by all but one. Only that comes over."""
    # Style sheets are fetched again for one rule alone, of media that play by themselves: there are none.
    options: dict[str, Any] = {"resultTypes": ["violations"], "preload": False}
    if only:
        options["runOnly"] = [only]
    if but:
        options["rules"] = {but: {"enabled": False}}
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found = page.evaluate("options => axe.run(document, options).then(results => results.violations)", options)
    return [f"{v['id']}: {[n['html'][:160] for n in v['nodes'][:3]]}" for v in found]


def ill_laid(page: Page, screens: tuple[tuple[int, int], ...] = SCREENS) -> list[str]:
    """What is wrong with where things stand on screens of these widths."""
    found = []
    for width, height in screens:
        page.set_viewport_size({"width": width, "height": height})
        found += [f"{width} px: {why}" for why in page.evaluate(ILL_LAID)]
    return found


ILL_LAID = """() => {
  const wrong = [], say = (why, e) => wrong.push(why + ': ' + e.outerHTML.slice(0, 140));
  const box = e => e.getBoundingClientRect(), all = what => [...document.querySelectorAll(what)];
  const drawn = {opacityProperty: true, visibilityProperty: true};
  const shown = e => box(e).width > 1 && box(e).height > 1 && e.checkVisibility(drawn);
  const within = (e, name, values) => {
    for (let at = e; at; at = at.parentElement) if (values.includes(getComputedStyle(at)[name])) return true;
    return false;
  };
  const floats = e => within(e, 'position', ['fixed', 'sticky']);
  const scrolls = e => within(e.parentElement, 'overflowX', ['auto', 'scroll']);
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth) {
    wrong.push('wider than the screen');
    all('body *').filter(e => shown(e) && box(e).right > innerWidth + 1 && !scrolls(e)).forEach(e => say('too wide', e));
  }
  for (const e of all('body *')) {
    if (e.scrollWidth <= e.clientWidth + 1 || !shown(e) || e.closest('.lp-only-read, svg, select, input')) continue;
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const style = getComputedStyle(e);
    const whole = style.textOverflow === 'ellipsis' && (e.closest('[title]') || e.href === e.textContent.trim());
    if (['hidden', 'clip'].includes(style.overflowX) && !whole) say('clipped', e);
  }
  if (innerWidth >= 1280) for (const e of all('main *:not(input, textarea)'))
    if (e.scrollWidth > e.clientWidth + 1 && shown(e) && ['auto', 'scroll'].includes(getComputedStyle(e).overflowX))
      say(`scrolls aside, ${e.scrollWidth} in ${e.clientWidth}`, e);
  const pressed = all('a, button, input, select, textarea, summary').filter(e => shown(e) && !floats(e));
  const lies = pressed.map(e => [...e.getClientRects()]);
  pressed.forEach((e, i) => pressed.slice(i + 1).forEach((other, n) => {
    const both = lies[i].some(r => lies[i + 1 + n].some(o =>
      Math.min(r.right, o.right) - Math.max(r.left, o.left) > 2 && Math.min(r.bottom, o.bottom) - Math.max(r.top, o.top) > 2));
    const label = e.closest('label');
    if (!both || e.contains(other) || other.contains(e) || (label && label === other.closest('label'))) return;
    say('covered by ' + other.outerHTML.slice(0, 80), e);
  }));
  return wrong.slice(0, 6);
}"""
"""What is wrong with where things stand: wider than the screen, cut off without its whole words in a title
or its address, overlapping, or, on a wide screen, to be scrolled aside."""
