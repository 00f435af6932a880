"""How agents learn: in the dream, then in the world (``dreamgym train``).

Read in this order:

- :mod:`.options`: what is to be learnt, where, for how long.
- :mod:`.learner`: the protocol of an algorithm, and the table of those there are.
- :mod:`.grpo`: one that is ours; those of Stable-Baselines3 are in :mod:`dreamgym_env.integrations.sb3.learner`.
- :mod:`.places`: where is learnt and where is evaluated.
- :mod:`.loop`: the phases; evaluation, checkpoints, what stops a run.
- :mod:`.run_folder`: what is kept on disk.
- :mod:`.progress`: what is counted and shown meanwhile.
- :mod:`.curve` and :mod:`.reporting`: what is shown in the end.
"""
