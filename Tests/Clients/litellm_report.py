"""A callback of the LiteLLM proxy under test: posts what the proxy itself understood of each successful call to REPORT_URL."""

import json
import os
import urllib.request

from litellm.integrations.custom_logger import CustomLogger


class Report(CustomLogger):
    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        metadata = kwargs.get("litellm_params", {}).get("metadata") or {}
        body = json.dumps({"model": "litellm-report", "of": kwargs.get("model"), "tags": metadata.get("tags")}).encode()
        request = urllib.request.Request(os.environ["REPORT_URL"], body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=10).close()


report = Report()
