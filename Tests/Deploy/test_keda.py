"""The overlay that scales forwarders: KEDA's documented fields, and that they fit the gateway."""

import copy
from pathlib import Path

import jsonschema
import pytest
import yaml

SCHEMA = yaml.safe_load((Path(__file__).parent / "keda.schema.yaml").read_text())


@pytest.fixture
def scaled(keda):
    return keda("ScaledObject", "forwarder")


def test_each_resource_has_the_documented_fields(keda):
    resources = [resource for resource in keda.all if resource["apiVersion"].startswith("keda.sh/")]
    assert {resource["kind"] for resource in resources} == {"ScaledObject", "TriggerAuthentication"}
    for resource in resources:
        jsonschema.validate(resource, SCHEMA)


@pytest.mark.parametrize("mistake", [{"lagcount": "5"}, {"lagCount": 5}, {"streamLength": "5"}, {"activationLagCount": "-1"}, {"address": "redis"}])
def test_a_mistake_in_a_trigger_is_refused(scaled, mistake):
    broken = copy.deepcopy(scaled)
    broken["spec"]["triggers"][0]["metadata"] |= mistake
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, SCHEMA)


def test_triggers_look_at_the_job_stream_and_its_group(scaled, keys):
    lag, length = (trigger["metadata"] for trigger in scaled["spec"]["triggers"])
    assert lag["stream"] == length["stream"] == keys["jobs"]
    assert lag["consumerGroup"] == keys["jobGroup"]


def test_triggers_ask_the_redis_of_the_base(scaled, keda):
    service = keda("Service", "redis")
    name, namespace, port = service["metadata"]["name"], service["metadata"]["namespace"], service["spec"]["ports"][0]["port"]
    for trigger in scaled["spec"]["triggers"]:
        assert trigger["metadata"]["address"] == f"{name}.{namespace}.svc.cluster.local:{port}"
        (reference,) = keda("TriggerAuthentication", trigger["authenticationRef"]["name"])["spec"]["secretTargetRef"]
        assert reference["key"] in keda("Secret", reference["name"])["data"]
    (rule,) = keda("NetworkPolicy", "keda-to-redis")["spec"]["ingress"]
    assert rule["from"][0]["namespaceSelector"] and rule["from"][0]["podSelector"], "one peer, not two"


def test_a_forwarder_is_added_before_the_others_are_full(scaled, keda):
    _, length = (trigger["metadata"] for trigger in scaled["spec"]["triggers"])
    assert int(length["streamLength"]) < int(keda.settings["FORWARDER_CONCURRENCY"])


def test_there_is_always_a_forwarder(scaled, keda):
    """Without one no ingress is ready, and no call comes that could wake it."""
    spec = scaled["spec"]
    assert 1 <= spec["minReplicaCount"] <= spec["fallback"]["replicas"] < spec["maxReplicaCount"]
    assert "idleReplicaCount" not in spec
    budget = keda("PodDisruptionBudget", "forwarder")["spec"]
    assert budget["maxUnavailable"] < spec["minReplicaCount"]


def test_the_number_of_forwarders_is_the_scalers_alone(scaled, keda, base):
    name = scaled["spec"]["scaleTargetRef"]["name"]
    assert "replicas" in base("Deployment", name)["spec"]
    assert "replicas" not in keda("Deployment", name)["spec"]
