"""Promises of the report: it shows every figure under its environment's id, and whatever it holds stays text."""

from __future__ import annotations

import html.parser
import io
import random
import re

import pytest
import report_samples
from report_samples import DREAM_ID, HOSTILE, REAL_ID
from rich.console import Console

from dreamgym_env.evaluation.report import markdown_table, tables, write_html
from dreamgym_env.evaluation.report.differences import Changed, Same, compare_pages, lines_of, shared_lines
from dreamgym_env.evaluation.report.labels import Box, place
from dreamgym_env.evaluation.report.wording import decimal, percent, points, visible

VOID = {"meta", "link", "input", "br", "img", "base", "hr"}
ACTIVE = {
    "script",
    "style",
    "iframe",
    "object",
    "embed",
    "link",
    "base",
    "img",
    "form",
    "audio",
    "video",
    "foreignobject",
}


class Document(html.parser.HTMLParser):
    """What a file holds: its tags, its attributes and its texts."""

    def __init__(self, source: str):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.texts = [], [], []
        self.tables, self.open = [], []
        self.scripts = []
        self.feed(source)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.attributes.extend((tag, name, value) for name, value in attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and "table" in self.open:
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("script", "style"):
            self.scripts.append(data)
            return
        self.texts.append(data)
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def table(self, head: str) -> list[list[str]]:
        """Return the rows of the first table that has such a head."""
        return next(table for table in self.tables if any(head in row for row in table))


def written(comparison, tmp_path) -> Document:
    write_html(comparison, tmp_path / "new" / "report.html")
    return Document((tmp_path / "new" / "report.html").read_text(encoding="utf-8"))


def test_every_figure_of_the_agents_is_shown(tmp_path):
    comparison = report_samples.small()
    document = written(comparison, tmp_path)
    rows = {row[0].split(" ")[0]: row for row in document.table("consistency ratio")[2:]}
    for agent in comparison["agents"]:
        row = rows[agent["agent"]]
        shown = [cell.split(" ", 1) for cell in row[1:]]
        for at, (place_, write) in {
            0: (agent["success"]["dream"], percent),
            2: (agent["success"]["real"], percent),
            4: (agent["gap"]["success"], points),
            5: (agent["false_success"], percent),
            6: (agent["consistency_ratio"], decimal),
            7: (agent["reverse_consistency_ratio"], decimal),
        }.items():
            if place_ is None:
                assert shown[at] == ["–"]
            else:
                assert shown[at][0] == write(place_["value"]).split(" ")[0]
                low, _, high = shown[at][1].partition(" to ")
                scale = 100 if write is not decimal else 1
                for end, name in ((low, "low"), (high, "high")):
                    assert float(end.replace("−", "-")) == pytest.approx(
                        place_[name] * scale, abs=0.051 if scale > 1 else 0.0051
                    )
        assert [int(row[2]), int(row[4])] == [agent["failures"]["dream"], agent["failures"]["real"]]


def test_every_other_figure_is_shown(tmp_path):
    comparison = report_samples.small()
    document = written(comparison, tmp_path)
    agent = comparison["agents"][0]

    def row(head, name="oracle"):
        return next(row for row in document.table(head) if row[0].startswith(name))

    assert row("solved in both")[1:5] == [
        str(agent["agreement"][key]) for key in ("both", "dream_only", "real_only", "neither")
    ]
    assert row("solved in both")[6:] == ["0.91", "0.629"]
    scores = next(table for table in document.tables if any("gap" in line for line in table))
    assert any("98." in cell or "0.98" in cell for cell in scores[2])
    assert row("median step")[1:] == [
        *("600", "143", "23.8\u00a0% 20.5 to 27.4", "3.0"),
        *("120 step 2.5", "11 step 8", "7 step 10", "5 step 3"),
        *("88", "55"),
    ]
    assert row("prompt tokens")[2:] == ["3,711", "41.3", "89.9", "64", "1,234,567", "98,765", "model 3,300, guard 411"]
    assert row("Wasserstein distance")[5] == f"{decimal(agent['returns']['wasserstein'], 3)} chance 0.012"
    assert row("mark", "rules")[1:4] == ["causal consistency", "1.930 1.900 to 1.960", "298"]
    assert row("κ, quadratic weights", "causal")[1:] == ["0.71", "0.83", "297"]
    assert row("before", "bias")[1:] == ["0.0313 0.0102 to 0.0541", "0.0021"]
    assert row("no reply", "policy(runs/grpo-7b)")[1:] == ["90", "3,711", "1,234,567", "98,765", "12", "3"]
    assert [line[0] for line in document.table("line F1")[2:]] == [str(drift["step"]) for drift in comparison["drift"]]
    for words in (
        *comparison["verdict"],
        *comparison["warnings"],
        "Spearman 0.94 (0.83 to 1.00), Kendall 0.87 (0.69 to 1.00) over 6 agents",
        "lazy and random",
        "51,234 transitions (real 51,000, dream 234)",
        "by 40 anchor tasks, tested on 160 others",
        "2 cores, 8 GB",
        "2.9.0",
    ):
        assert words in document.text


@pytest.mark.parametrize("side", ["dream", "dream_actions_in_real"])
def test_an_episode_that_a_failure_cut_short_is_not_one_that_was_not_solved(side, tmp_path):
    comparison = report_samples.small()
    comparison["transcripts"][2][side] |= {"stop": "engine_failure", "failure": "The process is gone."}
    document = written(comparison, tmp_path)
    outcomes = [attributes["data-outcome"] for tag, attributes in document.tags if tag == "article"]
    assert outcomes[2] == "cut short by a failure"
    assert "cut short by a failure" not in outcomes[:2]
    assert ("option", "value", "cut short by a failure") in document.attributes
    assert "The process is gone." in document.text


def test_first_pages_that_differ_stand_side_by_side(tmp_path):
    comparison = report_samples.small()
    assert "begin with different pages" not in written(comparison, tmp_path).text
    comparison["transcripts"][0]["real_initial_state"] = "WebShop is closed today."
    document = written(comparison, tmp_path)
    assert "begin with different pages" in document.text
    assert "closed today" in document.text


def test_every_column_of_figures_stands_under_an_environment(tmp_path):
    document = written(report_samples.small(), tmp_path)
    for table in document.tables:
        heads = " ".join(table[0])
        assert DREAM_ID in heads or REAL_ID in heads or "environment" in table[0]
    cells = [attributes for tag, attributes in document.tags if tag == "td" and "number" in attributes["class"]]
    assert {cell["data-source"] for cell in cells if "data-source" in cell} == {DREAM_ID, REAL_ID, "dream and real"}
    assert all(attributes.get("scope") for tag, attributes in document.tags if tag == "th")


def test_plots_say_in_words_what_they_show(tmp_path):
    document = written(report_samples.small(), tmp_path)
    said = [attributes["aria-label"] for tag, attributes in document.tags if attributes.get("role") == "img"]
    assert len(said) == 6 + 6
    assert any("noisy-oracle(0.3): dream 64.0\u00a0%, real 60.0\u00a0%" in words for words in said)
    assert any("Drift. page exact 97.3\u00a0% at step 1, 87.7\u00a0% at step 9" in words for words in said)


def test_transcripts_hold_both_sides_and_what_is_behind_each_step(tmp_path):
    comparison = report_samples.small()
    document = written(comparison, tmp_path)
    for transcript in comparison["transcripts"]:
        assert transcript["instruction"] in document.text and transcript["task_id"] in document.text
    step = comparison["transcripts"][0]["dream"]["steps"][0]
    for words in (
        step["action"],
        step["reasoning"],
        "0.97",
        "composed",
        "answered by guard",
        "not offered by the page",
    ):
        assert words in document.text
    assert "solved in the dream only" in document.text
    assert "The same action and the same page as in this step beside the dream." in document.text
    targets = {value for _, name, value in document.attributes if name == "id"}
    links = {value[1:] for _, name, value in document.attributes if name == "href"}
    assert links and links <= targets


def test_empty_pages_and_lost_episodes_are_shown(tmp_path):
    comparison = report_samples.small()
    first, second = comparison["transcripts"][:2]
    for rollout in ("dream", "dream_actions_in_real"):
        first[rollout]["steps"][0]["state"] = second[rollout]["steps"][0]["state"] = ""
    del first["dream_actions_in_real"]["steps"][2:]
    second["dream"] |= {"success": False, "stop": "model_failure", "failure": "The answer is no JSON.", "steps": []}
    document = written(comparison, tmp_path)
    targets = {value for _, name, value in document.attributes if name == "id"}
    assert {value[1:] for _, name, value in document.attributes if name == "href"} <= targets
    assert "the real environment had ended before" in document.text
    assert "cut short by an answer that could not be read" in document.text
    assert "The answer is no JSON." in document.text


def test_a_report_is_as_small_as_what_it_says(tmp_path):
    write_html(report_samples.huge(), tmp_path / "huge.html")
    assert (tmp_path / "huge.html").stat().st_size < 10_000_000


@pytest.mark.parametrize("make", [report_samples.empty, report_samples.hollow, dict])
def test_what_is_missing_is_left_out_or_said(make, tmp_path):
    comparison = make()
    document = written(comparison, tmp_path)
    assert "nan" not in document.text.lower().replace("finan", "") and "None" not in document.text
    assert markdown_table(comparison)
    Console(file=io.StringIO(), width=100).print(*tables(comparison))
    if make is not report_samples.hollow:
        assert "No agent was compared." in document.text and "No transcripts were kept." in document.text


@pytest.mark.parametrize("seed", range(20))
def test_any_parts_may_be_missing(seed, tmp_path):
    def places(value, path=()):
        for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            yield (*path, key)
            yield from places(value[key], (*path, key))

    comparison, rng = report_samples.small(), random.Random(seed)
    for path in [path for path in places(comparison) if len(path) > 1 and rng.random() < 0.1]:
        inner = comparison
        for key in path[:-1]:
            inner = inner[key] if inner is not None else None
        if inner is not None:
            inner[path[-1]] = None
    written(comparison, tmp_path)
    assert tables(comparison) and markdown_table(comparison)


def test_why_there_is_no_rank_correlation_is_said(tmp_path):
    comparison = report_samples.small()
    comparison["ranks"] |= {"spearman": None, "kendall": None, "why_none": "It takes 3 agents to rank them."}
    assert "It takes 3 agents to rank them." in written(comparison, tmp_path).text


def test_hostile_texts_are_only_texts(tmp_path):
    document = written(report_samples.hostile(), tmp_path)
    plain = written(report_samples.small(), tmp_path)
    known = {tag for tag, _ in plain.tags}
    assert {tag for tag, _ in document.tags} <= known
    assert not known & ACTIVE - {"script", "style"}
    assert [sum(tag == name for tag, _ in document.tags) for name in ("script", "style")] == [1, 1]
    assert not [name for _, name, _ in document.attributes if name.startswith("on") or name in ("src", "style")]
    assert {value[0] for _, name, value in document.attributes if name == "href"} == {"#"}
    assert document.scripts == plain.scripts
    assert all(word in document.text for word in HOSTILE[:7])
    assert "half \\ud800 of \\udfff a character" in document.text
    assert "right to left \\u202egnp.exe" in document.text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", document.text)


def test_the_policy_allows_the_own_style_and_script_only(tmp_path):
    document = written(report_samples.small(), tmp_path)
    policy = next(attributes["content"] for tag, attributes in document.tags if "http-equiv" in attributes)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy and "http" not in policy


def test_a_markdown_table_has_one_line_an_agent_and_keeps_its_columns():
    table = markdown_table(report_samples.hostile()).split("\n\n")[0].splitlines()
    assert len(table) == 2 + 6
    bars = {len(re.findall(r"(?<!\\)\|", line)) for line in table}
    assert len(bars) == 1
    assert not re.search(r"(?<!\\)<(?!br>)", "".join(table))
    head = markdown_table(report_samples.small()).splitlines()[0]
    assert f"success<br>{DREAM_ID}" in head and f"success<br>{REAL_ID}" in head


def test_tables_for_a_terminal_show_ids_and_no_control_characters():
    def printed(comparison):
        console = Console(file=io.StringIO(), width=160, force_terminal=False)
        console.print(*tables(comparison))
        return console.file.getvalue()

    assert "noisy-oracle(0.1)" in printed(report_samples.small())
    assert f"dream: {DREAM_ID}; real: {REAL_ID}" in printed(report_samples.small())
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", printed(report_samples.hostile()))


def test_numbers_are_written_the_same_everywhere():
    assert [percent(0.9749), percent(None), percent(-0.00001)] == ["97.5\u00a0%", "–", "0.0\u00a0%"]
    assert [points(0.02), points(-0.125), points(0.0)] == ["+2.0", "−12.5", "0.0"]
    assert [decimal(1234.5, 1), decimal(-0.001)] == ["1,234.5", "0.00"]


def test_accents_are_kept_and_towers_of_them_are_not():
    assert visible("e\u0301a\u0300 ñ 日本 🙂\n\tx") == "e\u0301a\u0300 ñ 日本 🙂\n\tx"
    assert visible("Z" + "\u0301" * 6) == "Z" + "\u0301" * 4 + "\\u0301" * 2


def test_pages_are_compared_by_line_and_changed_lines_by_word():
    shared = "\n".join(f"line {at}" for at in range(12))
    blocks = compare_pages(f"{shared}\nPrice: $12.99 in red\nend", f"{shared}\nPrice: $13.49 in red\nend\nmore")
    assert [type(block) for block in blocks] == [Same, Changed, Same, Changed]
    assert (blocks[0].folded_lines, blocks[0].after) == (10, "line 10\nline 11")
    (left, right), *_ = blocks[1].rows
    assert [piece.text for piece in left if piece.marked] == ["12.99"]
    assert [piece.text for piece in right if piece.marked] == ["13.49"]
    assert blocks[3].rows[0][0] is None, "the dream has no such line"


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("", ""),
        ("a", ""),
        ("", "b\nc"),
        ("a [SEP] b", "a [SEP] c"),
        ("x\n" * 3000, "x\n" * 2990 + "y"),
        ("w " * 5000, "w " * 4999 + "v"),
    ],
)
def test_both_pages_can_be_read_from_what_is_shown(left, right):
    def side(at):
        lines = []
        for block in compare_pages(left, right):
            if isinstance(block, Same):
                lines += [
                    line for part in (block.before, block.folded, block.after) if part for line in part.split("\n")
                ]
            else:
                lines += ["".join(piece.text for piece in row[at]) for row in block.rows if row[at] is not None]
        return [line for line in lines if line]

    assert side(0) == [line for line in lines_of(left) if line]
    assert side(1) == [line for line in lines_of(right) if line]


def test_shared_lines_are_counted():
    assert shared_lines("a [SEP] b [SEP] c", "c\nb\nd") == (2, 3)


def test_labels_do_not_cover_each_other():
    points_ = [(60.0 + 2 * at, 60.0 + at) for at in range(8)] + [(0.0, 200.0), (0.0, 200.0)]
    placed = place(points_, [80.0] * 10, 13, 4, Box(0, 0, 300, 300))
    boxes = [label.box for label in placed]
    assert not any(a.overlap(b) for at, a in enumerate(boxes) for b in boxes[:at])
    assert not any(box.outside(Box(0, 0, 300, 300)) for box in boxes)
