"""What the bundled sites show, drawn from a fixed seed: the same rows on every machine."""
