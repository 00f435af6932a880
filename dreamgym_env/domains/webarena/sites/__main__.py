"""Serve the bundled sites to a person's browser: ``python -m dreamgym_env.domains.webarena.sites``."""

from __future__ import annotations

import logging
import threading

from dreamgym_env.domains.webarena.sites import Sites

logger = logging.getLogger(__name__)


def main() -> None:
    """Serve until Ctrl-C."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with Sites() as sites:
        logger.info("%s (end with Ctrl-C)", sites.lanes[0].proxy)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            logger.info("closed")


if __name__ == "__main__":
    main()
