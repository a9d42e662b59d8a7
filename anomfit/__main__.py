"""`python -m anomfit` is the command line."""

import sys

from anomfit.cli import main

sys.exit(main())
