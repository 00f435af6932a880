"""Comparisons in the layout of a report: small, empty, huge and hostile ones, made up from a seed."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

DREAM_ID, REAL_ID = "DreamGym/WebShop-v0", "DreamGymReal/WebShop-v0"

HOSTILE = (
    "</script><script>window.broken = 1; alert(1)</script>",
    "<img src=x onerror=\"window.broken = 1; alert('img')\">",
    "'\"><svg onload=alert(2)><iframe src='javascript:alert(3)'></iframe>",
    "</style><style>body { display: none }</style><base href='http://elsewhere.test/'>",
    "<link rel=stylesheet href='http://elsewhere.test/a.css'><meta http-equiv=refresh content='0;url=http://elsewhere.test'>",
    "<!-- --><![CDATA[ ]]></textarea></title></template></details></table></svg>",
    "{{ 7 * 7 }}{% raw %}${7*7}",
    "\x00\x07\x1b[31mred\x1b[0m\r\x85 and \x9b",
    "half \ud800 of \udfff a character",
    "right to left \u202egnp.exe\u2066 \u200bzero\ufeff\u2028",
    "| pipe | `code` [link](javascript:alert(4)) <b>bold</b>",
    "Z" + "\u0301" * 60,
    "W" * 3000,
)
"""What pages, models and names could hold."""

AGENTS = {
    "oracle": (0.985, 0.99),
    "noisy-oracle(0.1)": (0.86, 0.845),
    "noisy-oracle(0.3)": (0.64, 0.60),
    "policy(runs/grpo-7b)": (0.52, 0.44),
    "lazy": (0.12, 0.085),
    "random": (0.0, 0.005),
}
"""Agent -> success in the dream, in the real environment."""


def small() -> dict[str, Any]:
    """Return a comparison with every part, of six agents."""
    rng = random.Random(0)
    return {
        "schema": 1,
        "about": {
            "date": "2026-11-28",
            "machine": "2 cores, 8 GB",
            "versions": {"dreamgym_env": "0.1.0", "python": "3.11.2", "torch": "2.9.0"},
            "domain": "webshop",
            "split": "test",
            "tasks": 200,
            "seeds": [0, 1, 2],
            "world_model": "embedded",
            "memories": {"transitions": 51234, "sources": {"real": 51000, "dream": 234}},
            "settings": {"k": 5, "success": "verifier", "lanes": 64},
        },
        "dream": {"id": DREAM_ID},
        "real": {"id": REAL_ID},
        "verdict": [
            "The agents rank the same in both, and the dream flatters a little: 3.1 % of its successes are false, "
            "mostly where a size was chosen that the shop does not have.",
            "What is found in the dream works in the real environment: consistency ratio 0.97 over all agents.",
            "Next pages stay true: after 8 steps 88 % of them are the real page word for word.",
        ],
        "warnings": ["12 of 3,600 episodes of the dream were cut short by an answer that could not be read."],
        "agents": [_agent(name, dream, real, rng) for name, (dream, real) in AGENTS.items()],
        "ranks": {
            "agents": 6,
            "spearman": estimate(0.943, 0.83, 1.0, 6),
            "kendall": estimate(0.867, 0.69, 1.0, 6),
            "spearman_across_agents": {"low": 0.31, "high": 0.998, "p": 0.0167},
            "pairs_that_differ": [["lazy", "random"]],
            "why_none": "",
        },
        "drift": [
            {
                "step": step,
                "episodes": 3600 - 330 * step,
                "exact": estimate(0.985 - 0.012 * step, 0.97 - 0.016 * step, 0.995 - 0.008 * step, 3600 - 330 * step),
                "line_f1": estimate(0.998 - 0.004 * step, 0.99 - 0.006 * step, 0.999 - 0.002 * step, 3600 - 330 * step),
                "undiverged": estimate(round(0.985**step, 4), round(0.97**step, 4), round(0.995**step, 4), 3600),
            }
            for step in range(1, 10)
        ],
        "calibration": {
            "anchors": 40,
            "tested": 160,
            "before": {
                **{"mae": 0.0812, "mse": 0.0421, "bias": 0.0313, "ece": 0.0502},
                "intervals": {"mae": [0.061, 0.104], "mse": [0.031, 0.055], "bias": [0.0102, 0.0541]},
            },
            "after": {"mae": 0.0577, "mse": 0.0333, "bias": 0.0021, "ece": 0.0119},
            "curve": [[0.0, 0.02], [0.2, 0.02], [0.2, 0.17], [0.5, 0.17], [0.5, 0.41], [0.8, 0.68], [1.0, 0.97]],
            "points": [
                [0.0, 0.02, 9],
                [0.1, 0.05, 3],
                [0.33, 0.25, 4],
                [0.5, 0.41, 6],
                [0.75, 0.62, 5],
                [1.0, 0.97, 13],
            ],
        },
        "judges": [
            {
                "judge": "rules",
                "rubric": "1",
                "marks": {
                    "causal consistency": {
                        "dream": estimate(1.93, 1.9, 1.96, 300),
                        "real": estimate(2.0, 2.0, 2.0, 300),
                    },
                    "hallucination": {"dream": estimate(1.88, 1.83, 1.92, 300), "real": estimate(1.99, 1.97, 2.0, 300)},
                },
                "judged": {"dream": 298, "real": 300},
                "invalid": {"dream": 2, "real": 0},
            }
        ],
        "judge_agreement": {
            "judges": ["rules", "openai:big"],
            "kappa": {
                "causal consistency": {"plain": 0.71, "quadratic": 0.83, "n": 297},
                "hallucination": {"plain": None, "quadratic": None, "n": 291},
            },
        },
        "transcripts": [
            transcript(0, "noisy-oracle(0.3)", "solved in the dream only", dream=True, again=False),
            transcript(1, "oracle", "solved in both", dream=True, again=True),
            transcript(2, "random", "solved in neither", dream=False, again=False),
            transcript(3, "policy(runs/grpo-7b)", "first difference at step 2", dream=False, again=True),
        ],
    }


def empty() -> dict[str, Any]:
    """Return a comparison in which everything that may be missing is."""
    return {"schema": 1, "about": {}, "dream": {"id": DREAM_ID}, "real": {"id": REAL_ID}, "verdict": [], "agents": []}


def hollow() -> dict[str, Any]:
    """Return a comparison whose every figure is null or not a number."""

    def hollowed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: hollowed(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [hollowed(inner) for inner in value]
        return float("nan") if isinstance(value, float) else None if isinstance(value, int) else value

    made: dict[str, Any] = hollowed(small())
    return made


def hostile() -> dict[str, Any]:
    """Return a comparison whose every free text is one of :data:`HOSTILE`."""
    texts = iter(HOSTILE * 400)
    made = _with_texts(small(), lambda text: next(texts))
    made["transcripts"] *= 2
    return made


def huge(transcripts: int = 60, steps: int = 10, size: int = 4_000) -> dict[str, Any]:
    """Return a comparison with many long transcripts, whose pages repeat as pages do."""
    rng = random.Random(1)
    pages = [page(number, rng, size) for number in range(transcripts * steps // 4)]
    made = small()
    made["transcripts"] = [_long_transcript(number, pages, steps, rng) for number in range(transcripts)]
    return made


def estimate(value: float, low: float, high: float, count: int) -> dict[str, Any]:
    """Return a figure with its interval."""
    return {"value": value, "low": low, "high": high, "count": count}


def transcript(number: int, agent: str, why: str, *, dream: bool, again: bool) -> dict[str, Any]:
    """Return an episode of four steps; the dream's third page differs from the real one in a line and a price."""
    instruction = "i need a pair of women's trail running shoes in red, size 9, and price lower than 80.00 dollars"
    start = f"WebShop [SEP] Instruction: [SEP] {instruction} [SEP] Search"
    results = " [SEP] ".join(
        ["Instruction:", instruction, "Back to Search", "Page 1 (Total results: 50)", "Next >"]
        + [part for at in range(10) for part in (f"B0{number}{at}XK{at}7", f"Trail shoe model {at}", f"${59 + at}.99")]
    )
    item = (
        f"Instruction: [SEP] {instruction} [SEP] Back to Search [SEP] < Prev [SEP] size [SEP] 8 [SEP] 9 [SEP] "
        "Trail shoe model 3 [SEP] Price: $62.99 [SEP] Rating: N.A. [SEP] Buy Now"
    )
    wrong = item.replace("$62.99", "$61.50").replace("8 [SEP] 9 [SEP]", "8 [SEP] 8.5 [SEP] 9 [SEP]")
    end = "Thank you for shopping with us! [SEP] Your score (min 0.0, max 1.0) [SEP] "
    memories = [
        {
            "id": f"webshop/train/{at}#0-{at}",
            "similarity": 0.97 - 0.06 * at,
            "source": "composed" if at == 0 else "real",
            "action": "search[red trail running shoes]",
            "state": results.replace("59.99", f"{60 + at}.49"),
        }
        for at in range(3)
    ]
    actions = ["search[red trail running shoes]", "click[nonexistent]", f"click[b0{number}3xk37]", "click[buy now]"]
    dream_states = [results, results, wrong if number != 1 else item, f"{end}{1.0 if dream else 0.4}"]
    real_states = [results, results, item, f"{end}{1.0 if again else 0.4}"]
    return {
        "agent": agent,
        "seed": number,
        "task_id": f"webshop/test/{17 + number}",
        "instruction": instruction,
        "initial_state": start,
        "kept_because": why,
        "dream": {
            "success": dream,
            "score": 1.0 if dream else 0.4,
            "stop": "success" if dream else "failure",
            "failure": "",
            "steps": [
                {
                    "action": action,
                    "state": state,
                    "reward": float(dream and at == 3),
                    "answered_by": "guard" if at == 1 else "model",
                    "reasoning": ""
                    if at == 1
                    else "The first memory holds the results of nearly the same search; the listings that fit the "
                    "words of this one are kept in its order, and the prices are those that other searches have shown.",
                    "valid": at != 1,
                    "seconds": 0.0 if at == 1 else 0.0123,
                    "memories": [] if at == 1 else memories,
                }
                for at, (action, state) in enumerate(zip(actions, dream_states, strict=True))
            ],
        },
        "dream_actions_in_real": {
            "success": again,
            "score": 1.0 if again else 0.4,
            "stop": "success" if again else "failure",
            "failure": "",
            "steps": [
                {"action": action, "state": state, "reward": float(again and at == 3), "valid": at != 1}
                for at, (action, state) in enumerate(zip(actions, real_states, strict=True))
            ],
        },
        "real": {
            "success": True,
            "score": 1.0,
            "stop": "success",
            "failure": "",
            "steps": [
                {"action": actions[0], "state": results, "reward": 0.0, "valid": True},
                {"action": actions[2], "state": item, "reward": 0.0, "valid": True},
                {"action": "click[9]", "state": item, "reward": 0.0, "valid": True},
                {"action": actions[3], "state": f"{end}1.0", "reward": 1.0, "valid": True},
            ],
        },
    }


