"""The program as judge: real steps have full marks, the same steps spoiled have not; and why, step by step."""

from __future__ import annotations

import functools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judge import REAL, SUCCESS, marks_of, spoiled_steps
from toy_domain import ToyHouse, record

from dreamgym_env.domains import load_domain
from dreamgym_env.domains.objections import CONSISTENCY, HALLUCINATION, INFORMATIVENESS, judge_rules_of
from dreamgym_env.domains.recorded.domain import Recorded
from dreamgym_env.domains.webshop.domain import WebShop
from dreamgym_env.evaluation.judging import RuleJudge, sample_transitions
from dreamgym_env.evaluation.judging.rule_judge import relative_diversity
from dreamgym_env.memory import read_transitions, write_transitions
from dreamgym_env.types import Turn

KIND, SAME_KIND = "page of another kind of action", "page of another action of the kind"
HALF, PRICES, THINGS, STILL = "half of the page", "other prices", "one thing for another", "no effect"
STEPS = {"webshop": 250, "alfworld": 250, "miniwob": 250, "webarena": 80}
"""How many steps of each domain are judged; measured are 1,000 (benchmarks/judge.py), and less is seen as well."""
FAULTLESS_AT_MOST = {
    ("webshop", KIND): 0.02,
    ("webshop", SAME_KIND): 0.08,
    ("webshop", HALF): 0.02,
    ("webshop", PRICES): 0.02,
    ("webshop", STILL): 0.05,
    ("webshop", SUCCESS): 0.0,
    ("alfworld", KIND): 0.02,
    ("alfworld", SAME_KIND): 0.02,
    ("alfworld", HALF): 0.02,
    ("alfworld", THINGS): 0.02,
    ("alfworld", STILL): 0.02,
    ("alfworld", SUCCESS): 0.0,
    ("webarena", KIND): 0.03,
    ("webarena", SAME_KIND): 0.03,
    ("webarena", HALF): 0.04,
    ("webarena", PRICES): 0.04,
    ("webarena", STILL): 0.15,
    ("webarena", SUCCESS): 0.0,
    ("miniwob", KIND): 0.06,
    ("miniwob", SAME_KIND): 0.05,
    ("miniwob", HALF): 0.3,
}
"""Share of spoiled steps that may have full marks all the same.  In MiniWoB a click may well do nothing."""
WORST = {KIND: CONSISTENCY, SAME_KIND: CONSISTENCY, STILL: CONSISTENCY, PRICES: HALLUCINATION, SUCCESS: HALLUCINATION}


@functools.cache
def measured(name):
    domain = load_domain(name)
    steps = sample_transitions(domain, read_transitions(domain.seed_experience()), STEPS[name], 1)
    return {kind: marks_of(RuleJudge(), domain, some) for kind, some in spoiled_steps(domain, steps, 1).items()}


@pytest.mark.parametrize("name", STEPS)
def test_real_steps_have_full_marks(name):
    found = measured(name)[REAL]
    assert found.steps == STEPS[name]
    assert found.full[CONSISTENCY] >= 0.97 and found.faultless >= 0.96


@pytest.mark.parametrize(("name", "kind"), FAULTLESS_AT_MOST)
def test_spoiled_steps_have_not(name, kind):
    found = measured(name)[kind]
    assert found.steps > 10
    assert found.faultless <= FAULTLESS_AT_MOST[name, kind]
    if kind in (KIND, SAME_KIND):
        assert found.full[CONSISTENCY] <= 0.12


def judged(domain, step):
    (found,) = RuleJudge().judge(domain, [step])
    return found


@pytest.fixture(scope="module")
def shop():
    return load_domain("webshop")


@pytest.fixture(scope="module")
def bought(shop):
    """An episode that has searched, opened a product and bought it."""
    steps = read_transitions(shop.seed_experience())
    last = next(step for step in steps if step.terminated and step.valid and step.step > 2)
    return [step for step in steps if step.episode == last.episode]


def test_a_price_that_was_another_on_the_listing_is_made_up(shop, bought):
    step = next(step for step in bought if shop.action_kind(step.action) == "item")
    found = judged(shop, replace(step, next_state=step.next_state.replace("Price: $", "Price: $9")))
    assert (found.marks[CONSISTENCY], found.marks[HALLUCINATION]) == (0, 0)
    assert "another price than its listing" in found.reason


def test_an_order_of_something_else_does_not_follow(shop, bought):
    step = bought[-1]
    code = step.next_state.split(" [SEP] asin [SEP] ")[1][:10]
    assert judged(shop, step).marks[CONSISTENCY] == 2
    found = judged(shop, replace(step, next_state=step.next_state.replace(code, "B000000000")))
    assert found.marks[CONSISTENCY] == 0 and code in found.reason
    assert judged(shop, replace(step, terminated=False)).marks[CONSISTENCY] == 0


def test_a_product_that_nobody_sells_is_made_up(shop, bought):
    step = next(step for step in bought if shop.action_kind(step.action) == "search")
    from dreamgym_env.domains.webshop.observation import listings, visible

    code = listings(visible(step.next_state))[0][0]
    found = judged(shop, replace(step, next_state=step.next_state.replace(code, "B0NOSUCH00")))
    assert found.marks[HALLUCINATION] == 0 and "B0NOSUCH00" in found.reason


