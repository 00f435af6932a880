"""Real browsers: what a page shows and answers, and that no bad page or lost browser leaves anything behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsers import needs_browser, processes, wait_until_gone

from dreamgym_env.domains.browser.candidates import guard
from dreamgym_env.domains.browser.chromium import find_chromium, require_packages
from dreamgym_env.domains.browser.domain import WebDomain
from dreamgym_env.domains.browser.real import BrowserTask, RealBrowser
from dreamgym_env.errors import GameError, KeywordError, MissingDependencyError
from dreamgym_env.simulation.episode import Episode, Outcome
from dreamgym_env.types import StopReason, Task

pytestmark = needs_browser


class Trials(WebDomain):
    """A domain of the pages of ``trial_pages``."""

    name = "trials"
    max_episode_steps = 10
    rules = ""

    def splits(self) -> tuple[str, ...]:
        return ("train",)

    def task_ids(self, split: str) -> list[str]:
        return ["trials/form"]

    def task(self, task_id: str) -> Task:
        return Task(task_id, "trials", "Look at it.", "")


def trial(task: Task) -> BrowserTask:
    return BrowserTask("trial_pages:TrialPage", {"page": task.id.partition("/")[2]})


def make(**options: Any) -> RealBrowser:
    return RealBrowser(
        Trials(), trial, extra="miniwob", packages=["browsergym.core"], **{"workers": 1, "timeout": 20, **options}
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[RealBrowser]:
    """One browser for all tests that do it no harm."""
    backend = make()
    yield backend
    backend.close()


def begin(backend: RealBrowser, page: str = "form") -> Episode:
    return backend.begin([Trials().task(f"trials/{page}")], [0])[0]


def act(backend: RealBrowser, episode: Episode, *actions: str) -> Outcome:
    """Take actions; returns what comes of the last."""
    for action in actions:
        (outcome,) = backend.advance([episode], [action])
    return outcome


def folder_of(backend: RealBrowser) -> str:
    return str(backend._pool._program.arguments[-1])


FORM = """\
Task:
Look at it.
Page: Form
URL: __SITE__/form
heading: Sign up
[1] textbox: Name
[2] combobox: State, value "Ohio", options ["Ohio", "Utah"]
[3] button: Go
[4] button: Hang
[5] button: Add
[6] link: Away"""


def test_a_page_is_the_same_text_in_every_episode_whatever_was_done_before(browser: RealBrowser):
    first = begin(browser)
    assert first.state == FORM
    act(browser, first, "click('5')", "fill('1', 'Ann')", "goto('__SITE__/form')")
    second = begin(browser)
    assert first.state == second.state == FORM


def test_actions_do_what_they_say(browser: RealBrowser):
    episode = begin(browser)
    act(browser, episode, "fill('1', 'Ann')", "select_option('2', 'Utah')")
    assert '[1] textbox: Name, value "Ann"' in episode.state and 'value "Utah"' in episode.state
    act(browser, episode, "press('1', 'x')")
    assert '[1] textbox: Name, value "Annx", focused' in episode.state
    act(browser, episode, "goto('__SITE__/other')", "go_back()")
    assert "URL: __SITE__/form" in episode.state
    act(browser, episode, "new_tab()")
    assert "Tab 0: Form\nTab 1:  (active)" in episode.state
    act(browser, episode, "tab_focus(0)")
    assert "Tab 0: Form (active)\nTab 1:" in episode.state
    act(browser, episode, "tab_focus(1)", "tab_close()")
    assert "Tab 0" not in episode.state and "Page: Form" in episode.state
    outcome = act(browser, episode, "send_msg_to_user('yes')")
    assert (outcome.stop, outcome.transition.reward) == (StopReason.SUCCESS, 1.0)
    assert browser.available_actions(episode) == ()


def test_the_guard_answers_as_the_browser_does(browser: RealBrowser):
    episode = begin(browser)
    for action in ("dance", "click()", "click('99')", "click(1)", "jump('1')", "fill('99', 'x')"):
        expected = guard(episode.state, "Look at it.", action, Trials.actions)
        outcome = act(browser, episode, action)
        assert episode.state == expected and not outcome.transition.valid


def test_what_the_page_refuses_is_said_in_one_line(browser: RealBrowser):
    episode = begin(browser)
    act(browser, episode, "fill('3', 'x')")
    assert "Error: Error: Locator.fill: Error: Element is not an <input>, <textarea>" in episode.state
    act(browser, episode, "select_option('2', 'Nowhere')")
    assert "Error: TimeoutError: Locator.select_option: Timeout 500ms exceeded.\n" in episode.state
    act(browser, episode, "noop(10)")
    assert episode.state == FORM, "an error is gone with the next action"


@pytest.mark.parametrize("action", ["click('1')", "click('3')", "press('2', 'Enter')", "click('4')"])
def test_a_page_that_takes_its_time_is_waited_for(browser: RealBrowser, action: str):
    """A link, a form sent by its button or by a key, a script."""
    episode = begin(browser, "slow")
    assert act(browser, episode, action).transition.valid
    assert "Page: Late" in episode.state and "heading: At last" in episode.state


@pytest.mark.parametrize(
    "action", ["scroll(1e400, 0)", "fill('1', 1e400)", "select_option('2', [1e400])", "noop(-1e400)"]
)
def test_no_number_breaks_the_browser_down(browser: RealBrowser, action: str):
    episode = begin(browser)
    assert act(browser, episode, action).stop is StopReason.RUNNING
    assert act(browser, episode, "noop(1)").stop is StopReason.RUNNING and episode.state == FORM


def test_an_infeasible_task_ends_the_episode(browser: RealBrowser):
    assert act(browser, begin(browser), "report_infeasible('no such page')").stop is StopReason.FAILURE


def test_any_text_can_be_typed(browser: RealBrowser):
    episode = begin(browser)
    for text in ("a\x00b\x1b[2Jc", "<b>&amp;</b>", "\u202eright", "'\"\\", "x" * 4000, "日本語 🫖"):
        before = episode.state
        outcome = act(browser, episode, f"fill('1', {text!r})")
        assert outcome.stop is StopReason.RUNNING and episode.state != before
        assert "[1] textbox: Name, value" in episode.state and "\x1b" not in episode.state
        assert "[6] link: Away" in episode.state


@pytest.mark.parametrize(
    "action",
    ["click('6')", "goto('http://192.0.2.1/')", "goto('file:///etc/passwd')", "goto('http://127.0.0.1:1/')",
     "goto('javascript:alert(1)')", "goto('chrome://version')", "goto('__SITE__@192.0.2.1/')"],
)  # fmt: skip
def test_nothing_but_the_site_can_be_reached(browser: RealBrowser, action: str):
    episode = begin(browser)
    act(browser, episode, action)
    assert "root:" not in episode.state and episode.stop is StopReason.RUNNING
    assert "Error: " in episode.state or "chrome-error" in episode.state


@pytest.mark.parametrize("page", ["big", "long"])
def test_a_page_of_ten_megabytes_is_not_read_and_can_be_left(browser: RealBrowser, page: str):
    episode = begin(browser)
    act(browser, episode, f"goto('__SITE__/{page}')")
    assert "text: The page is too large to be shown: " in episode.state
    act(browser, episode, "goto('__SITE__/form')")
    assert episode.state == FORM and episode.stop is StopReason.RUNNING


def test_the_whole_tree_on_request():
    backend = make(observation="axtree")
    episode = begin(backend)
    assert "RootWebArea 'Form', url='__SITE__/form'" in episode.state.replace(", focused", "")
    number = next(line for line in episode.state.split("\n") if "textbox 'Name'" in line).strip()[1:].partition("]")[0]
    assert f"click({number!r})" in backend.available_actions(episode)
    act(backend, episode, f"fill({number!r}, 'Ann')")
    assert "textbox 'Name' value='Ann'" in episode.state
    backend.close()


def test_a_page_that_hangs_ends_its_episode_and_the_browser_begins_anew():
    backend = make(timeout=4)
    episode = begin(backend)
    folder = folder_of(backend)
    before = set(processes(folder))
    outcome = act(backend, episode, "click('4')")
    assert outcome.stop is StopReason.ENGINE_FAILURE and outcome.transition.reward == 0.0
    assert "gave no answer within 4 seconds" in outcome.failure and "gets a new browser" in outcome.failure
    assert act(backend, begin(backend), "click('5')").stop is StopReason.RUNNING
    deadline = time.monotonic() + 5
    while (left := before & set(processes(folder))) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left, "nothing is left of the browser that hung"
    backend.close()
    assert not wait_until_gone(folder) and not Path(folder).exists()


def test_a_site_that_does_not_answer_is_said_to_be_so():
    backend = make(timeout=20)
    with pytest.raises(GameError, match=r"'trials/mute' cannot be set up in the browser: TimeoutError"):
        begin(backend, "mute")
    assert begin(backend).state == FORM
    backend.close()


@pytest.mark.parametrize("victim", ["chromium", "driver", "process"])
def test_a_killed_browser_ends_its_episode(victim: str):
    backend = make(timeout=8)
    episode = begin(backend)
    folder = folder_of(backend)
    pids = {
        "chromium": [
            pid for pid in processes(folder) if b"--user-data-dir" in command(pid) and b"--type" not in command(pid)
        ],
        "driver": [pid for pid in processes(folder) if b"run-driver" in command(pid)],
        "process": [episode.session.worker.pid],
    }[victim]
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    outcome = act(backend, episode, "noop(1)")
    assert outcome.stop is StopReason.ENGINE_FAILURE and outcome.failure
    assert begin(backend).state == FORM
    backend.close()
    assert not wait_until_gone(folder)


def command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize(
    "end",
    [
        "pass",
        "os.kill(os.getpid(), signal.SIGKILL)",
        "threading.Timer(1, os.killpg, (0, signal.SIGINT)).start(); env.step('noop(2000)')",
        "threading.Timer(1, os.killpg, (0, signal.SIGINT)).start(); env.step(\"click('4')\")",
        "threading.Timer(1, os.kill, (os.getpid(), signal.SIGTERM)).start(); env.step('noop(2000)')",
        "threading.Timer(1, os.kill, (os.getpid(), signal.SIGKILL)).start(); env.step(\"click('4')\")",
    ],
    ids=["forgotten", "killed", "interrupted", "interrupted while a page hangs", "terminated",
         "killed while a page hangs"],
)  # fmt: skip
def test_no_process_outlives_the_users_and_no_file_either(end: str):
    """An interrupt goes to the whole process group, as a terminal's does."""
    code = (
        "import os, signal, threading, time\n"
        "from test_real_browser import Trials, make, folder_of\n"
        "from dreamgym_env.envs.text_env import TextEnv\n"
        "backend = make()\n"
        "env = TextEnv(Trials(), backend)\n"
        "env.reset(options={'task_id': 'trials/form'})\n"
        "print(folder_of(backend), flush=True)\n"
        f"{end}\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment,
        start_new_session=True,
    )
    folder = done.stdout.strip()
    assert folder, done.stderr
    assert not wait_until_gone(folder) and not Path(folder).exists()


