"""An evaluation that has its rollouts made through eval-protocol's RemoteRolloutProcessor, as `@evaluation_test` does."""

import asyncio
import uuid

from eval_protocol.models import EvaluationRow, ExecutionMetadata, InputMetadata, Message
from eval_protocol.pytest.remote_rollout_processor import RemoteRolloutProcessor
from eval_protocol.pytest.types import RolloutProcessorConfig


def dataset(count, tools=None):
    """Rows with ids that no other test uses, and each with messages of its own."""
    run = uuid.uuid4().hex
    return [
        EvaluationRow(
            messages=[Message(role="system", content="Be \"brief\".\n✓"), Message(role="user", content=f"question {number} – {run}")],
            tools=tools,
            input_metadata=InputMetadata(row_id=f"row-{number}"),
            execution_metadata=ExecutionMetadata(
                rollout_id=f"rollout-{run}-{number}", invocation_id=f"inv-{run}", experiment_id=f"exp-{run}", run_id=f"run-{run}"
            ),
        )
        for number in range(count)
    ]


def evaluate(gateway_url, server_url, rows, **completion_params):
    """Has all rollouts made at once, each into its row; gives each row's error, or None."""

    async def run():
        processor = RemoteRolloutProcessor(remote_base_url=server_url, model_base_url=gateway_url, poll_interval=0.2, timeout_seconds=60)
        config = RolloutProcessorConfig(completion_params=completion_params, mcp_config_path="", semaphore=asyncio.Semaphore(len(rows)))
        try:
            return await asyncio.gather(*processor(rows, config), return_exceptions=True)
        finally:
            await processor.acleanup()

    return [result if isinstance(result, BaseException) else None for result in asyncio.run(run())]


def plain(message):
    """What a call of OpenAI's API holds of the message."""
    return message.dump_mdoel_for_chat_completion_request()
