"""People of the bundled sites: made-up names, each used once per site."""

from __future__ import annotations

from dreamgym_env.domains.draws import Draws

__all__ = ["USER_NAME", "draw_names"]

USER_NAME = "Emma Larsen"
"""Who is logged in on every site."""

_FIRST = (
    "Ada", "Albin", "Alma", "Amir", "Anouk", "Arvid", "Astrid", "Bela", "Bruno", "Carla", "Cedric", "Chiara", "Dario",
    "Delia", "Edgar", "Elif", "Elsa", "Emil", "Farid", "Fiona", "Gita", "Gustav", "Hanna", "Hugo", "Ida", "Imran",
    "Ines", "Ivo", "Jonas", "Judit", "Kaja", "Karim", "Klara", "Lars", "Leonie", "Linus", "Lucia", "Magnus", "Maja",
    "Marek", "Mira", "Nadia", "Nils", "Noor", "Olive", "Oskar", "Paula", "Priya", "Quentin", "Rafael", "Rosa", "Rune",
    "Samira", "Silas", "Tara", "Theo", "Ulla", "Viktor", "Wanda", "Yara",
)  # fmt: skip
_LAST = (
    "Abel", "Almeida", "Arnesen", "Bakker", "Bergman", "Bianchi", "Brandt", "Castell", "Dahl", "Demir", "Duarte",
    "Eklund", "Engel", "Falk", "Ferrer", "Fischer", "Garnier", "Greve", "Haddad", "Hagen", "Holm", "Ivanov", "Jansen",
    "Keller", "Kovacs", "Krog", "Lind", "Lopez", "Madsen", "Marino", "Mehta", "Moreau", "Nadeem", "Nyberg", "Okafor",
    "Olsen", "Orban", "Pereira", "Petrov", "Quist", "Rahman", "Reyes", "Rossi", "Sand", "Santos", "Schmid", "Sorel",
    "Strand", "Suzuki", "Tanaka", "Thorne", "Toivonen", "Ueda", "Valente", "Vidal", "Vogel", "Weiss", "Yilmaz", "Young",
    "Zeller",
)  # fmt: skip


def draw_names(site: str, count: int) -> list[str]:
    """Return that many different names, the user's not among them.

    Args:
        site: names the stream of draws.
        count: at most 60, so that no two share a first or a last name.
    """
    draws = Draws("bundled sites", "names", site)
    return [
        f"{first} {last}" for first, last in zip(draws.sample(_FIRST, count), draws.sample(_LAST, count), strict=True)
    ]
