"""Start: what the installed `leadloop` script calls.

The commands are imported in here, so that Ctrl-C while Python still reads them is no traceback either.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command that was typed."""
    try:
        from connector.cli.main import main as leadloop

        leadloop()
    except KeyboardInterrupt:
        sys.exit(130)
