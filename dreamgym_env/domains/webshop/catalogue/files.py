"""Writing the shipped files so that the same catalogue is the same bytes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dreamgym_env.domains.webshop.catalogue.goals import generate_goals
from dreamgym_env.domains.webshop.catalogue.products import generate_products

__all__ = ["GOALS_FILE", "PRODUCTS_FILE", "SEED", "encode_records", "write_files"]

SEED = 20251103
"""The seed of the shipped catalogue."""
PRODUCTS_FILE = "products.jsonl.gz"
GOALS_FILE = "goals.jsonl.gz"


def encode_records(records: Iterable[Mapping[str, Any]]) -> bytes:
    """Return the records as UTF-8 JSON Lines, uncompressed."""
    lines = (json.dumps(record, ensure_ascii=False) for record in records)
    return "".join(f"{line}\n" for line in lines).encode()


def write_files(folder: Path, seed: int = SEED) -> tuple[Path, Path]:
    """Generate the catalogue and its goals and write both files.

    Args:
        folder: where to write; made if it does not exist.
        seed: seed of the catalogue; another seed makes another shop.

    Returns:
        Paths of the products and the goals.
    """
    products = generate_products(seed)
    goals = generate_goals(products, seed)
    folder.mkdir(parents=True, exist_ok=True)
    products_path, goals_path = folder / PRODUCTS_FILE, folder / GOALS_FILE
    _write_gzip(products_path, encode_records(product.record for product in products))
    _write_gzip(goals_path, encode_records(goals))
    return products_path, goals_path


def _write_gzip(path: Path, content: bytes) -> None:
    """Compress without name and time in the header: they would make every run's bytes differ."""
    with (
        path.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=file, mtime=0) as packed,
    ):
        packed.write(content)