def page(number: int, rng: random.Random, size: int) -> str:
    """Return a page of lines."""
    words = ("trail", "running", "shoe", "price", "red", "review", "large", "cotton", "of", "the", "with", "page")
    lines = [f"[{number}] RootWebArea 'Page {number}'"]
    while sum(map(len, lines)) + len(lines) < size:
        lines.append(f"  [{len(lines)}] link '{' '.join(rng.choices(words, k=6))} {rng.randrange(1000)}'")
    return "\n".join(lines)


def _long_transcript(number: int, pages: list[str], steps: int, rng: random.Random) -> dict[str, Any]:
    made = transcript(number, list(AGENTS)[number % 6], "drawn by chance", dream=number % 3 == 0, again=number % 2 == 0)

    def step(at: int, state: str) -> dict[str, Any]:
        return {"action": f"click('{at}')", "state": state, "reward": 0.0, "valid": True}

    seen = [rng.choice(pages) for _ in range(steps)]
    dreamt = [
        text if at % 3 else text.replace("shoe", "boot", 4).replace("price", "cost", 2) for at, text in enumerate(seen)
    ]
    memories = [
        [
            {
                "id": f"m{at}",
                "similarity": 0.9 - at / 20,
                "source": "real",
                "action": "click('4')",
                "state": rng.choice(pages),
            }
            for at in range(5)
        ]
        for _ in seen
    ]
    made["dream"]["steps"] = [
        step(at, text) | {"answered_by": "model", "reasoning": "Because.", "seconds": 0.2, "memories": memories[at]}
        for at, text in enumerate(dreamt)
    ]
    made["dream_actions_in_real"]["steps"] = [step(at, text) for at, text in enumerate(seen)]
    made["real"]["steps"] = [step(at, rng.choice(pages)) for at in range(steps)]
    return made


