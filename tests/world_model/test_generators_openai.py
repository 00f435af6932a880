"""The openai generator against real servers on loopback that are well, busy, slow, broken or gone."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import random
import signal
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from dreamgym_env.errors import WorldModelError
from dreamgym_env.testing.openai_server import Call, LoopbackServer, Reply, completion_reply
from dreamgym_env.types import AnswerStream, Completion, Prompt, Sampling, StreamingGenerator
from dreamgym_env.world_model.generators.openai import OpenAIGenerator, RetryPolicy

QUICK = RetryPolicy(max_retries=3, first_delay=0.01, max_delay=0.02)
PATIENT = RetryPolicy(max_retries=9, first_delay=0.01, max_delay=0.02)
PROMPT = Prompt("rules", "ask")
CERTIFICATE = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgblP+YgRrkzMmDvA/
gJpoLGf0xDtLTKZuo+LUJsi7ufihRANCAAR3kgvt6BE+xmcbVt4vS7kGCvGdyyUU
FS/NTQH1dB9jM9MdZlXyvb4k7mznpJ+p2nhT0CIBUaxT+q9ILkWwlfYQ
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUcKc4BbqilH9vZawFuchgWc6qTwAwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDE1MjAwM1oYDzIxMjYxMDMx
MTUyMDAzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAR3kgvt6BE+xmcbVt4vS7kGCvGdyyUUFS/NTQH1dB9jM9MdZlXyvb4k
7mznpJ+p2nhT0CIBUaxT+q9ILkWwlfYQo28wbTAdBgNVHQ4EFgQUdrbCcvuF/fPC
jJkswEsuLPRMOWUwHwYDVR0jBBgwFoAUdrbCcvuF/fPCjJkswEsuLPRMOWUwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSQAwRgIhAJTb3E/sZK6NsknmMc/cdOKYeeYFE6AkI5Ypik8R8Wg9AiEA
/qXMF6Ev2CnDNXKol7VIH4V81zlhp+It6jGDMQkXLbk=
-----END CERTIFICATE-----
"""
"""Of localhost, by itself, with its key."""


def echo(call: Call) -> Reply:
    return completion_reply(call, f"echo {call.body['messages'][-1]['content']}")


def ask(
    answer: Callable[[Call], Reply],
    prompts: list[Prompt] | None = None,
    sampling: Sampling | None = None,
    **options: Any,
) -> tuple[list[Completion], list[Call]]:
    """Ask a server that answers as ``answer`` says."""
    prompts = prompts or [PROMPT]
    with LoopbackServer(answer) as server:
        generator = OpenAIGenerator("m", [server.url], **{"api_key": "", "retry": QUICK, **options})
        try:
            return generator.generate(prompts, sampling or Sampling(), range(len(prompts))), server.calls
        finally:
            generator.close()


def failing_first(failures: int, failure: Reply) -> Callable[[Call], Reply]:
    return lambda call: failure if call.number < failures else echo(call)


def test_a_request_says_what_sampling_says() -> None:
    """Model, messages, length, temperature, seed, stop strings and schema are those asked for."""
    schema = {"type": "object"}
    sampling = Sampling(max_new_tokens=7, temperature=0.5, stop=("</a>", "", "b"), json_schema=schema)
    [completion], [call] = ask(echo, sampling=sampling, api_key="sk-1", extra_body={"top_p": 0.9, "model": None})
    assert completion == Completion("echo ask", prompt_tokens=2, completion_tokens=2)
    assert call.path == "/v1/chat/completions"
    assert call.headers["authorization"] == "Bearer sk-1"
    assert call.body == {
        "messages": [{"role": "system", "content": "rules"}, {"role": "user", "content": "ask"}],
        "max_tokens": 7,
        "temperature": 0.5,
        "seed": 0,
        "stop": ["</a>", "b"],
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}},
        "top_p": 0.9,
    }


def test_base_models_are_asked_for_completions() -> None:
    """The prompt is the plain text of both parts."""
    [completion], [call] = ask(lambda call: completion_reply(call, "and so on"), api="completions")
    assert (call.path, call.body["prompt"]) == ("/v1/completions", "rulesask")
    assert completion.text == "and so on"


