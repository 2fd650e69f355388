"""What a Python program does with a cluster: the official client, nothing else. Prints one JSON object of what it saw."""
import json
import sys
import tempfile
import threading

from kubernetes import client, config, dynamic, utils, watch
from kubernetes.client.rest import ApiException

config.load_kube_config(config_file=sys.argv[1])
api_client = client.ApiClient()
core = client.CoreV1Api(api_client)
apps = client.AppsV1Api(api_client)
batch = client.BatchV1Api(api_client)
rbac = client.RbacAuthorizationV1Api(api_client)
seen = {}


def refused(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except ApiException as error:
        return {"code": error.status, "reason": json.loads(error.body)["reason"]}
    raise AssertionError("nothing was refused")


# Objects there and back, through every model class on the way.
core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name="snakes")))
made = core.create_namespaced_config_map("snakes", client.V1ConfigMap(metadata=client.V1ObjectMeta(name="one", labels={"set": "x"}), data={"a": "1"}))
seen["created at"] = made.metadata.creation_timestamp.tzinfo is not None
made.data["a"] = "2"
seen["replaced"] = core.replace_namespaced_config_map("one", "snakes", made).data
seen["conflict"] = refused(core.replace_namespaced_config_map, "one", "snakes", made)
seen["patched"] = core.patch_namespaced_config_map("one", "snakes", {"data": {"b": "3"}}).data
seen["missing"] = refused(core.read_namespaced_config_map, "two", "snakes")
seen["twice"] = refused(core.create_namespaced_config_map, "snakes", client.V1ConfigMap(metadata=client.V1ObjectMeta(name="one")))

# A deployment with its status and scale.
labels = {"app": "python"}
template = client.V1PodTemplateSpec(
    metadata=client.V1ObjectMeta(labels=labels),
    spec=client.V1PodSpec(containers=[client.V1Container(
        name="c", image="python:3", ports=[client.V1ContainerPort(container_port=80)],
        resources=client.V1ResourceRequirements(requests={"cpu": "10m"}),
        liveness_probe=client.V1Probe(http_get=client.V1HTTPGetAction(path="/", port=80)))]))
apps.create_namespaced_deployment("snakes", client.V1Deployment(
    metadata=client.V1ObjectMeta(name="web"),
    spec=client.V1DeploymentSpec(replicas=1, selector=client.V1LabelSelector(match_labels=labels), template=template)))
for event in watch.Watch().stream(apps.list_namespaced_deployment, "snakes", timeout_seconds=30):
    if (event["object"].status.ready_replicas or 0) == 1:
        seen["ready"] = event["type"]
        break
apps.patch_namespaced_deployment_scale("web", "snakes", {"spec": {"replicas": 3}})
seen["scale"] = apps.read_namespaced_deployment_scale("web", "snakes").spec.replicas
seen["pods"] = len(core.list_namespaced_pod("snakes", label_selector="app=python", field_selector="status.phase!=Failed").items) >= 1

# A watch that is told what happens while it listens.
told = []
version = core.list_namespaced_config_map("snakes").metadata.resource_version
def listen():
    for event in watch.Watch().stream(core.list_namespaced_config_map, "snakes", resource_version=version, timeout_seconds=30):
        told.append([event["type"], event["object"].metadata.name])
        if event["type"] == "DELETED":
            return
listener = threading.Thread(target=listen)
listener.start()
core.create_namespaced_config_map("snakes", client.V1ConfigMap(metadata=client.V1ObjectMeta(name="told")))
core.delete_namespaced_config_map("told", "snakes")
listener.join(30)
seen["told"] = told

# Pages, YAML files, the dynamic client, and what depends on discovery.
page = core.list_namespaced_config_map("snakes", limit=1)
seen["pages"] = bool(page.metadata._continue)
with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
    file.write("apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: tick}\nspec:\n  schedule: '*/5 * * * *'\n  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: 'x:1'}]}}}}\n"
               "---\napiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {word: open}\n")
    file.flush()
    utils.create_from_yaml(api_client, file.name, namespace="snakes")
seen["secret"] = core.read_namespaced_secret("key", "snakes").data
seen["cron"] = batch.read_namespaced_cron_job("tick", "snakes").spec.schedule
any_kind = dynamic.DynamicClient(api_client)
services = any_kind.resources.get(api_version="v1", kind="Service")
services.create(body={"metadata": {"name": "web"}, "spec": {"selector": labels, "ports": [{"port": 80}]}}, namespace="snakes")
seen["service"] = services.get(name="web", namespace="snakes").spec.type
seen["groups"] = sorted(group.name for group in client.ApisApi(api_client).get_api_versions().groups)[:3]
seen["version"] = client.VersionApi(api_client).get_code().major
seen["may"] = client.AuthorizationV1Api(api_client).create_self_subject_access_review(client.V1SelfSubjectAccessReview(
    spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=client.V1ResourceAttributes(verb="delete", resource="nodes")))).status.allowed

# Custom resources through the untyped calls.
extensions = client.ApiextensionsV1Api(api_client)
extensions.create_custom_resource_definition({
    "metadata": {"name": "eggs.example.com"},
    "spec": {"group": "example.com", "scope": "Namespaced", "names": {"plural": "eggs", "singular": "egg", "kind": "Egg"}, "versions": [{
        "name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object", "properties": {
            "spec": {"type": "object", "properties": {"size": {"type": "integer", "minimum": 1}}}}}}}]}})
for event in watch.Watch().stream(extensions.list_custom_resource_definition, field_selector="metadata.name=eggs.example.com", timeout_seconds=30):
    conditions = event["object"].status.conditions or []
    if any(condition.type == "Established" and condition.status == "True" for condition in conditions):
        break
custom = client.CustomObjectsApi(api_client)
egg = {"apiVersion": "example.com/v1", "kind": "Egg", "metadata": {"name": "one"}, "spec": {"size": 3}}
seen["egg"] = custom.create_namespaced_custom_object("example.com", "v1", "snakes", "eggs", egg)["spec"]
seen["bad egg"] = refused(custom.create_namespaced_custom_object, "example.com", "v1", "snakes", "eggs", {**egg, "metadata": {"name": "two"}, "spec": {"size": 0}})

core.delete_namespace("snakes")
print(json.dumps(seen))
