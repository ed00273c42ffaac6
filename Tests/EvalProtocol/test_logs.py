"""A rollout's log and status through eval-protocol's own logging handler and polling code."""

import asyncio
import logging
import uuid

import aiohttp
import pytest
from eval_protocol.adapters.fireworks_tracing import FireworksTracingAdapter
from eval_protocol.log_utils.fireworks_tracing_http_handler import FireworksTracingHttpHandler
from eval_protocol.models import Status


@pytest.fixture
def failures(monkeypatch):
    """What the handler could not send, which it would only print."""
    failed = []
    monkeypatch.setattr(FireworksTracingHttpHandler, "handleError", lambda self, record: failed.append(record))
    yield failed
    assert failed == []


def logger_to(url):
    logger = logging.getLogger(f"rollouts.{uuid.uuid4().hex}")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(FireworksTracingHttpHandler(gateway_base_url=url))
    return logger


def status_of(url, rollout):
    async def ask():
        async with aiohttp.ClientSession() as session:
            return await FireworksTracingAdapter(base_url=url).async_get_status(session, rollout_id=rollout)

    return asyncio.run(ask())


@pytest.mark.parametrize("project", ["", "/project_id/other-project"])
def test_a_rollout_is_polled_until_it_is_finished(gateway, rollout, failures, project):
    url = gateway.url + project
    logger = logger_to(url)
    assert status_of(url, rollout) == {"rollout_id": rollout, "status": None, "extras": None}

    logger.info("started", extra={"rollout_id": rollout, "status": Status.rollout_running()})
    assert status_of(url, rollout)["status"]["code"] == Status.Code.RUNNING
    logger.warning("no status", extra={"rollout_id": rollout, "experiment_id": "e1", "run_id": "u1"})
    assert status_of(url, rollout)["status"]["code"] == Status.Code.RUNNING
    details = [{"reason": "done", "score": 0.5}]
    finished = Status(code=Status.Code.FINISHED, message="all \"went\" well ✓", details=details)
    logger.info("finished", extra={"rollout_id": rollout, "status": finished, "extras": {"tokens": 7}})

    answer = status_of(url, rollout)
    assert answer["status"] == {"code": 100, "message": "all \"went\" well ✓", "details": details}
    assert answer["extras"]["tokens"] == 7


def test_the_log_is_searched_as_the_processor_does(gateway, rollout, failures):
    logger = logger_to(gateway.url)
    for number in range(5):
        logger.info("line %d", number, extra={"rollout_id": rollout, "run_id": f"run-{number % 2}"})
    logger.error("error", extra={"rollout_id": rollout, "status": Status(code=Status.Code.INTERNAL, message="broken")})
    adapter = FireworksTracingAdapter(base_url=gateway.url)

    entries = adapter.search_logs(tags=[f"rollout_id:{rollout}"])
    assert [entry["message"] for entry in entries] == ["error", *(f"line {number}" for number in reversed(range(5)))]
    assert (entries[0]["severity"], entries[0]["status"]["code"]) == ("ERROR", Status.Code.INTERNAL)
    assert all(f"rollout_id:{rollout}" in entry["tags"] and entry["timestamp"].endswith("Z") for entry in entries)
    assert [entry["message"] for entry in adapter.search_logs(tags=[f"rollout_id:{rollout}", "run_id:run-1"], limit=1)] == ["line 3"]
    assert adapter.search_logs(tags=["rollout_id:nobody"]) == []

    async def search():
        async with aiohttp.ClientSession() as session:
            return await adapter.async_search_logs(session, tags=[f"rollout_id:{rollout}"])

    assert asyncio.run(search()) == entries


def test_a_groups_line_is_in_the_log_of_each_rollout(gateway, rollout, failures):
    others = [f"{rollout}-{number}" for number in range(3)]
    logger_to(gateway.url).info("group", extra={"rollout_id": rollout, "rollout_ids": others, "status": Status.rollout_running()})
    for name in [rollout, *others]:
        assert status_of(gateway.url, name)["status"]["code"] == Status.Code.RUNNING


def test_another_project_sees_nothing_of_it(gateway, rollout, failures):
    logger_to(gateway.url).info("mine", extra={"rollout_id": rollout, "status": Status.rollout_running()})
    other = gateway.url + "/project_id/other-project"
    assert FireworksTracingAdapter(base_url=other).search_logs(tags=[f"rollout_id:{rollout}"]) == []
    assert status_of(other, rollout)["status"] is None