def test_a_base_model_s_nothing_is_an_empty_answer() -> None:
    """Not the end of the whole batch."""
    nothing = Reply(b'{"choices": [{"text": null}]}')
    completions, _ = ask(lambda call: nothing, [PROMPT] * 2, api="completions")
    assert [completion.text for completion in completions] == ["", ""]


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """OPENAI_API_KEY is used unless a key, or an empty one, is given."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-environment")
    assert ask(echo, api_key=None)[1][0].headers["authorization"] == "Bearer sk-environment"
    assert "authorization" not in ask(echo, api_key="")[1][0].headers


def test_order_is_kept_and_calls_overlap() -> None:
    """Answers that come back in any order belong to their prompts, and all calls are in flight at once."""
    dice = random.Random(0)
    prompts = [Prompt("", f"number {index}") for index in range(100)]
    started = time.monotonic()
    answers, calls = ask(lambda call: completion_reply(call, call.text, delay=dice.uniform(0.2, 0.4)), prompts)
    assert [answer.text for answer in answers] == [prompt.user for prompt in prompts]
    assert time.monotonic() - started < 100 * 0.2, "calls must not wait for each other"
    assert len(calls) == 100


def test_concurrency_is_bounded_and_connections_are_reused() -> None:
    """Never more calls in flight than allowed, and no more connections either."""
    flying = Counter[str]()

    def slow(call: Call) -> Reply:
        flying["now"] += 1
        flying["most"] = max(flying["most"], flying["now"])
        asyncio.get_running_loop().call_later(0.01, flying.subtract, {"now": 1})
        return completion_reply(call, "x", delay=0.02)

    with LoopbackServer(slow) as server:
        generator = OpenAIGenerator("m", [server.url], max_concurrency=5, retry=QUICK)
        for _ in range(2):
            generator.generate([PROMPT] * 20, Sampling(), range(20))
        generator.close()
        assert flying["most"] <= 5
        assert server.connections <= 5


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503])
def test_passing_failures_are_tried_again(status: int) -> None:
    """A busy or stumbling server is asked again until it answers."""
    [completion], calls = ask(failing_first(2, Reply(b"busy", status)))
    assert completion.text == "echo ask"
    assert len(calls) == 3


def test_retry_after_is_respected() -> None:
    """A server that asks for a second of patience gets it, though the back-off would be shorter."""
    times: list[float] = []

    def busy_once(call: Call) -> Reply:
        times.append(time.monotonic())
        return Reply(b"slow down", 429, {"Retry-After": "1"}) if call.number == 0 else echo(call)

    assert ask(busy_once)[0][0].text == "echo ask"
    assert times[1] - times[0] >= 1.0


@pytest.mark.parametrize(
    "wish", ["0", "", "soon", "-3", format_datetime(datetime(2020, 1, 1, tzinfo=UTC), usegmt=True)]
)
def test_retry_after_may_ask_for_nothing(wish: str) -> None:
    """The past is now, and nonsense is no wish at all."""
    started = time.monotonic()
    [completion], calls = ask(failing_first(1, Reply(b"slow down", 429, {"Retry-After": wish})))
    assert completion.text == "echo ask" and len(calls) == 2
    assert time.monotonic() - started < 1.0


def test_retry_after_may_be_a_date() -> None:
    """An HTTP date is as good as seconds."""
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)
    started = time.monotonic()
    assert ask(failing_first(1, Reply(b"slow down", 429, {"Retry-After": date})))[0][0].text == "echo ask"
    assert time.monotonic() - started >= 1.0


def test_back_off_grows_within_its_bounds() -> None:
    """Half to all of the doubled delay, up to the bound; never earlier than the server asks, within reason."""
    policy, dice = RetryPolicy(first_delay=1.0, max_delay=8.0, max_retry_after=60.0), random.Random(0)
    for attempt, most in enumerate([1.0, 2.0, 4.0, 8.0, 8.0]):
        assert most / 2 <= policy.delay(attempt, None, dice) <= most
    assert 5.0 <= policy.delay(0, 5.0, dice) <= 5.5
    assert policy.delay(0, 9_999.0, dice) <= 66.0


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(b'{"error": {"message": "out of memory"}}', 500), "status 500: out of memory"),
        (Reply(b"<html>not JSON</html>"), "begins '<html>not JSON</html>'"),
        (Reply(b'{"choices": []}'), "not the protocol's"),
        (Reply(b'{"choices": [{"message": {"content": 5}}]}'), "no text but int"),
        (Reply(b"[1, 2]"), "not the protocol's"),
        (Reply(b"[" * 100_000, 500), "status 500"),
        (Reply(b"://" * 30_000, 500), "status 500"),
        (Reply(b"[" * 100_000), "not the protocol's"),
        (Reply(b'{"choices": [{"message": {}}], "usage": {"prompt_tokens": Infinity}}'), "not the protocol's"),
        (Reply(b'{"choices": "half of it"}', cut_after=9), "closed the connection"),
        (Reply(b"never sent", cut_after=0), "closed the connection"),
        (Reply(b"", delay=30.0), "no complete answer within 0.2 s"),
    ],
)
def test_a_server_that_stays_ill_is_an_error(reply: Reply, reason: str) -> None:
    """After all retries the message names the server, the attempts and the reason."""
    with pytest.raises(WorldModelError, match=r"4 attempts.*http://127\.0\.0\.1:\d+/v1") as caught:
        ask(lambda call: reply, timeout=0.2 if reply.delay else 30.0)
    assert reason in str(caught.value)


@pytest.mark.parametrize("servers", [1, 2])
def test_a_server_that_was_never_there_is_an_error_soon(servers: int) -> None:
    """A refused connection is tried again, but only a few times while no server was ever reached: a typo, probably."""
    urls = [f"http://127.0.0.1:{free_port()}/v1" for _ in range(servers)]
    generator = OpenAIGenerator("m", urls, retry=PATIENT)
    for _ in range(2):
        with pytest.raises(WorldModelError, match=r"No server .* reached in 4 attempts.*names its host and port"):
            generator.generate([PROMPT] * 3, Sampling(), range(3))
    generator.close()


@pytest.mark.parametrize("reply", [Reply(b"still loading", 503), Reply(b"", cut_after=0)])
def test_a_server_that_was_there_is_waited_for(reply: Reply) -> None:
    """Whatever it answered: it may be restarting."""
    with LoopbackServer(lambda call: reply) as server:
        generator = OpenAIGenerator("m", [f"http://127.0.0.1:{free_port()}/v1", server.url], retry=PATIENT)
        with pytest.raises(WorldModelError, match="10 attempts"):
            generator.generate([PROMPT], Sampling(), [0])
    with pytest.raises(WorldModelError, match="after 10 attempts"):
        generator.generate([PROMPT], Sampling(), [0])
    generator.close()


def test_the_last_of_many_servers_is_asked() -> None:
    """However many others are not there."""
    with LoopbackServer(echo) as server:
        urls = [*(f"http://127.0.0.1:{free_port()}/v1" for _ in range(6)), server.url]
        generator = OpenAIGenerator("m", urls, retry=PATIENT)
        assert generator.generate([PROMPT], Sampling(), [0])[0].text == "echo ask"
        generator.close()


def test_few_retries_stay_few() -> None:
    """A policy without retries has none for a server that is not there either."""
    generator = OpenAIGenerator("m", [f"http://127.0.0.1:{free_port()}/v1"], retry=RetryPolicy(max_retries=0))
    with pytest.raises(WorldModelError, match="reached in 1 attempt"):
        generator.generate([PROMPT], Sampling(), [0])
    generator.close()


def test_a_server_that_hangs_once_is_asked_again() -> None:
    """A call that is never answered is given up after the timeout and sent again."""
    [completion], calls = ask(failing_first(1, Reply(b"", delay=60.0)), timeout=1.5)
    assert completion.text == "echo ask"
    assert len(calls) == 2


def test_a_server_that_dies_in_the_middle_is_asked_again() -> None:
    """Half an answer is no answer."""
    [completion], calls = ask(failing_first(2, Reply(b'{"choices": [', cut_after=5)))
    assert completion.text == "echo ask"
    assert len(calls) == 3


def test_a_prompt_that_always_fails_does_not_take_the_others_along() -> None:
    """When the server answers others, the one gets an error and nothing is raised."""

    def allergic(call: Call) -> Reply:
        return Reply(b"boom", 500) if "bad" in call.text else echo(call)

    (good, bad, last), _ = ask(allergic, [Prompt("", "a"), Prompt("", "bad"), Prompt("", "b")])
    assert (good.text, last.text) == ("echo a", "echo b")
    assert "status 500: boom" in bad.error and not bad.text


def test_a_refused_prompt_is_its_own_error() -> None:
    """A prompt that is too long is not tried again."""

    def small(call: Call) -> Reply:
        if len(call.text) > 100:
            return Reply(b'{"error": {"message": "maximum context length is 100"}}', 400)
        return echo(call)

    (good, bad), calls = ask(small, [Prompt("", "a"), Prompt("", "a" * 200)])
    assert good.text == "echo a"
    assert "maximum context length is 100" in bad.error
    assert len(calls) == 2


@pytest.mark.parametrize(("status", "advice"), [(401, "OPENAI_API_KEY"), (403, "rights"), (404, "model's name")])
def test_a_wrong_key_or_model_is_an_error_at_once(status: int, advice: str) -> None:
    """What no retry can change is raised with what to do, and the key is not in the message."""
    reply = Reply(json.dumps({"error": {"message": "no: sk-very-secret"}}).encode(), status)
    with pytest.raises(WorldModelError, match=advice) as caught:
        ask(lambda call: reply, [PROMPT] * 5, api_key="sk-very-secret")
    assert "sk-very-secret" not in str(caught.value)
    assert "***" in str(caught.value)


def test_the_key_is_in_no_repr_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Not even where a server repeats it."""
    with caplog.at_level(logging.DEBUG), pytest.raises(WorldModelError) as caught:
        ask(lambda call: Reply(call.headers["authorization"].encode(), 500), api_key="sk-very-secret")
    generator = OpenAIGenerator("m", ["http://localhost:1/v1"], api_key="sk-very-secret")
    assert "secret" not in caplog.text + str(caught.value) + repr(generator) + repr(vars(generator))
    assert "attempt 1" in caplog.text


