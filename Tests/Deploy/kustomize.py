"""Renders the kustomizations of deploy/ as `kubectl kustomize` does, without kubectl.

It knows what these use: resources, namespace, labels, images, generators of ConfigMaps and Secrets (without the hash in their names), and patches that remove
a resource or change one by JSON Patch. Anything else is an error, so that nothing is passed over. test_kubernetes.py compares it with kubectl where there is one.
"""

import base64
from pathlib import Path

import yaml

KNOWN = {"apiVersion", "kind", "namespace", "labels", "resources", "images", "configMapGenerator", "secretGenerator", "patches"}


def render(folder):
    """The resources of a folder's kustomization, in no particular order."""
    folder = Path(folder)
    plan = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert not plan.keys() - KNOWN, f"{folder}: the renderer of the tests does not know {plan.keys() - KNOWN}"
    resources = [resource for path in plan.get("resources", []) for resource in _resources(folder / path)]
    for kind, entries in [("ConfigMap", "configMapGenerator"), ("Secret", "secretGenerator")]:
        for entry in plan.get(entries, []):
            _generate(resources, kind, entry, folder)
    for patch in plan.get("patches", []):
        _patch(resources, patch)
    for resource in resources:
        if plan.get("namespace") and resource["kind"] != "Namespace":
            resource["metadata"]["namespace"] = plan["namespace"]
        for labels in plan.get("labels", []):
            assert labels.keys() == {"pairs"}, f"{folder}: the renderer of the tests knows only `pairs` of labels"
            resource["metadata"].setdefault("labels", {}).update(labels["pairs"])
        for image in plan.get("images", []):
            _name(image, resource)
    return resources


def _resources(path):
    if path.is_dir():
        return render(path)
    return [resource for resource in yaml.safe_load_all(path.read_text()) if resource]


def _find(resources, kind, name):
    return next((resource for resource in resources if (resource["kind"], resource["metadata"]["name"]) == (kind, name)), None)


def _generate(resources, kind, entry, folder):
    assert not entry.keys() - {"name", "behavior", "envs", "files", "literals", "options"}, f"{folder}: the renderer of the tests does not know {entry}"
    values = dict(literal.split("=", 1) for literal in entry.get("literals", []))
    for path in entry.get("envs", []):
        lines = (line for line in (folder / path).read_text().splitlines() if line and not line.startswith("#"))
        values.update(line.split("=", 1) for line in lines)
    for file in entry.get("files", []):
        key, _, path = file.rpartition("=")
        values[key or Path(path).name] = (folder / path).read_text()
    if kind == "Secret":
        values = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    existing = _find(resources, kind, entry["name"])
    match entry.get("behavior", "create"):
        case "create":
            assert not existing, f"{folder}: there are two of {kind} {entry['name']}"
            resource = {"apiVersion": "v1", "kind": kind, "metadata": {"name": entry["name"]}, "data": values}
            resources.append({**resource, "type": "Opaque"} if kind == "Secret" else resource)
        case "replace":
            existing["data"] = values
        case "merge":
            existing["data"] |= values


def _patch(resources, patch):
    change = yaml.safe_load(patch["patch"])
    if isinstance(change, dict):
        assert change.get("$patch") == "delete", "the renderer of the tests knows no strategic merge but `$patch: delete`"
        resources.remove(_find(resources, change["kind"], change["metadata"]["name"]))
        return
    target = _find(resources, patch["target"]["kind"], patch["target"]["name"])
    for step in change:
        *way, last = step["path"].strip("/").split("/")
        place = target
        for word in way:
            place = place[int(word) if isinstance(place, list) else word]
        last = int(last) if isinstance(place, list) else last
        match step["op"]:
            case "remove":
                del place[last]
            case "replace" | "add":
                place[last] = step["value"]


def _name(image, resource):
    for pod in pods([resource]):
        for container in containers(pod):
            name, _, tag = container["image"].partition(":")
            if name == image["name"]:
                container["image"] = f"{image.get('newName', name)}:{image.get('newTag', tag)}"


def pods(resources):
    """The pod templates' specifications of workloads."""
    return [resource["spec"]["template"]["spec"] for resource in resources if resource["kind"] in ["Deployment", "StatefulSet"]]


def containers(pod):
    return [*pod["containers"], *pod.get("initContainers", [])]
