"""``python -m interim.cli`` is the command line."""

import sys

from interim.cli import main

sys.exit(main())