def test_a_shortened_message_shows_no_part_of_the_key() -> None:
    """Long answers of a failing server are cut, but never inside the key."""
    with pytest.raises(WorldModelError) as caught:
        ask(lambda call: Reply(b"sk-very-secret " * 100, 500), api_key="sk-very-secret")
    assert "sk-" not in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("spared", ["", "other.invalid,127.0.0.1"])
def test_the_environment_says_which_proxy_to_use(monkeypatch: pytest.MonkeyPatch, spared: str) -> None:
    """HTTP_PROXY and NO_PROXY are respected."""
    with LoopbackServer(echo) as proxy, LoopbackServer(echo) as direct:
        monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/v1"))
        monkeypatch.setenv("no_proxy", spared)
        generator = OpenAIGenerator("m", [direct.url], retry=QUICK)
        assert generator.generate([PROMPT], Sampling(), [0])[0].text == "echo ask"
        generator.close()
        if spared:
            assert (len(proxy.calls), len(direct.calls)) == (0, 1)
        else:
            assert proxy.calls[0].path == f"{direct.url}/chat/completions"
            assert not direct.calls


def test_a_redirect_names_its_target() -> None:
    """Redirects are not followed, for the key would go along."""
    with pytest.raises(WorldModelError, match=r"https://elsewhere/v1"):
        ask(lambda call: Reply(b"", 307, {"Location": "https://elsewhere/v1"}))


