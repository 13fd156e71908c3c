"""`python -m bot`, and what `raga-bot` calls.

Every rendering process imports this module once more before it begins (multiprocessing's spawn), so that the command
line itself, with all that it needs, is imported only when it is run.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status (0 done, 1 not done, 2 misread)."""
    from bot import command_line

    return command_line.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
