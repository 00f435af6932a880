"""The experience that a domain ships, indexed once for all processes of a user.

The index lies in a folder of the user's cache, named by the content of the file, the domain's class, the key space and
the schema version; whatever changes one of them leads to another folder.  It is built under a lock in a temporary
folder and renamed when it is complete, so that any number of processes may come first.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tempfile
from pathlib import Path

import platformdirs
from filelock import FileLock

from dreamgym_env.errors import ReplayBufferError
from dreamgym_env.memory.experience import read_transitions
from dreamgym_env.memory.identity import Identifier, digest, plain_name
from dreamgym_env.memory.keys import KeyEncoder
from dreamgym_env.memory.shelf import Shelf
from dreamgym_env.memory.store import Store, StoreSpec
from dreamgym_env.types import Domain

__all__ = ["cache_folder", "open_seed"]

logger = logging.getLogger(__name__)

_ROWS_PER_WRITE = 1_000


def cache_folder() -> Path:
    """Return where derived files are kept: ``$DREAMGYM_CACHE``, or the user's cache folder of the platform."""
    return Path(os.environ.get("DREAMGYM_CACHE") or platformdirs.user_cache_dir("dreamgym_env"))


def open_seed(path: str | os.PathLike[str], domain: Domain, encoder: KeyEncoder, spec: StoreSpec) -> Shelf:
    """Return a read-only shelf of a transitions file, indexing the file if no process has done so before.

    Args:
        path: transitions file.
        domain: reads the pages.
        encoder: makes the keys.
        spec: of the index.

    Raises:
        ExperienceFormatError: the file cannot be read.
        ReplayBufferError: the file does not exist, or holds transitions of another domain.
    """
    path = Path(path)
    if not path.is_file():
        raise ReplayBufferError(f"There is no seed experience at {path}. Give seed_experience=False to do without.")
    content = hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    reader = f"{type(domain).__module__}.{type(domain).__qualname__}"  # who splits pages decides what is found
    name = f"{plain_name(domain.name)}-{digest(content, reader, spec.keys, str(spec.version))}"
    folder = cache_folder() / "seeds" / name
    if not folder.is_dir():
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ReplayBufferError(
                f"The cache folder {folder.parent} cannot be made ({error}). Set DREAMGYM_CACHE to a folder that can."
            ) from error
        with FileLock(f"{folder}.lock"):
            if not folder.is_dir():
                _build(path, folder, domain, encoder, spec)
    try:
        store = Store(spec, folder, read_only=True)
    except ReplayBufferError as error:
        raise ReplayBufferError(
            f"The index of the experience {path} cannot be opened ({error}). Delete {folder}: it is made again."
        ) from error
    return Shelf(store, encoder.layout)


def _build(path: Path, folder: Path, domain: Domain, encoder: KeyEncoder, spec: StoreSpec) -> None:
    """Index a file in a temporary folder and rename it to ``folder``."""
    from tqdm import tqdm

    transitions = read_transitions(path)
    identifier = Identifier(domain)
    draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    logger.info("Indexing %d transitions of %s into %s (once).", len(transitions), path, folder)
    try:
        shelf = Shelf(Store(spec, draft, read_only=False), encoder.layout, cached_transitions=0)
        try:
            with tqdm(
                total=len(transitions), desc="indexing the seed experience", disable=None, leave=False
            ) as progress:
                for start in range(0, len(transitions), _ROWS_PER_WRITE):
                    part = transitions[start : start + _ROWS_PER_WRITE]
                    for transition, key in zip(part, encoder.encode(part), strict=True):
                        if transition.domain != domain.name:
                            raise ReplayBufferError(
                                f"{path} holds a transition of the domain {transition.domain!r}, not {domain.name!r}."
                            )
                        row = identifier.row_id(transition)
                        if str(row) not in shelf.catalogue:
                            shelf.put(row, key, transition)
                    shelf.flush()
                    progress.update(len(part))
        finally:
            shelf.close()
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
