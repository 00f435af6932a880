"""Other people's trainers on these environments; nothing else in the library imports one.

- :mod:`.candidate_features`: text environments as vectors and numbers, for any trainer (Gymnasium wrappers).
- :mod:`.ray`: rollouts on a Ray cluster; environments and a network for RLlib.
- :mod:`.sb3`: Stable-Baselines3 and sb3-contrib.
- :mod:`.trl`: GRPO of TRL, for language models.
"""
