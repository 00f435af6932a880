"""Environments of somebody else's, with texts as observations and actions, as a comparison plays them."""
