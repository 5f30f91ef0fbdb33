"""What every test may use."""

from __future__ import annotations

import os
import tempfile

# Before Django reads its settings: tests keep their files in a folder of their own.
os.environ.setdefault("LIPEI_HOME", tempfile.mkdtemp(prefix="lipei-test-"))
