"""A rollout server as eval-protocol's users write one: calls with OpenAI's SDK, its log sent by eval-protocol's own handler."""

import logging
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from eval_protocol.log_utils.fireworks_tracing_http_handler import FireworksTracingHttpHandler
from eval_protocol.log_utils.rollout_id_filter import RolloutIdFilter
from eval_protocol.models import Status
from eval_protocol.types.remote_rollout_processor import InitRequest
from openai import APIError, OpenAI

DEADLINE = 60


class RolloutServer:
    """Serves `POST /init` on a free port: begins a rollout in a thread of its own and answers at once.

    Of the completion parameters it obeys `model`, `turns`, `stream`, and `afterwards`: the model of one more call, whose failure the
    rollout survives.
    """

    def __init__(self, gateway_url):
        self._log = logging.getLogger(f"rollouts.{uuid.uuid4().hex}")
        self._log.setLevel(logging.INFO)
        self._log.propagate = False
        self._log.addHandler(FireworksTracingHttpHandler(gateway_base_url=gateway_url))
        self._rollouts = []
        self._server = _Listener(("127.0.0.1", 0), _handler(self._begin))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        for thread in [self._thread, *self._rollouts]:
            thread.join(DEADLINE)
            assert not thread.is_alive()

    def _begin(self, request):
        self._rollouts.append(threading.Thread(target=self._run, args=[request], daemon=True))
        self._rollouts[-1].start()

    def _run(self, request):
        log = self._log.getChild(request.metadata.rollout_id)
        log.addFilter(RolloutIdFilter(request.metadata.rollout_id))
        run = {"run_id": request.metadata.run_id}
        log.info("begun", extra={"status": Status.rollout_running(), **run})
        try:
            with OpenAI(base_url=request.model_base_url, api_key=request.api_key, max_retries=0, timeout=DEADLINE) as client:
                messages = _converse(client, request)
                if model := request.completion_params.get("afterwards"):
                    assert _fails(client, model)
            log.warning("%d messages", len(messages))
            log.info("ended", extra={"status": Status.rollout_finished(), "extras": {"messages": len(messages)}, **run})
        except Exception as error:
            log.error("broken off", extra={"status": Status.rollout_internal_error(f"{type(error).__name__}: {error}")})


def _converse(client, request):
    """The whole conversation: after each answer come the results of the tools that it calls, or else the user's next message."""
    parameters = {"model": request.completion_params["model"], "stream": request.completion_params.get("stream", False)}
    if request.tools:
        parameters["tools"] = request.tools
    messages = [message.dump_mdoel_for_chat_completion_request() for message in request.messages]
    for turn in range(1, request.completion_params.get("turns", 1) + 1):
        if turn > 1:
            messages += _replies(messages[-1], f"turn {turn} of {request.metadata.row_id}")
        messages.append(_complete(client, messages=messages, **parameters))
    return messages


def _replies(answer, text):
    if "tool_calls" not in answer:
        return [{"role": "user", "content": text}]
    return [{"role": "tool", "tool_call_id": call["id"], "content": f"result of {call['id']}"} for call in answer["tool_calls"]]


def _complete(client, stream, **parameters):
    """The answered message as it goes into the next call."""
    if stream:
        with client.chat.completions.stream(**parameters) as events:
            message = events.get_final_completion().choices[0].message
    else:
        message = client.chat.completions.create(**parameters).choices[0].message
    plain = {"role": "assistant", "content": message.content}
    if message.tool_calls:
        calls = [(call.id, {"name": call.function.name, "arguments": call.function.arguments}) for call in message.tool_calls]
        plain["tool_calls"] = [{"id": id, "type": "function", "function": function} for id, function in calls]
    return plain


def _fails(client, model):
    try:
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": "this fails"}])
    except APIError:
        return True
    return False


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def _handler(begin):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            begin(InitRequest.model_validate_json(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    return Handler