def test_a_thing_that_was_taken_is_not_seen_at_its_old_place():
    house = load_domain("alfworld", facts=False)
    steps = read_transitions(house.seed_experience())
    step = next(step for step in steps if step.action.startswith("take ") and step.next_state.startswith("You pick up"))
    thing, _, place = step.action.removeprefix("take ").partition(" from ")
    history = (*step.history, Turn(step.state, step.action))
    examined = replace(step, history=history, step=step.step + 1, state=step.next_state, action=f"examine {place}")
    sees = (
        f"On the {place}, you see a {thing}."
        if "On the" in step.state
        else f"The {place} is open. In it, you see a {thing}."
    )
    found = judged(house, replace(examined, next_state=sees))
    assert found.marks[CONSISTENCY] == 0


def test_nothing_happens_is_told_exactly_where_nothing_can_happen():
    house = load_domain("alfworld")
    steps = read_transitions(house.seed_experience())
    possible = next(step for step in steps if step.action.startswith("go to") and step.valid)
    refused = next(step for step in steps if step.next_state == "Nothing happens.")
    assert judged(house, replace(possible, next_state="Nothing happens.")).marks[CONSISTENCY] == 0
    assert judged(house, refused).marks[CONSISTENCY] == 2
    found = judged(house, replace(refused, next_state="You arrive at desk 1. On the desk 1, you see nothing."))
    assert (found.marks[CONSISTENCY], found.marks[HALLUCINATION]) == (0, 0)


def test_what_is_typed_is_seen():
    web = load_domain("webarena")
    step = next(
        step for step in read_transitions(web.seed_experience()) if step.action.startswith("fill(") and step.valid
    )
    assert judged(web, step).marks[CONSISTENCY] == 2
    assert judged(web, replace(step, next_state=step.state)).marks[CONSISTENCY] == 0


def test_a_domain_of_no_rules_is_judged_by_general_ones(tmp_path):
    steps = record("toyhouse/train/0", ["look", "go kitchen", "look"])
    path = tmp_path / "steps.jsonl"
    write_transitions(path, steps)
    for domain in (ToyHouse(), Recorded(path)):
        assert judge_rules_of(domain) is None
        assert all(min(judged(domain, step).marks.values()) == 2 for step in steps)
        empty = judged(domain, replace(steps[0], next_state=" "))
        assert (empty.marks[CONSISTENCY], empty.marks[INFORMATIVENESS]) == (0, 0)
        assert judged(domain, replace(steps[0], next_state=steps[0].instruction)).marks[INFORMATIVENESS] == 0
        broken = judged(domain, replace(steps[2], next_state=steps[2].state[:-4]))
        assert broken.marks[INFORMATIVENESS] == 0 and broken.marks[CONSISTENCY] == 2


def test_a_domain_derived_elsewhere_has_the_rules_of_the_one_that_it_is_derived_from():
    class MyShop(WebShop):
        pass

    assert type(judge_rules_of(MyShop())) is type(judge_rules_of(WebShop()))


def test_diversity_is_that_of_a_sample_beside_the_real_one(shop):
    recorded = read_transitions(shop.seed_experience())
    steps, others = (sample_transitions(shop, recorded, 200, seed) for seed in (1, 2))
    stock = {shop.action_kind(step.action): step for step in steps}
    dull = [replace(step, next_state=stock[shop.action_kind(step.action)].next_state) for step in steps]
    shares = [relative_diversity(shop, some, others) for some in (others, steps, dull)]
    assert shares[0] == 1 and shares[1] == pytest.approx(1, abs=0.15) and shares[2] < 0.5
    assert relative_diversity(shop, steps, []) is None
    marks = [{one.marks["diversity"] for one in RuleJudge(others).judge(shop, some)} for some in (steps, dull)]
    assert marks == [{2}, {0}]
    assert "diversity" not in RuleJudge().judge(shop, steps[:1])[0].marks


@functools.cache
def some_steps(name):
    domain = load_domain(name)
    return domain, sample_transitions(domain, read_transitions(domain.seed_experience()), 40, 3)


PAGE = st.text(max_size=200) | st.sampled_from(
    [
        "http://[",
        "http://shop.test:x/",
        "http://shop.test/a b?=%",
        "about:blank",
        "",
        "ftp://x",
        "http://shop.test/\x00",
    ]
).map(lambda url: f"Page: x - y\nURL: {url}\nrow: a | b\n[1] link: x\n[2] button: Go")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(STEPS)), st.integers(0, 39), PAGE, st.booleans(), st.booleans(), st.integers(0, 400))
def test_whatever_a_dream_writes_gets_marks(name, at, text, whole, ends, cut):
    domain, steps = some_steps(name)
    lead = f"Task:\n{steps[at].instruction}\n" if name in ("webarena", "miniwob") else ""
    page = lead + text if whole else steps[at].next_state[:cut] + text
    found = judged(domain, replace(steps[at], next_state=page, terminated=ends, reward=float(ends)))
    assert all(mark in (0, 1, 2) for mark in found.marks.values()) and found.reason


@pytest.mark.parametrize("url", ["http://[", "http://shop.test:x/", "http://shop.test/product/%ff?=%", "ftp://x", ""])
def test_an_address_that_is_none_is_judged(url):
    web, steps = some_steps("webarena")
    for step in steps[:8]:
        page = f"Task:\n{step.instruction}\nPage: x - y\nURL: {url}\nrow: a | b\n[1] link: x\n[2] button: Go"
        for action in (step.action, "goto('http://[')", "click('1')", "click('2')"):
            for one in (replace(step, next_state=page), replace(step, state=page)):
                assert judged(web, replace(one, action=action)).marks
