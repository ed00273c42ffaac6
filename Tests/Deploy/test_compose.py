"""docker-compose.yml is a file of Compose v2, by the Compose specification."""

import re

import compose_spec
import pytest
import yaml
from conftest import ROOT

TEXT = (ROOT / "docker-compose.yml").read_text()
PARTS = ["ingress", "forwarder", "verifier"]
GRAFANA = ROOT / "deploy/grafana/provisioning"


def interpolate(text, variables):
    """`${NAME}`, `${NAME:-default}`, `${NAME:?message}` and `$$`, as Compose reads them."""

    def value(match):
        name, form, rest = match.groups()
        if name is None:
            return "$"
        if not variables.get(name) and form == "?":
            raise ValueError(f"{name}: {rest}")
        return variables.get(name) or rest or ""

    return re.sub(r"\$\$|\$\{([A-Z_]+)(?::([-?])([^}]*))?\}", value, text)


def read(text):
    compose = compose_spec.PyOptions(apply_merge=True).from_yaml(text)
    compose.validate()
    compose.to_spec()
    return compose


@pytest.fixture(scope="module")
def compose():
    text = interpolate(TEXT, {"GATEWAY_KEY": "a-key", "REDIS_PASSWORD": "a-password"})
    read(text)
    return yaml.safe_load(text)


@pytest.mark.parametrize(("right", "wrong"), [("profiles: [monitoring]", "profile: [monitoring]"), ("restart: unless-stopped", "restart: perhaps")])
def test_a_mistake_is_refused(right, wrong):
    assert right in TEXT
    text = interpolate(TEXT, {"GATEWAY_KEY": "a-key", "REDIS_PASSWORD": "a-password"})
    with pytest.raises(ValueError):
        read(text.replace(right, wrong))


@pytest.mark.parametrize(("missing", "what"), [("GATEWAY_KEY", "key"), ("REDIS_PASSWORD", "password")])
def test_a_secret_that_is_not_set_asks_for_the_one_in_use(missing, what):
    """A second key or password would lock the parts out of what is in Redis."""
    others = {"GATEWAY_KEY": "a-key", "REDIS_PASSWORD": "a-password"} | {missing: ""}
    with pytest.raises(ValueError, match=f"{missing}: use the deployment's {what}; only for a first start make one with: openssl"):
        interpolate(TEXT, others)


def test_it_is_of_version_2(compose):
    assert "version" not in compose, "obsolete in the Compose specification"
    assert "docker-compose up" not in TEXT


def test_without_a_profile_only_the_gateway_and_its_redis_start(compose):
    by_profile = {name: service.get("profiles", []) for name, service in compose["services"].items()}
    assert by_profile == {**{name: [] for name in [*PARTS, "redis"]}, "prometheus": ["monitoring"], "grafana": ["monitoring"]}


def test_no_port_is_open_to_other_machines(compose):
    for service in compose["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_parts_run_without_rights_and_are_given_the_time_to_drain(compose):
    drain = float(re.search(r"\| `DRAIN_SECONDS` \| `(\d+)`", (ROOT / "docs/configuration.md").read_text()).group(1))
    for part in PARTS:
        service = compose["services"][part]
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
        assert float(service["stop_grace_period"].removesuffix("s")) >= drain + 15
        assert service["depends_on"] == {"redis": {"condition": "service_healthy"}}
        assert "DRAIN_SECONDS" not in service["environment"]


def test_what_is_named_is_there(compose):
    services, volumes = compose["services"], compose["volumes"]
    for service in services.values():
        assert set(service.get("depends_on", [])) <= services.keys()
        assert set(service.get("secrets", [])) <= compose["secrets"].keys()
        for source, _, _ in (volume.partition(":") for volume in service.get("volumes", [])):
            assert source in volumes or source.startswith("./deploy/")


@pytest.mark.parametrize("path", sorted({*re.findall(r"- \./(deploy/[^:]+):", TEXT)} - {"deploy/grafana/provisioning"}))
def test_files_of_the_project_are_there(path):
    assert (ROOT / path).exists()


def test_grafana_finds_prometheus_and_its_dashboard(compose):
    (source,) = yaml.safe_load((GRAFANA / "datasources/prometheus.yaml").read_text())["datasources"]
    host, port = source["url"].removeprefix("http://").split(":")
    assert compose["services"][host]["ports"][0].endswith(f":{port}")
    (provider,) = yaml.safe_load((GRAFANA / "dashboards/metadata-gateway.yaml").read_text())["providers"]
    folders = [volume.split(":")[1].rpartition("/")[0] for volume in compose["services"]["grafana"]["volumes"]]
    assert provider["options"]["path"] in folders
