"""Makes `python -m seq2see` the same as `seq2see`."""

from __future__ import annotations

import sys

from seq2see.cli import main

if __name__ == "__main__":
    sys.exit(main())
