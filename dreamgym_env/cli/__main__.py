"""``python -m dreamgym_env.cli``, the same as ``dreamgym``."""

from __future__ import annotations

from dreamgym_env.cli import app

if __name__ == "__main__":
    app(prog_name="dreamgym")