def test_a_huge_answer_is_not_read() -> None:
    """An answer beyond the bound is an error of its prompt; one within it is read whole."""
    sizes = {"small": 400_000, "huge": 1_200_000}
    (small, huge), calls = ask(
        lambda call: completion_reply(call, "x" * sizes[call.text]), [Prompt("", "small"), Prompt("", "huge")]
    )
    assert len(small.text) == 400_000
    assert "exceeds 1048576 bytes" in huge.error and not huge.text
    assert len(calls) == 2


def test_more_open_files_than_select_takes_are_no_hindrance() -> None:
    """Connections whose numbers are too high are looked at from time to time."""
    resource = pytest.importorskip("resource", reason="this system has no such limit")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2_000:
        pytest.skip("this system does not allow so many open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2_000), hard))
    prompts = [Prompt("", f"number {index}") for index in range(20)]
    with contextlib.ExitStack() as cleanup, LoopbackServer(echo) as server:
        cleanup.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        early = OpenAIGenerator("m", [server.url], retry=QUICK)
        early.generate(prompts[:1], Sampling(), [0])
        for _ in range(1_100):
            cleanup.callback(os.close, os.dup(0))
        late = OpenAIGenerator("m", [server.url], retry=QUICK)
        for generator in (early, late):
            answers = generator.generate(prompts, Sampling(), range(20))
            assert [answer.text for answer in answers] == [f"echo {prompt.user}" for prompt in prompts]
            generator.close()


def test_a_dead_server_among_several_is_avoided() -> None:
    """Its calls go to the others, and it is not asked again and again."""
    with LoopbackServer(echo) as first, LoopbackServer(echo) as second:
        urls = [first.url, f"http://127.0.0.1:{free_port()}/v1", second.url]
        generator = OpenAIGenerator("m", urls, retry=RetryPolicy(max_retries=2, first_delay=120.0, max_delay=120.0))
        started = time.monotonic()
        for _ in range(3):
            answers = generator.generate([PROMPT] * 30, Sampling(), range(30))
            assert [answer.text for answer in answers] == ["echo ask"] * 30
        assert time.monotonic() - started < 60.0, "no call may wait while a server is available"
        generator.close()
        assert len(first.calls) >= 30 and len(second.calls) >= 30


def test_a_server_that_comes_back_is_used_again() -> None:
    """After its rest one call probes it; when that succeeds it takes its share."""
    broken = [True]

    def unsteady(call: Call) -> Reply:
        return Reply(b"", 503) if broken[0] else completion_reply(call, "x", delay=0.01)

    with (
        LoopbackServer(unsteady) as first,
        LoopbackServer(lambda call: completion_reply(call, "x", delay=0.01)) as second,
    ):
        generator = OpenAIGenerator("m", [first.url, second.url], retry=RetryPolicy(first_delay=0.1))
        generator.generate([PROMPT] * 20, Sampling(), range(20))
        broken[0] = False
        before = len(first.calls)
        while len(first.calls) == before:  # the test's own timeout ends this if the server is never probed
            time.sleep(0.05)
            generator.generate([PROMPT], Sampling(), [0])
        before = len(first.calls)
        generator.generate([PROMPT] * 20, Sampling(), range(20))
        generator.close()
        assert len(first.calls) - before == 10


def test_servers_share_the_load() -> None:
    """Each gets about the same number of calls."""
    with LoopbackServer(echo) as first, LoopbackServer(echo) as second:
        generator = OpenAIGenerator("m", [first.url, second.url], retry=QUICK)
        generator.generate([PROMPT] * 40, Sampling(), range(40))
        generator.close()
        calls = len(first.calls), len(second.calls)
        assert sum(calls) == 40
        assert min(calls) >= 15, "which of them is free first is up to the machine"


def test_a_server_without_schemas_is_asked_without(caplog: pytest.LogCaptureFixture) -> None:
    """A refusal of response_format costs one call, is logged once and remembered."""

    def old(call: Call) -> Reply:
        return Reply(b"unknown field response_format", 400) if "response_format" in call.body else echo(call)

    sampling = Sampling(json_schema={"type": "object"})
    with LoopbackServer(old) as server:
        generator = OpenAIGenerator("m", [server.url], retry=QUICK)
        for _ in range(3):
            assert generator.generate([PROMPT], sampling, [0])[0].text == "echo ask"
        generator.close()
        assert len(server.calls) == 4
    assert caplog.text.count("refuses response_format") == 1
    assert "response_format" not in ask(echo, sampling=sampling, structured_output=False)[1][0].body


def test_a_bad_prompt_does_not_switch_schemas_off() -> None:
    """A 400 that stays without the schema says nothing of schemas."""

    def picky(call: Call) -> Reply:
        return Reply(b"too long", 400) if "bad" in call.text else echo(call)

    sampling = Sampling(json_schema={"type": "object"})
    with LoopbackServer(picky) as server:
        generator = OpenAIGenerator("m", [server.url], retry=QUICK)
        assert "too long" in generator.generate([Prompt("", "bad")], sampling, [0])[0].error
        generator.generate([PROMPT], sampling, [0])
        generator.close()
        assert "response_format" in server.calls[-1].body


def test_a_connection_that_the_server_closed_while_idle_costs_no_retry() -> None:
    """Servers close idle connections; the next call opens a new one at once."""
    with LoopbackServer(lambda call: Reply(echo(call).body, headers={"Connection": "close"})) as server:
        generator = OpenAIGenerator("m", [server.url], retry=RetryPolicy(max_retries=0))
        for _ in range(3):
            assert generator.generate([PROMPT], Sampling(), [0])[0].text == "echo ask"
        generator.close()


def test_a_request_that_crosses_the_end_of_its_connection_costs_no_retry() -> None:
    """A server that gives an idle connection up in the very moment is asked on a new one."""
    body = completion_reply(Call(0, "/chat/completions", {}, b'{"messages": []}'), "hello").body
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    def serve(listener: socket.socket) -> None:
        for _ in range(2):
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(raw)
                connection.recv(65_536)  # the next request, never answered

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=[listener], daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        generator = OpenAIGenerator("m", [url], retry=RetryPolicy(max_retries=0))
        for _ in range(2):
            assert generator.generate([PROMPT], Sampling(), [0])[0].text == "hello"
        generator.close()


def test_bodies_in_chunks_and_without_length_are_read() -> None:
    """The two other ways of HTTP/1.1 to end a body."""
    body = completion_reply(Call(0, "/chat/completions", {}, b'{"messages": []}'), "hello").body
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:])) + b"0\r\n\r\n"
    head = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"
    for raw in (head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks, head + b"\r\n" + body):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            serve_bytes(listener, raw)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
            generator = OpenAIGenerator("m", [url], retry=QUICK, timeout=5.0)
            assert generator.generate([PROMPT], Sampling(), [0])[0].text == "hello"
            generator.close()


