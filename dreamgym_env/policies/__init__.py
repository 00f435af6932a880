"""Small policies that choose among the actions that a state offers, and can be trained on a CPU.

- :mod:`.candidates`: what can be chosen, with phrases of the instruction in place of free arguments.
- :mod:`.features`: a situation and its candidates as vectors.
- :mod:`.scorer`: the network, which scores any number of candidates.
- :mod:`.policy`: a policy in a folder.
- :mod:`.agents`: a policy as an agent (``policy(PATH)``).
- :mod:`.cloning`: a policy from recorded successes (``dreamgym clone``).
"""
