"""Regenerate the shipped catalogue: ``python -m dreamgym_env.domains.webshop.catalogue [FOLDER]``."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from dreamgym_env.domains.webshop.catalogue.files import write_files

logger = logging.getLogger(__name__)


def main() -> None:
    """Write the files into the folder named on the command line, else into the package's data folder."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    default = Path(__file__).resolve().parent.parent / "data"
    for path in write_files(Path(sys.argv[1]) if len(sys.argv) > 1 else default):
        logger.info("%s: %d bytes", path, path.stat().st_size)


if __name__ == "__main__":
    main()
