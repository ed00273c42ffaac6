"""Completions through LiteLLM as a library, whose `langfuse_otel` callback exports them to the store that the environment names."""

import sys

import litellm
from litellm.litellm_core_utils.thread_pool_executor import executor

litellm.callbacks = ["langfuse_otel"]
for number in range(3):
    litellm.completion(
        model="openai/m1",
        messages=[{"role": "user", "content": f"question {number}"}],
        mock_response=f"answer {number}",
        metadata={"tags": [f"rollout_id:{sys.argv[1]}", f"row_id:a,{number}"]},
    )

# The callbacks run on these threads; what they have begun is exported when the process ends.
executor.shutdown(wait=True)
