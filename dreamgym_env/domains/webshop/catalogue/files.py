"""Writing the shipped files so that the same catalogue is the same bytes."""

from __future__ import annotations

from pathlib import Path

from dreamgym_env.domains.records import write_records
from dreamgym_env.domains.webshop.catalogue.goals import generate_goals
from dreamgym_env.domains.webshop.catalogue.products import generate_products

__all__ = ["GOALS_FILE", "PRODUCTS_FILE", "SEED", "write_files"]

SEED = 20251103
"""The seed of the shipped catalogue."""
PRODUCTS_FILE = "products.jsonl.gz"
GOALS_FILE = "goals.jsonl.gz"


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
    products_path, goals_path = folder / PRODUCTS_FILE, folder / GOALS_FILE
    write_records(products_path, (product.record for product in products))
    write_records(goals_path, goals)
    return products_path, goals_path
