"""The words of the shop, one module for each department."""

from __future__ import annotations

from dreamgym_env.domains.webshop.catalogue.departments import (
    beauty,
    bedding,
    electronics,
    fashion,
    furniture,
    grocery,
    kitchen,
    pets,
    shoes,
    sports,
)
from dreamgym_env.domains.webshop.catalogue.vocabulary import Department

__all__ = ["DEPARTMENTS"]

DEPARTMENTS: tuple[Department, ...] = (
    fashion.DEPARTMENT,
    shoes.DEPARTMENT,
    furniture.DEPARTMENT,
    bedding.DEPARTMENT,
    electronics.DEPARTMENT,
    beauty.DEPARTMENT,
    grocery.DEPARTMENT,
    kitchen.DEPARTMENT,
    sports.DEPARTMENT,
    pets.DEPARTMENT,
)
"""All departments; the order decides nothing but which random numbers meet which product."""
