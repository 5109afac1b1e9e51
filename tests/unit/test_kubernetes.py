"""The manifests: valid against Kubernetes' own schemas, and of names that exist.

No cluster is there to apply them to. The operators' kinds are held to the fields that this
repository uses of them (`OPERATORS`), written down from their definitions.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import jsonschema
import kubernetes_validate
import pytest
import yaml

from deploy.kubernetes import generate
from schemas.metrics import METRICS
from schemas.settings import PREFIX, Settings, load_settings, secret_variables
from schemas.topics import SCANS

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
VERSION = kubernetes_validate.latest_version()
Manifest = dict[str, Any]

TEXT, NUMBER = {"type": "string"}, {"type": "integer"}


def obj(required: str = "", **properties: Any) -> Manifest:
    """An object with these properties and no others; `required` names some of them."""
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def many(items: Any) -> Manifest:
    return {"type": "array", "items": items, "minItems": 1}


FREE: Final = {"type": "object"}
OPERATORS: Final = {
    "KafkaTopic": obj(
        "partitions replicas config",
        partitions={"type": "integer", "minimum": 1},
        replicas={"type": "integer", "minimum": 1, "maximum": 32767},
        config={"type": "object", "additionalProperties": TEXT},
    ),
    "KafkaUser": obj(
        "authentication authorization",
        authentication=obj("type", type={"enum": ["tls", "tls-external", "scram-sha-512"]}),
        authorization=obj(
            "type acls",
            type={"enum": ["simple"]},
            acls=many(
                obj(
                    "resource operations",
                    resource=obj(
                        "type name patternType",
                        type={"enum": ["topic", "group", "cluster", "transactionalId"]},
                        name=TEXT,
                        patternType={"enum": ["literal", "prefix"]},
                    ),
                    operations=many({"enum": ["Read", "Write", "Create", "Describe", "DescribeConfigs"]}),
                )
            ),
        ),
    ),
    "ScaledObject": obj(
        "scaleTargetRef triggers",
        scaleTargetRef=obj("name", name=TEXT),
        minReplicaCount=NUMBER,
        maxReplicaCount=NUMBER,
        pollingInterval=NUMBER,
        cooldownPeriod=NUMBER,
        fallback=obj("failureThreshold replicas", failureThreshold=NUMBER, replicas=NUMBER),
        advanced=obj(horizontalPodAutoscalerConfig=obj(behavior=FREE)),
        triggers=many(
            obj(
                "type metadata",
                type={"enum": ["prometheus"]},
                metricType={"enum": ["AverageValue", "Value"]},
                metadata={"type": "object", "additionalProperties": TEXT},
            )
        ),
    ),
    "ClickHouseInstallation": obj(
        "configuration",
        defaults=obj(templates=obj(podTemplate=TEXT, dataVolumeClaimTemplate=TEXT)),
        configuration=obj(
            "clusters",
            zookeeper=obj("nodes", nodes=many(obj("host", host=TEXT, port=NUMBER))),
            clusters=many(
                obj(
                    "name layout",
                    name=TEXT,
                    secure={"enum": ["yes", "no"]},
                    layout=obj(shardsCount=NUMBER, replicasCount=NUMBER),
                )
            ),
            users=FREE,
            settings=FREE,
            files={"type": "object", "additionalProperties": TEXT},
        ),
        templates=obj(podTemplates=many(FREE), volumeClaimTemplates=many(FREE)),
    ),
    "Kustomization": FREE,
}  # fmt: skip


def manifests() -> list[tuple[str, Manifest]]:
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text("utf-8")):
            found.append((f"{path.name}:{document['kind']}", document))
    return found


ALL: Final = manifests()


def named(kind: str, name: str) -> Manifest:
    [found] = [d for _, d in ALL if d["kind"] == kind and d["metadata"]["name"] == name]
    return found


def pods() -> dict[str, Manifest]:
    """The pod of each of our processes."""
    kinds = ("Deployment", "Job")
    return {d["metadata"]["name"]: d["spec"]["template"] for _, d in ALL if d["kind"] in kinds}


@pytest.mark.parametrize("manifest", [d for _, d in ALL], ids=[name for name, _ in ALL])
def test_each_is_what_its_schema_wants(manifest: Manifest) -> None:
    if manifest["kind"] in OPERATORS:
        jsonschema.validate(manifest.get("spec", {}), OPERATORS[manifest["kind"]])
    else:
        kubernetes_validate.validate(manifest, VERSION, strict=True)


def test_a_wrong_field_is_seen() -> None:
    wrong = {**named("Deployment", "truyvet-worker"), "spec": {"replicas": "two"}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSION, strict=True)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"scaleTarget": {"name": "x"}}, OPERATORS["ScaledObject"])


def test_the_kustomization_names_every_file_and_the_linter_is_content() -> None:
    kustomization = yaml.safe_load((FOLDER / "kustomization.yaml").read_text("utf-8"))
    files = {p.name for p in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(kustomization["resources"]) == files
    yamllint = Path(sys.executable).parent / "yamllint"
    done = subprocess.run(
        [yamllint, "--strict", "deploy/kubernetes"],
        cwd=FOLDER.parents[1],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()


def test_topics_and_users_are_those_of_the_schemas() -> None:
    assert (FOLDER / "kafka-topics.yaml").read_text("utf-8") == generate.topics()
    assert (FOLDER / "kafka-users.yaml").read_text("utf-8") == generate.users()


def test_settings_exist_fit_together_and_agree_with_the_topics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = named("ConfigMap", "truyvet")["data"]
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    known |= {f"{variable}_FILE" for variable in secret_variables()}
    assert given.keys() <= known
    (tmp_path / "file").write_text("postgresql+psycopg://x")
    for variable, value in given.items():
        is_file = value.startswith("/run/truyvet/")
        monkeypatch.setenv(variable, str(tmp_path / "file") if is_file else value)
    monkeypatch.setenv("TRUYVET_KAFKA_USER", "truyvet-worker")
    settings = load_settings(tmp_path)
    topic = named("KafkaTopic", SCANS.name)["spec"]
    assert topic["partitions"] == settings.scan_partitions
    assert topic["replicas"] == settings.replication_factor
    assert topic["config"]["min.insync.replicas"] == str(settings.insync_replicas)
    # a rolling update starts one more, which must get a partition to be ready
    update = named("Deployment", "truyvet-worker")["spec"]["strategy"]["rollingUpdate"]
    most = named("ScaledObject", "truyvet-worker")["spec"]["maxReplicaCount"]
    assert most + update["maxSurge"] == topic["partitions"]


def test_workers_scale_on_a_metric_that_is_exported_in_seconds() -> None:
    [trigger] = named("ScaledObject", "truyvet-worker")["spec"]["triggers"]
    names = re.findall(r"truyvet_\w+", trigger["metadata"]["query"])
    assert set(names) <= {m.name for m in METRICS}
    assert all(name.endswith("_seconds") for name in names)
    target = named("ScaledObject", "truyvet-worker")["spec"]["scaleTargetRef"]["name"]
    assert named("Deployment", target)


@pytest.mark.parametrize("pod", pods().values(), ids=pods().keys())
def test_pods_have_no_rights_and_mount_what_their_settings_name(pod: Manifest) -> None:
    spec = pod["spec"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    assert spec["automountServiceAccountToken"] is False
    [container] = spec["containers"]
    rights = container["securityContext"]
    assert rights["readOnlyRootFilesystem"]
    assert rights["allowPrivilegeEscalation"] is False
    assert rights["capabilities"] == {"drop": ["ALL"]}
    assert {"requests", "limits"} <= container["resources"].keys()
    mounted = [m["mountPath"] for m in container["volumeMounts"]]
    assert {m["name"] for m in container["volumeMounts"]} == {v["name"] for v in spec["volumes"]}
    own = [e["value"] for e in container["env"]]
    for value in [*named("ConfigMap", "truyvet")["data"].values(), *own]:
        if value.startswith("/run/"):
            assert str(Path(value).parent) in mounted, value


@pytest.mark.parametrize("role", ["console", "worker"])
def test_each_service_is_probed_spread_and_never_all_taken_away(role: str) -> None:
    deployment = named("Deployment", f"truyvet-{role}")
    template = deployment["spec"]["template"]
    [container] = template["spec"]["containers"]
    paths = {p: container[f"{p}Probe"]["httpGet"]["path"] for p in ("readiness", "liveness")}
    assert paths == {"readiness": "/ready", "liveness": "/live"}
    for spread in template["spec"]["topologySpreadConstraints"]:
        assert (
            spread["labelSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
        )
    budget = named("PodDisruptionBudget", f"truyvet-{role}")
    assert budget["spec"]["selector"] == deployment["spec"]["selector"]
    user = {e["name"]: e["value"] for e in container["env"]}["TRUYVET_KAFKA_USER"]
    assert named("KafkaUser", user)
    policy = named("NetworkPolicy", role)
    assert policy["spec"]["podSelector"] == deployment["spec"]["selector"]
    [[port]] = [rule["ports"] for rule in policy["spec"]["ingress"]]
    assert port["port"] == container["ports"][0]["containerPort"]