def test_a_connection_that_never_stands_is_named_as_such() -> None:
    """The time to connect is bounded on its own, and the time of the whole call includes it."""
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # what a full queue does not take is not answered at all
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        for limits in ({"connect_timeout": 0.2}, {"timeout": 0.2}):
            generator = OpenAIGenerator("m", [url], retry=PATIENT, **limits)
            with pytest.raises(WorldModelError, match=r"reached in 4 attempts.*no connection within 0\.2 s"):
                generator.generate([PROMPT], Sampling(), [0])
            generator.close()


@pytest.mark.parametrize("trusted", [True, False])
def test_certificates_are_checked_against_those_that_python_trusts(
    trusted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE is respected, and a server that nobody vouches for is not sent the prompt."""
    certificate = tmp_path / "localhost.pem"
    certificate.write_text(CERTIFICATE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    body = completion_reply(Call(0, "/chat/completions", {}, b'{"messages": []}'), "hello").body

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65_536)
            secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=[listener], daemon=True).start()
        url = f"https://localhost:{listener.getsockname()[1]}/v1"
        generator = OpenAIGenerator("m", [url], retry=RetryPolicy(max_retries=0))
        if trusted:
            assert generator.generate([PROMPT], Sampling(), [0])[0].text == "hello"
        else:
            with pytest.raises(WorldModelError, match="certificate"):
                generator.generate([PROMPT], Sampling(), [0])
        generator.close()


def test_what_is_not_http_is_an_error() -> None:
    """Another kind of server on the port is named as such."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serve_bytes(listener, b"SSH-2.0-OpenSSH_9.2\r\n")
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        generator = OpenAIGenerator("m", [url], retry=RetryPolicy(max_retries=0))
        with pytest.raises(WorldModelError, match="not HTTP"):
            generator.generate([PROMPT], Sampling(), [0])
        generator.close()


def receive_all(stream: AnswerStream, count: int) -> dict[int, Completion]:
    """Wait for that many answers."""
    answers: dict[int, Completion] = {}
    while len(answers) < count:
        answers.update(stream.receive())
    return answers


def test_prompts_are_sent_while_others_are_being_built() -> None:
    """The server has the first prompts before the last one exists."""
    with LoopbackServer(echo) as server:
        generator = OpenAIGenerator("m", [server.url], retry=QUICK)
        assert isinstance(generator, StreamingGenerator)
        stream = generator.open()
        tickets = [stream.submit(Prompt("", text), Sampling(), 0) for text in ("first", "second")]
        while len(server.calls) < 2:  # the test's own timeout ends this if they are not sent
            time.sleep(0.01)
        tickets.append(stream.submit(Prompt("", "last"), Sampling(), 0))
        answers = receive_all(stream, 3)
        assert stream.receive() == []  # nothing is awaited any more
        stream.close()
        generator.close()
    assert [answers[ticket].text for ticket in tickets] == ["echo first", "echo second", "echo last"]


def test_answers_are_given_as_they_come() -> None:
    """The quick one first; what is not asked for any more is dropped, and leaves room for later calls."""
    with LoopbackServer(lambda call: completion_reply(call, call.text, delay=60.0 * call.text.count("slow"))) as server:
        generator = OpenAIGenerator("m", [server.url], max_concurrency=2, retry=QUICK)
        for _ in range(3):
            stream = generator.open()
            stream.submit(Prompt("", "slow"), Sampling(), 0)
            quick = stream.submit(Prompt("", "quick"), Sampling(), 1)
            ((ticket, completion),) = stream.receive()
            assert (ticket, completion.text) == (quick, "quick")
            assert stream.receive(timeout=0.01) == []
            stream.close()
            stream.close()
        generator.close()


def test_streams_of_one_generator_do_not_get_each_others_answers() -> None:
    """Nor does closing one end the other."""
    with LoopbackServer(echo) as server:
        generator = OpenAIGenerator("m", [server.url], retry=QUICK)
        one, other = generator.open(), generator.open()
        one.submit(Prompt("", "one"), Sampling(), 0)
        other.submit(Prompt("", "other"), Sampling(), 0)
        one.close()
        assert receive_all(other, 1)[0].text == "echo other"
        generator.close()


def test_a_prompt_that_is_given_up_is_its_own_fault_only_while_the_server_lives() -> None:
    """First others are answered after it was asked; then nothing is, and the stream ends with a sentence."""

    def answer(call: Call) -> Reply:
        return completion_reply(call, "well") if call.text == "good" else Reply(b"", status=500)

    with LoopbackServer(answer) as server:
        generator = OpenAIGenerator("m", [server.url], retry=RetryPolicy(max_retries=1, first_delay=0.01))
        stream = generator.open()
        bad = stream.submit(Prompt("", "bad"), Sampling(), 0)
        good = stream.submit(Prompt("", "good"), Sampling(), 0)
        answers = receive_all(stream, 2)
        assert answers[good].text == "well"
        assert "No answer for model m" in answers[bad].error
        stream.submit(Prompt("", "bad"), Sampling(), 0)
        with pytest.raises(WorldModelError, match="No answer for model m"):
            receive_all(stream, 1)
        with pytest.raises(WorldModelError, match="has ended"):
            stream.submit(PROMPT, Sampling(), 0)
        assert generator.open().receive() == []
        generator.close()


def test_many_threads_may_ask_at_once() -> None:
    """Each gets its own answers."""
    with LoopbackServer(echo) as server:
        generator = OpenAIGenerator("m", [server.url], max_concurrency=8, retry=QUICK)

        def ask_some(thread: int) -> list[str]:
            prompts = [Prompt("", f"{thread} {index}") for index in range(20)]
            return [answer.text for answer in generator.generate(prompts, Sampling(), range(20))]

        with ThreadPoolExecutor(8) as pool:
            for thread, texts in enumerate(pool.map(ask_some, range(8))):
                assert texts == [f"echo {thread} {index}" for index in range(20)]
        generator.close()


def test_closing_ends_the_calls_of_other_threads() -> None:
    """Nobody waits for ever."""
    with LoopbackServer(lambda call: Reply(b"", delay=60.0)) as server, ThreadPoolExecutor(1) as pool:
        generator = OpenAIGenerator("m", [server.url], retry=QUICK)
        asked = pool.submit(generator.generate, [PROMPT], Sampling(), [0])
        while not server.calls:
            time.sleep(0.01)
        generator.close()
        with pytest.raises(WorldModelError, match="closed"):
            asked.result()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system cannot interrupt a waiting thread")
def test_an_interrupted_caller_drops_its_calls() -> None:
    """Ctrl-C ends the wait, and the generator can be used again."""
    with LoopbackServer(lambda call: completion_reply(call, "x", delay=60.0 * (call.number == 0))) as server:
        generator = OpenAIGenerator("m", [server.url], max_concurrency=1, retry=QUICK)
        handler = signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        try:
            with pytest.raises(KeyboardInterrupt):
                generator.generate([PROMPT], Sampling(), [0])
        finally:
            signal.signal(signal.SIGALRM, handler)
        assert generator.generate([PROMPT], Sampling(), [0])[0].text == "x"
        generator.close()


def test_a_mistake_of_ours_ends_only_its_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller gets the error instead of waiting for ever, and the generator goes on."""
    from dreamgym_env.world_model.generators.openai import dispatch

    def fail(*_: Any) -> Completion:
        raise RuntimeError("a mistake")

    with LoopbackServer(echo) as server:
        generator = OpenAIGenerator("m", [server.url], retry=QUICK)
        with monkeypatch.context() as patch:
            patch.setattr(dispatch, "read_completion", fail)
            with pytest.raises(WorldModelError, match="could not be read: a mistake"):
                generator.generate([PROMPT] * 3, Sampling(), range(3))
        assert generator.generate([PROMPT], Sampling(), [0])[0].text == "echo ask"
        generator.close()


def test_at_least_one_call_must_be_allowed() -> None:
    """Otherwise nothing would ever be sent."""
    with pytest.raises(ValueError, match="max_concurrency"):
        OpenAIGenerator("m", ["http://localhost:1/v1"], max_concurrency=0)


def test_what_json_cannot_carry_is_an_error_of_the_caller() -> None:
    """A number as a key is fine, though, as in logit_bias."""
    with pytest.raises(TypeError):
        ask(echo, extra_body={"top_p": object()})
    assert ask(echo, extra_body={"logit_bias": {50256: -100}})[1][0].body["logit_bias"] == {"50256": -100}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_is_told_to_make_its_own() -> None:
    """Connections cannot be shared; the parent goes on."""
    with LoopbackServer(echo) as server:
        generator = OpenAIGenerator("m", [server.url], retry=QUICK)
        generator.generate([PROMPT], Sampling(), [0])
        child = os.fork()
        if child == 0:
            try:
                generator.generate([PROMPT], Sampling(), [0])
            except WorldModelError as error:
                os._exit(0 if "forked" in str(error) else 1)
            os._exit(2)
        assert os.waitpid(child, 0)[1] == 0
        assert generator.generate([PROMPT], Sampling(), [0])[0].text == "echo ask"
        generator.close()


def test_it_works_inside_a_running_event_loop() -> None:
    """As in a notebook."""

    async def notebook() -> list[Completion]:
        return ask(echo)[0]

    assert asyncio.run(notebook())[0].text == "echo ask"


@pytest.mark.parametrize(
    "urls",
    [
        [],
        "http://localhost:1/v1",
        ["localhost:8000"],
        ["ftp://host/v1"],
        ["http://user:word@host/v1"],
        ["http://:1/v1"],
    ],
)
def test_bad_urls_are_refused(urls: Any) -> None:
    """Before anything is sent, with an example of a good one; a password never shows in a message."""
    with pytest.raises(ValueError, match="URL") as caught:
        OpenAIGenerator("m", urls)
    assert "word" not in str(caught.value).replace("password", "")


def test_a_closed_generator_says_so() -> None:
    """Generating after close is an error, and threads end with it."""
    generator = OpenAIGenerator("m", ["http://localhost:1/v1"])
    generator.close()
    with pytest.raises(WorldModelError, match="closed"):
        generator.generate([PROMPT], Sampling(), [0])
    ask(echo)
    assert not [thread for thread in threading.enumerate() if thread.name == "dreamgym-openai"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def serve_bytes(listener: socket.socket, raw: bytes) -> None:
    """Answer one connection with ``raw`` and close it."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(raw)

    threading.Thread(target=serve, daemon=True).start()
