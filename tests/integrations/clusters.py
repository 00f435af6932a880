"""A Ray cluster on loopback, for tests: two cores, no dashboard, nothing sent and nothing left anywhere.

Import this module before ``ray``, which reads some of its settings when it is imported.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator

os.environ.update(
    RAY_USAGE_STATS_ENABLED="0",
    RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0",  # elsewhere too this binds to loopback, not to the machine's own address
    RAY_AUTH_TOKEN=secrets.token_hex(32),  # else Ray writes one to the user's home
    RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO="0",
)


@contextlib.contextmanager
def local_cluster() -> Iterator[None]:
    """Start one in this process, and end it."""
    import ray

    folder = tempfile.mkdtemp(prefix="ray")  # the path of a socket in it has at most 107 characters
    try:
        for attempt in range(3):
            try:
                _start(folder)
                break
            except Exception:  # Ray's own, of no class: a node has 30 seconds to start, which a busy machine may exceed
                ray.shutdown()
                if attempt == 2:
                    raise
        yield
    finally:
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: str) -> None:
    import ray

    ray.init(
        address="local",
        num_cpus=2,
        object_store_memory=100 * 2**20,
        include_dashboard=False,
        log_to_driver=False,
        _temp_dir=folder,
    )
