"""An environment that nothing is known of but what was recorded of it; see :mod:`.domain`."""
