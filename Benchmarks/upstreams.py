"""The two upstreams: nginx with a fixed answer at once, and paced_upstream.py, which takes its time."""

import json
import sys
from pathlib import Path

from processes import ask, free_port, wait_until

MESSAGE = {"role": "assistant", "content": "A short answer, as of a judge. " * 6}
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": MESSAGE, "logprobs": None, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 30, "total_tokens": 40},
}

NGINX = """
daemon off; worker_processes {workers}; pid nginx.pid; error_log stderr; worker_rlimit_nofile 20000;
events {{ worker_connections 9000; }}
http {{
    access_log off; keepalive_timeout 600; keepalive_requests 1000000000; client_max_body_size 0; client_body_buffer_size 1m;
    client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp; uwsgi_temp_path temp; scgi_temp_path temp;
    {http}
}}
"""


def start_nginx(workshop, role, workers, http):
    configuration = workshop.write(f"{role}.conf", NGINX.format(workers=workers, http=http))
    return workshop.start(role, ["nginx", "-p", workshop.directory, "-e", "stderr", "-c", configuration])


class Upstream:
    def __init__(self, child, port):
        self.child = child
        self.port = port
        wait_until(lambda: ask(port, "GET", "/health"), child, "answered")


def instant(workshop):
    """Answers about 0.4 KB to every request at once."""
    port = free_port()
    answer = json.dumps(ANSWER, separators=(",", ":"))
    location = f"location / {{ default_type application/json; return 200 '{answer}'; }}"
    child = start_nginx(workshop, "upstream", 1, f"server {{ listen 127.0.0.1:{port} backlog=4096; {location} }}")
    return Upstream(child, port)


def paced(workshop, *arguments):
    """Answers after a while, or in a paced stream; see paced_upstream.py."""
    port = free_port()
    program = Path(__file__).parent / "paced_upstream.py"
    child = workshop.start("upstream", [sys.executable, "-B", program, "--port", port, *arguments])
    return Upstream(child, port)