def _agent(name: str, dream: float, real: float, rng: random.Random) -> dict[str, Any]:
    both, dream_only, real_only = round(590 * min(dream, real)), round(10 + 40 * max(0, dream - real)), 7

    def near(value: float) -> dict[str, Any]:
        width = 0.008 + 0.07 * (value * (1 - value)) ** 0.5
        return estimate(round(value, 4), round(max(0, value - width), 4), round(min(1, value + width), 4), 200)

    def spread(center: float, most: float) -> dict[str, Any]:
        return {"mean": center, "quartiles": [0.0, center / 2, center, (center + most) / 2, most]}

    return {
        "agent": name,
        "episodes": 600,
        "success": {
            "dream": near(dream),
            "real": near(real),
            "dream_actions_in_real": near(real * 0.97),
            "real_actions_in_dream": near(dream * 0.96),
        },
        "score": {
            "dream": near(dream * 0.9 + 0.1),
            "real": near(real * 0.9 + 0.1),
            "dream_actions_in_real": near(real * 0.88 + 0.1),
            "real_actions_in_dream": near(dream * 0.87 + 0.1),
        },
        "gap": {
            "success": estimate(dream - real, dream - real - 0.021, dream - real + 0.019, 200),
            "score": estimate(0.9 * (dream - real), dream - real - 0.018, dream - real + 0.017, 200),
        },
        "agreement": {
            "both": both,
            "dream_only": dream_only,
            "real_only": real_only,
            "neither": 600 - both - dream_only - real_only,
            "share": round((600 - dream_only - real_only) / 600, 4),
            "kappa": 0.91 if real > 0.05 else None,
            "mcnemar_p": 0.0004 if dream_only > 11 else 0.629,
        },
        "false_success": near(0.031) if dream > 0 else None,
        "missed_success": near(0.012),
        "consistency_ratio": estimate(0.97, 0.94, 1.0, 200) if real > 0.05 else None,
        "reverse_consistency_ratio": estimate(0.96, 0.93, 0.99, 200) if dream > 0.05 else None,
        "returns": {
            "dream": spread(dream, 1.0),
            "real": spread(real, 1.0),
            "wasserstein": abs(dream - real),
            "chance": 0.012,
            "unit": "reward",
        },
        "lengths": {
            "dream": spread(5.5 + rng.random(), 15),
            "real": spread(5.5 + rng.random(), 15),
            "wasserstein": 0.312,
            "chance": 0.012,
            "unit": "steps",
        },
        "first_difference": {
            "episodes": 600,
            "differing": 143,
            "median_step": 3.0,
            "share": estimate(0.2383, 0.205, 0.274, 600),
            "kinds": {"page": 120, "verdict": 11, "end": 7, "offer": 5},
            "median_steps": {"page": 2.5, "verdict": 8.0, "end": 10.0, "offer": 3.0},
            "action_kinds": {"search": 88, "click": 55},
        },
        "usage": {
            "calls": 90,
            "actions": 3711,
            "prompt_tokens": 1_234_567,
            "completion_tokens": 98_765,
            "ill_formed": 12,
            "failures": 3,
        }
        if name.startswith("policy")
        else None,
        "speed": {
            "dream": {
                "steps": 3711,
                "seconds": 41.27,
                "steps_per_second": 89.9,
                "lanes": 64,
                "prompt_tokens": 1_234_567,
                "completion_tokens": 98_765,
            },
            "real": {
                "steps": 3902,
                "seconds": 7.5,
                "steps_per_second": 520.3,
                "lanes": 64,
                "prompt_tokens": 0,
                "completion_tokens": 0,
            },
        },
        "answered_by": {"dream": {"model": 3300, "guard": 411}, "real": {"real": 3902}},
        "failures": {"dream": 2, "real": 0},
    }


_FIXED = {"stop", "kept_because", "unit", "source"}


def _with_texts(value: Any, make: Callable[[str], str]) -> Any:
    """Replace every text of a JSON value but those with a fixed set of values."""
    if isinstance(value, dict):
        return {key: inner if key in _FIXED else _with_texts(inner, make) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_texts(inner, make) for inner in value]
    return make(value) if isinstance(value, str) else copy.copy(value)
