"""The contract of :class:`~dreamgym_env.types.TextGenerator`, as a test class that any generator can be put through.

Subclass it in a test module and let pytest collect it (pytest must be installed)::

    class TestMyGenerator(TextGeneratorContract):
        def make_generator(self):
            return MyGenerator(...)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from dreamgym_env.types import Completion, Prompt, Sampling, StreamingGenerator, TextGenerator

__all__ = ["TextGeneratorContract"]

_PROMPTS = (
    Prompt("You are a shop. ", "The customer searches for red shoes in size 9 under 40 dollars."),
    Prompt("You are a shop. ", "The customer clicks on Buy Now."),
    Prompt("You are a shop. ", "The customer clicks on Next > three times, then goes back to the search page again."),
    Prompt("", "Bare question?"),
    Prompt("You are a house. ", "go to drawer 2"),
)


class TextGeneratorContract:
    """Every promise of ``TextGenerator`` as a test.

    Override :meth:`make_generator`, and the members below where an engine differs.  Where making one is slow, override
    the fixture ``generator`` with one of class scope as well.
    """

    deterministic: bool = True
    """Greedy answers do not depend on the other prompts of the batch."""
    samples: bool = True
    """A temperature above 0 makes answers vary with the seed."""
    limits_length: bool = True
    """``max_new_tokens`` shortens answers, as the engine counts tokens."""
    too_long: str | None = "a long history " * 4_000
    """A text beyond what the engine accepts; None where it accepts all."""

    def make_generator(self) -> TextGenerator:
        """Return a new generator."""
        raise NotImplementedError("a subclass of TextGeneratorContract must override make_generator()")

    @pytest.fixture
    def generator(self) -> Iterator[TextGenerator]:
        """A generator that is closed after the test."""
        generator = self.make_generator()
        yield generator
        generator.close()

    def test_it_is_a_text_generator(self, generator: TextGenerator) -> None:
        """It has the protocol's members."""
        assert isinstance(generator, TextGenerator)

    def test_an_empty_batch_gives_an_empty_list(self, generator: TextGenerator) -> None:
        """No prompts, no completions."""
        assert generator.generate([], Sampling(), []) == []

    def test_each_prompt_gets_its_own_answer(self, generator: TextGenerator) -> None:
        """One completion each, in the order of the prompts, the same as when each is asked alone."""
        together = _greedy(generator, _PROMPTS)
        assert [type(completion) for completion in together] == [Completion] * len(_PROMPTS)
        assert len({completion.text for completion in together}) > 1, "the engine answers all prompts alike"
        if self.deterministic:
            assert together == [_greedy(generator, [prompt])[0] for prompt in _PROMPTS]
            assert together[::-1] == _greedy(generator, _PROMPTS[::-1])

    def test_the_same_prompt_gets_the_same_greedy_answer(self, generator: TextGenerator) -> None:
        """Temperature 0 repeats itself, whatever the seeds."""
        if not self.deterministic:
            pytest.skip("this engine does not promise determinism")
        first = generator.generate(_PROMPTS, Sampling(max_new_tokens=12), [1] * len(_PROMPTS))
        assert first == generator.generate(_PROMPTS, Sampling(max_new_tokens=12), [2] * len(_PROMPTS))

    def test_text_ends_before_a_stop_string(self, generator: TextGenerator) -> None:
        """The text is exactly what comes before the first stop string, whichever of several that is."""
        if not self.deterministic:
            pytest.skip("the text without a stop string is not repeatable here")
        for prompt in _PROMPTS:
            full = _greedy(generator, [prompt], max_new_tokens=24)[0].text
            for first, length in ((0, 1), (len(full) // 2, 1), (len(full) // 2, 3)):
                stop = full[first : first + length]
                if stop:
                    sampling = Sampling(max_new_tokens=24, stop=("never in the text", stop))
                    assert generator.generate([prompt], sampling, [0])[0].text == full[: full.find(stop)]

    def test_max_new_tokens_bounds_the_answer(self, generator: TextGenerator) -> None:
        """No answer is longer, and a higher bound allows for more."""
        if not self.limits_length:
            pytest.skip("this engine has no tokens to limit")
        short, long = (_greedy(generator, _PROMPTS, max_new_tokens=bound) for bound in (1, 9))
        assert all(completion.completion_tokens <= 1 for completion in short)
        assert all(completion.completion_tokens <= 9 for completion in long)
        assert any(completion.completion_tokens > 1 for completion in long)

    def test_sampling_depends_on_the_seed_alone(self, generator: TextGenerator) -> None:
        """At temperature 1 a prompt with its seed gets the same text in any batch, and other seeds give other texts."""
        if not (self.samples and self.deterministic):
            pytest.skip("this engine does not promise reproducible sampling")
        sampling = Sampling(max_new_tokens=12, temperature=1.0)
        prompt = _PROMPTS[0]
        batch = generator.generate([*_PROMPTS, prompt], sampling, [11, 12, 13, 14, 15, 16])
        assert generator.generate([prompt], sampling, [11]) == batch[:1]
        assert generator.generate([prompt, _PROMPTS[2]], sampling, [16, 13]) == [batch[5], batch[2]]
        texts = {completion.text for completion in generator.generate([prompt] * 8, sampling, range(8))}
        assert len(texts) > 1

    def test_tokens_are_counted(self, generator: TextGenerator) -> None:
        """Prompts and answers count at least one token, a longer prompt more."""
        short, long = _greedy(generator, [Prompt("", "one two"), Prompt("", "one two " * 10)])
        assert 0 < short.prompt_tokens < long.prompt_tokens
        assert short.completion_tokens > 0 or not short.text

    def test_a_prompt_that_is_too_long_fails_alone(self, generator: TextGenerator) -> None:
        """It gets a completion with an error; the others are answered as ever."""
        if self.too_long is None:
            pytest.skip("this engine accepts prompts of any length")
        good = _greedy(generator, _PROMPTS[:2])
        first, bad, last = _greedy(generator, [_PROMPTS[0], Prompt("", self.too_long), _PROMPTS[1]])
        assert bad.error and not bad.text
        assert not first.error and not last.error
        if self.deterministic:
            assert [first, last] == good

    def test_any_python_text_may_be_asked(self, generator: TextGenerator) -> None:
        """Control characters, emoji and lone surrogates break nothing."""
        prompts = [
            Prompt("", "\x00\x1b[31m"),
            Prompt("", "\U0001f45f naïve"),
            Prompt("a \ud800 b", "lone \udfff surrogate"),
        ]
        assert all(not completion.error for completion in _greedy(generator, prompts))

    def test_each_prompt_needs_a_seed(self, generator: TextGenerator) -> None:
        """A wrong number of seeds is a mistake of the caller's."""
        with pytest.raises(ValueError, match="seed"):
            generator.generate(_PROMPTS[:2], Sampling(), [0])

    def test_a_stream_gives_what_a_batch_gives(self, generator: TextGenerator) -> None:
        """Further prompts may be submitted while answers come; looking without waiting loses none."""
        if not isinstance(generator, StreamingGenerator):
            pytest.skip("this engine answers whole batches only")
        stream = generator.open()
        assert stream.receive() == []
        sampling = Sampling(max_new_tokens=12)
        tickets = [stream.submit(prompt, sampling, 0) for prompt in _PROMPTS[:2]]
        answers = dict(stream.receive(timeout=0))
        tickets += [stream.submit(prompt, sampling, 0) for prompt in _PROMPTS[2:]]
        while len(answers) < len(_PROMPTS):
            answers.update(stream.receive())
        assert len(set(tickets)) == len(_PROMPTS) and stream.receive() == []
        if self.deterministic:
            assert [answers[ticket] for ticket in tickets] == _greedy(generator, _PROMPTS)
        stream.close()
        stream.close()

    def test_close_may_be_called_twice(self) -> None:
        """The second call does nothing."""
        generator = self.make_generator()
        generator.close()
        generator.close()


def _greedy(generator: TextGenerator, prompts: Sequence[Prompt], max_new_tokens: int = 12) -> list[Completion]:
    return generator.generate(prompts, Sampling(max_new_tokens=max_new_tokens), [0] * len(prompts))