def test_a_browser_starts_where_the_name_of_the_temporary_folder_is_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A Chromium does not start where the name of its socket would be longer than a socket's may be."""
    folder = tmp_path / ("long" * 20)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    backend = make()
    assert begin(backend).state == FORM
    backend.close()


@pytest.fixture
def interruptible():
    """An interrupt is felt, also where whoever runs the tests in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_costs_its_episode_alone(browser: RealBrowser):
    episode = begin(browser)
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        act(browser, episode, "noop(2000)")
    assert act(browser, episode, "noop(1)").stop is StopReason.ENGINE_FAILURE
    assert begin(browser).state == FORM


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("workers", 0, "workers takes a whole number"),
        ("workers", True, "workers takes a whole number"),
        ("timeout", -1, "timeout takes a number of seconds above 0"),
        ("timeout", float("inf"), "timeout takes a number of seconds above 0"),
        ("observation", "pixels", "observation takes 'elements' or 'axtree'"),
    ],
)
def test_options_that_are_none_are_refused(option: str, value: Any, words: str):
    with pytest.raises(KeywordError, match=words):
        make(**{option: value})


def test_a_missing_browser_is_a_sentence_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("DREAMGYM_CHROMIUM", raising=False)
    with pytest.raises(MissingDependencyError, match="apt-get install --no-install-recommends chromium"):
        find_chromium()
    monkeypatch.setenv("DREAMGYM_CHROMIUM", "/nowhere/chromium")
    with pytest.raises(MissingDependencyError, match="DREAMGYM_CHROMIUM names '/nowhere/chromium'"):
        make()
    with pytest.raises(
        MissingDependencyError, match=r"nothing\.at_all is missing\): pip install 'dreamgym_env\[web\]'"
    ):
        require_packages("web", "nothing.at_all")
