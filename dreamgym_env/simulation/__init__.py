"""Advancing batches of episodes: the simulator that dreams, and the protocol it shares with real environments."""
