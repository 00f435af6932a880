"""Measuring agents and dreams: rollouts of scripted or learned agents, and the dream side by side with the real."""
