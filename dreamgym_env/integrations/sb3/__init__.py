"""Stable-Baselines3 and sb3-contrib on dreams and real environments (``pip install "dreamgym_env[sb3]"``).

::

    from sb3_contrib import MaskablePPO
    from dreamgym_env.integrations.sb3 import MaskableCandidatePolicy, make_sb3_vec_env, save_policy

    envs = make_sb3_vec_env("DreamGym/WebShop-v0", n_envs=16, seed=0)  # DreamGymReal/WebShop-v0: the real one
    model = MaskablePPO(MaskableCandidatePolicy, envs, n_steps=128, gamma=0.99).learn(100_000)
    save_policy(model, "runs/policy")  # dreamgym compare webshop --agent "policy(runs/policy)"

===================================  ===============================  ==============================================
algorithm                            policy class                     remarks
===================================  ===============================  ==============================================
``stable_baselines3.PPO``, ``A2C``   :class:`CandidatePolicy`         padding has no probability, by the observation's
                                                                      own mask
``sb3_contrib.MaskablePPO``          :class:`MaskableCandidatePolicy` the same, and masks of your own on top
``stable_baselines3.DQN``            :class:`CandidateQPolicy`        name a ``buffer_size``: the default of a million
                                                                      observations needs more memory than machines have
===================================  ===============================  ==============================================

All score each candidate by itself with the network of :mod:`dreamgym_env.policies.scorer`, so that the weights do not
depend on how many candidates there are, and :func:`save_policy` makes a
:class:`~dreamgym_env.policies.policy.Policy` of them; :func:`load_policy` is the way back, for example to begin with
what ``dreamgym clone`` learnt.

An observation takes ``4 * (state_size + K * (candidate_size + 1))`` bytes, some 55 kB at the default of K = 80 and
14 kB at 20, which is enough for WebShop: choose ``n_steps * n_envs`` or ``buffer_size`` by it.
"""

from __future__ import annotations

from dreamgym_env.integrations.requirements import require

VERSIONS = ">=2.9,<3"
for _package in ("stable-baselines3", "sb3-contrib"):
    require(_package, VERSIONS, "sb3")

from dreamgym_env.integrations.sb3.folders import load_policy, save_policy  # noqa: E402
from dreamgym_env.integrations.sb3.policies import (  # noqa: E402
    CandidatePolicy,
    CandidateQPolicy,
    MaskableCandidatePolicy,
)
from dreamgym_env.integrations.sb3.vec_env import TextVecEnv, make_sb3_vec_env  # noqa: E402

__all__ = [
    "CandidatePolicy",
    "CandidateQPolicy",
    "MaskableCandidatePolicy",
    "TextVecEnv",
    "load_policy",
    "make_sb3_vec_env",
    "save_policy",
]
