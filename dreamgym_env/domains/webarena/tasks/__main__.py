"""Draws the bundled tasks again: ``python -m dreamgym_env.domains.webarena.tasks [FILE]``."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from dreamgym_env.domains.records import write_records
from dreamgym_env.domains.webarena.tasks.drawing import draw_records
from dreamgym_env.domains.webarena.tasks.shipped import TASKS_FILE

logger = logging.getLogger(__name__)


def main() -> None:
    """Write the file named on the command line, else the package's own."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else TASKS_FILE
    write_records(path, draw_records())
    logger.info("%s: %d bytes", path, path.stat().st_size)


if __name__ == "__main__":
    main()
