"""``python -m lipei`` is ``lipei``."""

import sys

from lipei.config.cli import main

sys.exit(main())
