"""What is composed for an environment that nobody described: by the episode, by analogy, by what was recorded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dreamgym_env.domains import RECORDED, load_domain
from dreamgym_env.domains.recorded.actions import fill, read_action, template_of
from dreamgym_env.domains.recorded.edits import apply_edits, edits_of
from dreamgym_env.memory import write_transitions
from dreamgym_env.types import Query, Source, Task, Transition, Turn

TEXTS = st.text(max_size=12) | st.sampled_from(["open", "Gate", "gate 1", "\ue0000=", "\ue000", "GATE", "ſ", "İ"])

LINES = st.text(max_size=8) | st.sampled_from(["Purse: 20 coins", "Purse: 17 coins", "rope (3 coins)", "Turn 1", "007"])
PAGES = st.lists(LINES, min_size=1, max_size=6)


def episode(number, *turns, instruction="Open all.", task=None, won=False):
    """Return the transitions of an episode; turns are actions and answers after a first text."""
    first, *played = turns
    history, state, steps = [], first, []
    for action, answer in played:
        steps.append(
            Transition(
                domain="cave",
                task_id=task or f"cave/{number}",
                instruction=instruction,
                split="train",
                episode=f"e{number}",
                step=len(history),
                history=tuple(history),
                state=state,
                action=action,
                next_state=answer,
                reward=0.0,
                terminated=False,
            )
        )
        history.append(Turn(state, action))
        state = answer
    if won:
        steps[-1] = steps[-1].__class__(
            **{name: getattr(steps[-1], name) for name in steps[-1].__slots__} | {"reward": 1.0, "terminated": True}
        )
    return steps


def composer(tmp_path, steps):
    """Return the composer of an environment of which these steps are recorded."""
    path = tmp_path / "cave.jsonl.gz"
    write_transitions(path, steps)
    return load_domain(RECORDED, experience=path).composer(lambda: iter(steps))


def asked(state, action, *history, instruction="Open all.", task="cave/new", episode=""):
    """Return a question."""
    return Query(Task(task, "cave", instruction, ""), tuple(Turn(*turn) for turn in history), state, action, episode)


class TestActions:
    def test_arguments_stand_between_the_verb_signs_and_joining_words(self):
        assert read_action("put  fork into box") == read_action("put fork into box")
        assert read_action("put old fork into tin box").form == "put _ into _"
        assert read_action("put old fork into tin box").arguments == ("old fork", "tin box")
        assert (read_action("click[Buy Now]").form, read_action("click[Buy Now]").arguments) == (
            "click[ _]",
            ("Buy Now",),
        )
        assert read_action("inventory").arguments == ()

    @given(st.text(max_size=60).map(lambda text: text.replace("_", "")))
    def test_every_text_can_be_read(self, action):
        read = read_action(action)
        assert read.text == " ".join(action.split())
        assert read.form.count(" _") == len(read.arguments)

    @given(st.lists(TEXTS, max_size=5), st.lists(TEXTS.filter(bool), max_size=4))
    def test_a_template_filled_with_its_own_arguments_is_the_page(self, segments, arguments):
        assert fill(template_of(segments, arguments), arguments) == tuple(segments)

    def test_an_argument_is_replaced_in_the_case_it_was_written_in(self):
        template = template_of(["You open gate.", "Gate is open. GATE! gates."], ["gate"])
        assert fill(template, ["iron door"]) == ("You open iron door.", "Iron door is open. IRON DOOR! gates.")


class TestEdits:
    LINES = st.text(max_size=8) | st.sampled_from(
        ["Purse: 20 coins", "Purse: 17 coins", "rope (3 coins)", "Turn 1", "Turn 2", "007"]
    )

    @given(
        st.lists(LINES, min_size=1, max_size=6),
        st.lists(LINES, min_size=1, max_size=6),
        st.lists(TEXTS.filter(bool), max_size=2),
    )
    def test_edits_lead_from_a_page_to_the_one_after_it(self, page, answer, arguments):
        edits = edits_of(page, answer, arguments)
        assert edits is None or apply_edits(edits, page, arguments) == tuple(answer)

    @given(
        st.lists(LINES, min_size=1, max_size=6), st.lists(LINES, min_size=1, max_size=6), st.lists(LINES, max_size=6)
    )
    def test_on_another_page_as_many_segments_are_kept_or_they_do_not_fit(self, page, answer, other):
        edits = edits_of(page, answer, ["rope"]) or ()
        edited = apply_edits(edits, other, ["lamp"])
        assert edited is None or len(edited) - len(other) == sum(
            len(edit.added) + len(edit.changes) - edit.removed for edit in edits
        )

    def test_what_is_told_of_a_thing_is_taken_from_a_number(self):
        page = ["You stand here.", "Stalls: rope (3 coins), lamp (9 coins)", "Purse: 20 coins"]
        edits = edits_of(page, ["You buy rope.", page[1], "Purse: 17 coins"], ["rope"])
        assert apply_edits(edits, page, ["lamp"]) == ("You buy lamp.", page[1], "Purse: 11 coins")
        assert apply_edits(edits, [*page[:2], "Purse: 5 coins"], ["lamp"]) is None, "nobody owes coins"

    def test_a_page_that_has_little_in_common_is_another_one(self):
        assert edits_of(["A cave.", "It is dark."], ["A wood.", "Birds sing."], []) is None


class TestComposer:
    def test_a_thing_never_seen_is_answered_as_another_was(self, tmp_path):
        found = composer(
            tmp_path, [step for n in range(3) for step in episode(n, "A cave.", (f"open box{n}", f"You open box{n}."))]
        )
        memory = found.compose(asked("A hall.", "open chest"), [])
        assert memory.transition.next_state == "You open chest."
        assert memory.transition.source is Source.COMPOSED
        assert not memory.certain
        assert "named by the task" in memory.transition.reasoning

    def test_what_was_always_so_is_certain(self, tmp_path):
        def steps(count):
            return [step for n in range(count) for step in episode(n, "A cave.", (f"open box{n}", f"You open box{n}."))]

        question = asked("A hall.", "open chest")
        assert composer(tmp_path, steps(20)).compose(question, []).certain
        assert not composer(tmp_path, steps(19)).compose(question, []).certain
        odd = episode(99, "A cave.", ("open safe", "It is locked."))
        assert not composer(tmp_path, [*steps(20), *odd]).compose(question, []).certain

    def test_the_way_back_leads_to_the_room_before(self, tmp_path):
        rooms = [("red", "blue"), ("green", "white"), ("black", "grey"), ("pink", "brown")]
        steps = [
            step
            for n, (one, other) in enumerate(rooms)
            for step in episode(n, f"A {one} room.", ("go east", f"A {other} room."), ("go west", f"A {one} room."))
        ]
        question = asked("A tiled bath.", "go west", ("A long corridor.", "go east"))
        assert composer(tmp_path, steps).compose(question, []).transition.next_state == "A long corridor."

    def test_what_an_action_got_before_in_the_episode_it_gets_again(self, tmp_path):
        steps = [
            step
            for n in range(4)
            for step in episode(
                n, "A cave.", ("look", f"Cave number {n}."), ("sing", "La."), ("look", f"Cave number {n}.")
            )
        ]
        question = asked("La.", "look", ("A cave.", "look"), ("Cave of wonders.", "sing"))
        assert composer(tmp_path, steps).compose(question, []).transition.next_state == "Cave of wonders."

    def test_what_was_recorded_on_the_same_page_in_other_tasks_is_known(self, tmp_path):
        steps = [step for n in range(3) for step in episode(n, "A red door.", ("knock", "A dwarf opens."))]
        memory = composer(tmp_path, steps).compose(asked("A red door.", "knock"), [])
        assert memory.transition.next_state == "A dwarf opens."

    def test_nothing_hidden_is_told(self, tmp_path):
        steps = [
            *episode(0, "A cave.", ("open box", "A secret word is written in it.")),
            *episode(1, "A wood.", ("open chest", "It is locked.")),
        ]
        found = composer(tmp_path, steps)
        question = asked("A cave.", "open box", task="cave/0", episode="e0")
        told = [
            found.compose(question, [], exclude_episode=True),
            found.compose(question, [], exclude_task=True),
        ]
        assert [memory.transition.next_state for memory in told] == ["It is locked.", "It is locked."]

    def test_a_recording_of_one_hidden_task_tells_nothing(self, tmp_path):
        steps = episode(0, "A cave.", ("open box", "A secret word is written in it."))
        question = asked("A cave.", "open box", task="cave/0", episode="e0")
        assert composer(tmp_path, steps).compose(question, [], exclude_task=True) is None

    def test_a_page_that_shows_all_of_a_state_changes_as_such_pages_do(self, tmp_path):
        stalls = "Stalls: rope (3 coins), lamp (9 coins), salt (2 coins), jar (4 coins)."
        steps = [
            step
            for n, (thing, price) in enumerate([("rope", 3), ("lamp", 9), ("salt", 2)])
            for step in episode(
                n,
                f"You stand in the market.\n{stalls}\nPurse: {20 + n} coins",
                (f"buy {thing}", f"You buy {thing}.\n{stalls}\nPurse: {20 + n - price} coins"),
            )
        ]
        memory = composer(tmp_path, steps).compose(asked(f"You yawn.\n{stalls}\nPurse: 15 coins", "buy jar"), [])
        assert memory.transition.next_state == f"You buy jar.\n{stalls}\nPurse: 11 coins"

    def test_where_such_steps_ended_their_episodes_the_end_is_open_to_the_model(self, tmp_path):
        steps = [
            step
            for n in range(3)
            for step in episode(n, "A cave.", (f"eat apple{n}", "You win."), instruction=f"Eat apple{n}.", won=True)
        ]
        memory = composer(tmp_path, steps).compose(asked("A cave.", "eat pear", instruction="Eat pear."), [])
        assert memory.transition.terminated
        assert memory.transition.reward == 0.0
        assert "all named by the task" in memory.transition.reasoning
