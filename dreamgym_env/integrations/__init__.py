"""Other people's trainers on these environments; nothing else in the library imports one.

- :mod:`.candidate_features`: text environments as vectors and numbers, for any trainer (Gymnasium wrappers).
- :mod:`.conversation`: an episode as messages, for trainers of language models.
- :mod:`.openenv`: a server of OpenEnv's protocol.
- :mod:`.ray`: rollouts on a Ray cluster; environments and a network for RLlib.
- :mod:`.sb3`: Stable-Baselines3 and sb3-contrib.
- :mod:`.skyrl`: SkyRL.
- :mod:`.trl`: GRPO of TRL, for language models.
- :mod:`.verifiers`: verifiers.
- :mod:`.verl`, :mod:`.verl_agent`: verl, and its fork verl-agent.
"""
