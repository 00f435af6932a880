"""The shop's own catalogue and goals, generated from a fixed seed.

``products.jsonl.gz`` and ``goals.jsonl.gz`` in ``dreamgym_env/domains/webshop/data`` are written by

    python -m dreamgym_env.domains.webshop.catalogue

which gives the same bytes each time. How it is made up:

- ``departments/`` holds the words: for each department its brands, the attributes of its products, and its product
  types with title parts, bullet points, options and prices. A new department is one module and one line there.
- ``products.py`` makes families of near-duplicates of each type; ``texts.py`` writes their titles and descriptions.
- ``goals.py`` picks targets and asks for just enough of their attributes, options and price that few other products
  will do; ``instructions.py`` words the wish.
- ``files.py`` writes the two files.
"""

from __future__ import annotations

from dreamgym_env.domains.webshop.catalogue.files import GOALS_FILE, PRODUCTS_FILE, SEED, write_files
from dreamgym_env.domains.webshop.catalogue.goals import generate_goals
from dreamgym_env.domains.webshop.catalogue.products import Product, generate_products

__all__ = ["GOALS_FILE", "PRODUCTS_FILE", "SEED", "Product", "generate_goals", "generate_products", "write_files"]
