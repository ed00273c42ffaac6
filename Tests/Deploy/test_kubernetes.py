"""The manifests of deploy/kubernetes: their form, and what a cluster must find in them."""

import json
import re
import shutil
import subprocess

import kubernetes_validate
import pytest
import yaml
from conftest import BASE, KEDA, ROOT
from kustomize import containers, pods

PARTS = ["ingress", "forwarder", "verifier", "tracestore"]
# The oldest Kubernetes whose forms are kept to, and the newest that the validator knows.
VERSIONS = ["1.29", kubernetes_validate.latest_version()]


@pytest.mark.parametrize("version", VERSIONS)
def test_each_manifest_has_the_form_of_its_kind(keda, version):
    for resource in keda.all:
        if not resource["apiVersion"].startswith("keda.sh/"):
            kubernetes_validate.validate(resource, version, strict=True)


def test_the_validator_refuses_an_unknown_member(base):
    resource = json.loads(json.dumps(base("Deployment", "ingress")))
    resource["spec"]["template"]["spec"]["terminationGracePeriod"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(resource, VERSIONS[0], strict=True)


@pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl on this machine")
@pytest.mark.parametrize("folder", [BASE, KEDA], ids=["base", "keda"])
def test_kubectl_renders_the_same(folder, base, keda):
    text = subprocess.run(["kubectl", "kustomize", folder], check=True, capture_output=True, text=True, timeout=60).stdout
    # The hash that kustomize adds to the name of `settings`.
    theirs = list(yaml.safe_load_all(re.sub(r"\bsettings-[0-9a-z]{10}\b", "settings", text)))
    for resource in theirs:
        if resource["kind"] == "Secret":
            resource["data"] = {key: value.replace("\n", "") for key, value in resource["data"].items()}
    assert by_name(theirs) == by_name((base if folder == BASE else keda).all)


def test_each_part_runs_as_a_user_without_rights(base):
    for pod in pods(base.all):
        security = pod["securityContext"]
        assert security["runAsNonRoot"] and security["runAsUser"] > 0
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        for container in containers(pod):
            own = container["securityContext"]
            assert own == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
            resources = container["resources"]
            assert {"cpu", "memory"} <= resources["requests"].keys() and "memory" in resources["limits"]
            assert size(resources["requests"]["memory"]) <= size(resources["limits"]["memory"])


def test_the_gateway_runs_as_the_user_of_its_image(base):
    user = int(re.search(r"useradd --uid (\d+)", (ROOT / "Dockerfile").read_text()).group(1))
    for part in PARTS:
        assert pod_of(base, part)["securityContext"]["runAsUser"] == user


def test_the_image_has_the_version_of_the_gateway(base):
    version = re.search(r'current = "([^"]+)"', (ROOT / "Sources/Common/Configuration/GatewayVersion.swift").read_text()).group(1)
    assert {container_of(base, part)["image"] for part in PARTS} == {f"metadata-gateway:{version}"}


def test_redis_is_the_one_of_compose(base):
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert container_of(base, "redis")["image"] == compose["services"]["redis"]["image"]


def test_each_container_is_probed_and_mounts_what_there_is(base):
    for pod in pods(base.all):
        volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
        (container,) = pod["containers"]
        assert "readinessProbe" in container, container["name"]
        if container.get("ports"):
            assert "livenessProbe" in container, container["name"]
        claims = {claim["metadata"]["name"] for each in base.of("StatefulSet") for claim in each["spec"]["volumeClaimTemplates"]}
        assert {mount["name"] for mount in container.get("volumeMounts", [])} <= volumes.keys() | claims
        for volume in volumes.values():
            if "secret" in volume:
                base("Secret", volume["secret"]["secretName"])
            if "configMap" in volume:
                base("ConfigMap", volume["configMap"]["name"])


def test_probes_ask_routes_that_there_are(base):
    ingress, store = container_of(base, "ingress"), container_of(base, "tracestore")
    assert ingress["livenessProbe"]["httpGet"]["path"] == "/health"
    assert ingress["readinessProbe"]["httpGet"]["path"] == "/ready"
    for part in ["forwarder", "verifier"]:
        assert container_of(base, part)["livenessProbe"]["httpGet"] == {"path": "/health", "port": "metrics"}
    assert 'case "/health":' in (ROOT / "Sources/MetricsServing/MetricsServer.swift").read_text()
    routes = (ROOT / "Sources/Ingress/Routing/GatewayRoutes.swift").read_text()
    assert '.open(.get, "/health")' in routes and '.open(.get, "/ready")' in routes
    routes = (ROOT / "Sources/TraceStore/Routes/TraceStoreResponder+table.swift").read_text()
    assert f'.open(.get, "{store["readinessProbe"]["httpGet"]["path"]}"' in routes


def test_ports_match(base):
    assert port_of(base, "ingress") == int(variables(base, "ingress")["PORT"])
    assert port_of(base, "tracestore") == int(variables(base, "tracestore")["TRACESTORE_PORT"])
    assert port_of(base, "redis") == int(base.settings["REDIS_PORT"])
    for service in base.of("Service"):
        workload = service["spec"]["selector"]["app.kubernetes.io/name"]
        names = {port["name"] for port in container_of(base, workload)["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= names
    assert base.settings["REDIS_HOST"] == base("Service", "redis")["metadata"]["name"]
    store = base("Service", "tracestore")
    (port,) = store["spec"]["ports"]
    assert base.settings["LANGFUSE_HOST"] == f"http://{store['metadata']['name']}:{port['port']}"
    for workload in base.of("StatefulSet"):
        base("Service", workload["spec"]["serviceName"])


def test_a_pod_is_given_the_time_to_drain(base):
    """DRAIN_SECONDS and 15 s (docs/operations.md, "Stopping"), behind what preStop takes; and no call is longer than the drain."""
    drain = float(base.settings["DRAIN_SECONDS"])
    assert drain > float(base.settings["REQUEST_TIMEOUT"])
    for part in PARTS:
        stop = container_of(base, part).get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["sleep", "0"])
        assert stop[0] == "sleep"
        assert pod_of(base, part)["terminationGracePeriodSeconds"] >= drain + float(stop[1]) + 15


def test_an_eviction_takes_one_pod_at_a_time(base):
    for part in ["ingress", "forwarder", "verifier"]:
        budget, workload = base("PodDisruptionBudget", part), base("Deployment", part)
        assert budget["spec"]["selector"] == workload["spec"]["selector"]
        assert budget["spec"]["maxUnavailable"] < workload["spec"]["replicas"]


def test_selectors_find_their_pods(base):
    for workload in base.workloads:
        labels = workload["spec"]["template"]["metadata"]["labels"]
        assert workload["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_an_ordered_apply_reaches_each_resource(keda):
    """docs/operations.md, "Upgrades": first what has no label, then each part by its label."""
    section = (ROOT / "docs/operations.md").read_text().partition("\n### Upgrades\n")[2].partition("\n### ")[0]
    order = re.findall(r"^part (\w+) && ready (\w+)/(\w+)", section, re.MULTILINE)
    assert [part for part, _, _ in order] == ["redis", "tracestore", "forwarder", "verifier", "ingress"]
    label = "app.kubernetes.io/name"
    assert f"--selector '!{label}'" in section and f'--selector "{label}=$1"' in section
    labelled = {each["metadata"]["labels"][label] for each in keda.all if label in each["metadata"].get("labels", {})}
    assert labelled == {part for part, _, _ in order}
    for part, kind, name in order:
        (workload,) = [each for each in keda.workloads if each["metadata"]["labels"][label] == part]
        assert (workload["kind"].lower(), workload["metadata"]["name"]) == (kind, name)
    # What pods need before they start, and what no step by a label would bring.
    for kind in ["Namespace", "ConfigMap", "Secret", "NetworkPolicy"]:
        assert keda.of(kind) and not any(label in each["metadata"].get("labels", {}) for each in keda.of(kind))


def test_redis_keeps_its_data_and_never_evicts(base):
    container = container_of(base, "redis")
    script = container["command"][-1]
    for word in ["--appendonly yes", "--maxmemory-policy noeviction", "requirepass $REDIS_PASSWORD"]:
        assert word in script
    memory = size(re.search(r"--maxmemory (\S+)", script).group(1))
    names = ["QUEUE_BYTES", "OUTBOX_BYTES", "REQUEST_LOG_BYTES", "KEPT_BYTES"]
    queue, outbox, log, kept = (size(base.settings[name]) for name in names)
    assert queue + 2 * outbox + log + kept < memory < size(container["resources"]["limits"]["memory"])
    assert storage(base, "redis") >= 3 * memory


def test_the_trace_store_has_room_for_its_bound(base):
    assert storage(base, "tracestore") > size(base.settings["TRACESTORE_MAX_BYTES"])
    assert base("StatefulSet", "tracestore")["spec"]["replicas"] == 1


def test_only_the_ingress_is_reached_from_outside(base):
    policies = base.of("NetworkPolicy")
    closed = base("NetworkPolicy", "nothing-else")["spec"]
    assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    let_in = {}
    for policy in policies:
        if policy["metadata"]["name"] == "metrics":
            continue
        for rule in policy["spec"].get("ingress", []):
            (port,) = rule["ports"]
            for name in selected(policy["spec"]["podSelector"]):
                let_in[name] = {each for peer in rule.get("from", []) for each in selected(peer["podSelector"])} or "all"
                assert port["port"] in {each["name"] for each in container_of(base, name)["ports"]}
    assert let_in == {"ingress": "all", "redis": {*PARTS}, "tracestore": {"forwarder", "verifier"}}


def test_prometheus_reads_the_metrics_of_each_part_and_nothing_else(base):
    policy = base("NetworkPolicy", "metrics")["spec"]
    assert selected(policy["podSelector"]) == {*PARTS}
    (rule,) = policy["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": "metrics"}]
    (peer,) = rule["from"]
    assert peer == {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    port = base.settings["METRICS_PORT"]
    for part in PARTS:
        assert port_of(base, part, "metrics") == int(port)
        (workload,) = [each for each in base.workloads if each["metadata"]["name"] == part]
        annotations = workload["spec"]["template"]["metadata"]["annotations"]
        assert annotations == {"prometheus.io/scrape": "true", "prometheus.io/port": port, "prometheus.io/path": "/metrics"}


def test_only_forwarder_and_verifier_reach_the_internet(base):
    reaching = set()
    for policy in base.of("NetworkPolicy"):
        for rule in policy["spec"].get("egress", []):
            for peer in rule["to"]:
                if "ipBlock" in peer:
                    reaching |= selected(policy["spec"]["podSelector"])
                    if peer["ipBlock"]["cidr"] == "0.0.0.0/0":
                        assert {"10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"} <= set(peer["ipBlock"]["except"])
                else:
                    assert {port["port"] for port in rule["ports"]} <= {53, port_of(base, "redis"), port_of(base, "tracestore")}
    assert reaching == {"forwarder", "verifier"}


def test_each_policy_is_for_pods_that_there_are(keda):
    names = {workload["metadata"]["name"] for workload in keda.workloads}
    for policy in keda.of("NetworkPolicy"):
        assert selected(policy["spec"]["podSelector"]) <= names


def by_name(resources):
    return {(resource["kind"], resource["metadata"]["name"]): resource for resource in resources}


def selected(selector):
    """The workloads that a selector of pods chooses by their name."""
    names = {value for key, value in selector.get("matchLabels", {}).items() if key == "app.kubernetes.io/name"}
    return names | {name for each in selector.get("matchExpressions", []) for name in each["values"]}


def pod_of(manifests, name):
    (workload,) = [each for each in manifests.workloads if each["metadata"]["name"] == name]
    return workload["spec"]["template"]["spec"]


def container_of(manifests, name):
    (container,) = pod_of(manifests, name)["containers"]
    return container


def variables(manifests, name):
    return {each["name"]: each.get("value") for each in container_of(manifests, name).get("env", [])}


def port_of(manifests, name, port=None):
    """The port of a container by its name; without one the port that is not for metrics."""
    (found,) = [each for each in container_of(manifests, name)["ports"] if (each["name"] == port if port else each["name"] != "metrics")]
    return found["containerPort"]


def storage(manifests, name):
    (claim,) = manifests("StatefulSet", name)["spec"]["volumeClaimTemplates"]
    return size(claim["spec"]["resources"]["requests"]["storage"])


def size(text):
    """The bytes of a quantity of Kubernetes, Redis or the gateway."""
    number, unit = re.fullmatch(r"(\d+)\s*([A-Za-z]*)", str(text)).groups()
    return int(number) * 1024 ** {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}[unit[:1].lower()]
