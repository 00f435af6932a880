"""The world model: prompt format + text generator + parser, and the codecs that states are written in."""
