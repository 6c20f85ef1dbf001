"""The files of deploy/ are what their readers accept, and they name options, metrics and files that exist.

Nothing here needs Docker or a cluster: manifests are checked against the schemas of Kubernetes and of compose.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import typer
import yaml
from typer.main import get_command

from slipform.cli_serve import serve
from slipform.runtime.server.metrics import PrometheusObserver
from slipform.runtime.server.middleware import OPEN_ROUTES, ROUTE_SCOPES
from tests.server.test_observers import arrival, finished, statistics

DEPLOY = Path(__file__).resolve().parent.parent.parent / "deploy"
ROOT = DEPLOY.parent
KUBERNETES_VERSION = "1.33"


def documents(path: str) -> list[dict[str, Any]]:
    return [part for part in yaml.safe_load_all((DEPLOY / path).read_text()) if part]


@pytest.fixture(scope="module")
def serve_options() -> set[str]:
    """The long names of all options."""
    app = typer.Typer()
    app.command()(serve)
    return {name for parameter in get_command(app).params for name in parameter.opts}


@pytest.fixture(scope="module")
def metric_names() -> set[str]:
    observer = PrometheusObserver("m")
    observer.arrived(arrival())
    observer.first_token(arrival(), 0.1)
    observer.next_tokens(arrival(), 0.1, 1)
    observer.ended(arrival(), 1.0, finished(), "UnsupportedGrammar")
    observer.answered("/health", 200, 0.1)
    page = observer.render(statistics())[0].decode()
    return {line.split("{")[0] for line in page.splitlines() if not line.startswith("#")} | set(
        re.findall(r"^# TYPE (\S+) ", page, re.MULTILINE)
    )


@pytest.mark.parametrize("manifest", ["slipform.yaml"])
def test_kubernetes_accepts_the_manifests(manifest: str) -> None:
    kinds = []
    for document in documents(f"kubernetes/{manifest}"):
        kubernetes_validate.validate(document, KUBERNETES_VERSION, strict=True)
        kinds.append(document["kind"])
    assert kinds == ["Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler"]


def test_the_checker_of_manifests_checks() -> None:
    broken = documents("kubernetes/slipform.yaml")[0]
    broken["spec"]["replica"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, KUBERNETES_VERSION, strict=True)


def test_the_deployment_fits_the_server(serve_options: set[str]) -> None:
    deployment, service, budget, scaler = documents("kubernetes/slipform.yaml")
    pod = deployment["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert {argument for argument in container["args"] if argument.startswith("--")} <= serve_options
    drain_s = int(container["args"][container["args"].index("--drain-timeout") + 1])
    assert pod["spec"]["terminationGracePeriodSeconds"] > drain_s
    assert container["livenessProbe"]["httpGet"]["path"] in OPEN_ROUTES
    for probe in ("startupProbe", "readinessProbe"):
        script = container[probe]["exec"]["command"][-1]
        compile(script, probe, "exec")
        assert "/ready" in script
        assert "/ready" in ROUTE_SCOPES
        assert "Authorization" in script
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["spec"]["volumes"]}
    labels = pod["metadata"]["labels"]
    assert service["spec"]["selector"] == budget["spec"]["selector"]["matchLabels"] == labels
    assert service["spec"]["ports"][0]["targetPort"] in [port["name"] for port in container["ports"]]
    assert scaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]


def test_the_autoscalers_metric_exists(metric_names: set[str]) -> None:
    (adapter,) = documents("kubernetes/adapter.yaml")
    (rule,) = adapter["rules"]["custom"]
    scaler = documents("kubernetes/slipform.yaml")[-1]
    assert rule["name"]["as"] == scaler["spec"]["metrics"][0]["pods"]["metric"]["name"]
    assert rule["seriesQuery"].split("{")[0] in metric_names
    (monitor,) = documents("kubernetes/monitoring.yaml")
    endpoint = monitor["spec"]["podMetricsEndpoints"][0]
    assert ROUTE_SCOPES[endpoint["path"]] == "metrics"
    assert endpoint["authorization"]["type"] == "Bearer"


def test_compose_accepts_the_file() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "check_jsonschema",
            "--builtin-schema",
            "vendor.compose-spec",
            str(DEPLOY / "compose.yaml"),
        ],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_services_of_compose_fit_together(serve_options: set[str]) -> None:
    (compose,) = documents("compose.yaml")
    services = compose["services"]
    server = services["slipform"]
    assert (DEPLOY / server["build"]["context"] / server["build"]["dockerfile"]).is_file()
    assert {argument for argument in server["command"] if argument.startswith("--")} <= serve_options
    drain_s = int(server["command"][server["command"].index("--drain-timeout") + 1])
    assert int(server["stop_grace_period"].removesuffix("s")) > drain_s
    for service in services.values():
        assert set(service.get("secrets", ())) <= set(compose["secrets"])
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in compose["volumes"]


def test_prometheus_scrapes_with_a_key_and_alerts_on_what_exists(metric_names: set[str]) -> None:
    (config,) = documents("prometheus/prometheus.yaml")
    (job,) = config["scrape_configs"]
    assert ROUTE_SCOPES[job["metrics_path"]] == "metrics"
    assert job["authorization"]["credentials_file"] == "/run/secrets/metrics-key"
    assert config["rule_files"] == ["alerts.yaml"]
    (rules,) = documents("prometheus/alerts.yaml")
    for group in rules["groups"]:
        for rule in group["rules"]:
            assert named(rule["expr"]) <= metric_names, rule["alert"]


def test_the_dashboard_shows_metrics_that_exist(metric_names: set[str]) -> None:
    dashboard = json.loads((DEPLOY / "grafana/dashboards/slipform.json").read_text())
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len(places)
    for panel in panels:
        for target in panel["targets"]:
            assert named(target["expr"]), panel["title"]
            assert named(target["expr"]) <= metric_names, panel["title"]
    (datasource,) = documents("grafana/provisioning/datasources/prometheus.yaml")
    assert datasource["datasources"][0]["uid"] == panels[0]["datasource"]["uid"]


def named(expression: str) -> set[str]:
    """Our metrics in a PromQL expression."""
    return set(re.findall(r"\b(?:vllm|slipform):[a-z0-9_]+", expression))


@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.cuda"])
def test_images_copy_what_is_there_and_run_a_command_that_exists(name: str, serve_options: set[str]) -> None:
    lines = (DEPLOY / name).read_text().replace("\\\n", " ").splitlines()
    copied = [line.split()[1:] for line in lines if line.startswith("COPY") and "--from" not in line]
    sources = {source for *sources, _ in copied for source in sources}
    assert all((ROOT / source).exists() for source in sources)
    assert sources >= {"pyproject.toml", "slipform", "lang", "runtime", "grammars", "kernels"}
    entry = json.loads(next(line for line in lines if line.startswith("ENTRYPOINT")).removeprefix("ENTRYPOINT "))
    assert entry[:2] == ["slipform", "serve"]
    assert {argument for argument in entry if argument.startswith("--")} <= serve_options
    assert any(line.startswith("USER 10001") for line in lines)
    health = next(line for line in lines if "HEALTHCHECK" in line)
    assert "/health'" in health
