"""Memories that no single recording holds: pages of this episode, orders, and results of searches never recorded."""
