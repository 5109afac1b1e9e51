"""What the truyvet stack is made of: its ports, its variables and its services, from options."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import deploy
from deploy.embedded import environment, ports
from deploy.embedded.kafka import KafkaHome, KafkaNode
from deploy.embedded.ports import PortRequest
from deploy.embedded.probes import HttpReady, KafkaReady
from deploy.embedded.service import Service

ROLES = frozenset({"kafka", "engine", "migrate", "console", "worker"})
SOURCE_ROOT = Path(deploy.__file__).parent.parent


@dataclass(frozen=True)
class StackOptions:
    data_dir: Path
    workers: int = 1
    kafka_port: int | None = None
    """A port that must be had; None: last time's if it is free, or another."""
    engine_port: int | None = None
    console_port: int | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    """Laid over this process's environment for the services."""
    services: frozenset[str] = ROLES
    """A subset of ROLES; what is left out is not started, and not waited for."""
    kafka_overrides: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "data_dir", self.data_dir.expanduser().absolute())
        if unknown := set(self.services) - ROLES:
            raise ValueError(f"no such service: {', '.join(sorted(unknown))}")
        if self.workers < 1:
            raise ValueError("at least one worker")


@dataclass(frozen=True)
class Layout:
    """Everything a supervisor needs, and what a client needs to find it."""

    services: tuple[Service, ...]
    ports: Mapping[str, int]
    variables: Mapping[str, str]


def _port_requests(options: StackOptions, user: Mapping[str, str]) -> tuple[PortRequest, ...]:
    def preferred(name: str) -> int | None:
        value = user.get(name, "")
        return int(value) if value.isdecimal() else None

    every = {
        "kafka": (
            PortRequest("kafka", options.kafka_port),
            PortRequest("kafka_controller"),
        ),
        "engine": (PortRequest("engine", options.engine_port),),
        "console": (
            PortRequest("console", options.console_port, preferred("TRUYVET_CONSOLE_PORT")),
        ),
        "worker": (
            PortRequest(
                "worker_metrics",
                preferred=preferred("TRUYVET_WORKER_METRICS_PORT_BASE"),
                count=options.workers,
            ),
        ),
    }
    return tuple(r for role, group in every.items() if role in options.services for r in group)


def facts(options: StackOptions, chosen: Mapping[str, int]) -> dict[str, str]:
    """The variables that are so because this stack runs the service."""
    found = {"TRUYVET_DATA_DIR": str(options.data_dir)}
    if "kafka" in chosen:
        found["TRUYVET_KAFKA_BOOTSTRAP"] = f"127.0.0.1:{chosen['kafka']}"
    if "engine" in chosen:
        found["TRUYVET_CLICKHOUSE_URL"] = f"http://127.0.0.1:{chosen['engine']}"
    if "console" in chosen:
        found["TRUYVET_CONSOLE_URL"] = f"http://127.0.0.1:{chosen['console']}"
        found["TRUYVET_CONSOLE_PORT"] = str(chosen["console"])
    if "worker_metrics" in chosen:
        found["TRUYVET_WORKER_METRICS_PORT_BASE"] = str(chosen["worker_metrics"])
    return found


def plan(options: StackOptions, home: KafkaHome | None) -> Layout:
    """Choose ports, write the files, name the commands. Call it with the data directory locked."""
    data_dir = options.data_dir
    user = {**os.environ, **options.env}
    ports_path = data_dir / "run" / "ports.json"
    previous = ports.load(ports_path)
    chosen = ports.choose(_port_requests(options, user), previous)
    ports.save(ports_path, {**previous, **chosen})

    stored = environment.load(data_dir)
    variables = environment.merge(data_dir, facts(options, chosen), user, stored)
    environment.save(data_dir, environment.to_store(variables, stored))

    path = os.pathsep.join(filter(None, (str(SOURCE_ROOT), user.get("PYTHONPATH"))))
    env = {**user, **variables, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
    services: list[Service] = []
    if "kafka" in options.services:
        assert home is not None
        services += _kafka(options, home, chosen, environment.without_secrets(env))
    if "engine" in options.services:
        services.append(_engine(data_dir, chosen["engine"], environment.without_secrets(env)))
    services += _application(options, chosen, env)
    return Layout(tuple(services), chosen, variables)


def _kafka(
    options: StackOptions, home: KafkaHome, chosen: Mapping[str, int], env: Mapping[str, str]
) -> list[Service]:
    node = KafkaNode(
        home,
        options.data_dir / "kafka",
        chosen["kafka"],
        chosen["kafka_controller"],
        options.kafka_overrides,
    )
    node.write()
    services = []
    if not node.formatted():
        services.append(Service("kafka-format", node.format_command(), env, one_shot=True))
    services.append(
        Service(
            "kafka",
            node.command(),
            env,
            KafkaReady(node.port),
            stop_timeout_s=30,
            depends_on=tuple(service.name for service in services),
            ports={"broker": node.port, "controller": node.controller_port},
            behind=True,
        )
    )
    return services


def _engine(data_dir: Path, port: int, env: Mapping[str, str]) -> Service:
    command = ("-m", "deploy.embedded.engine", "--path", str(data_dir / "engine"))
    return Service(
        "engine",
        (sys.executable, *command, "--port", str(port)),
        env,
        HttpReady(port, "/ping", b"Ok."),
        stop_timeout_s=60,
        ports={"http": port},
        behind=True,
    )


def _application(
    options: StackOptions, chosen: Mapping[str, int], env: Mapping[str, str]
) -> list[Service]:
    """Started as commands: deploy imports nothing of console."""
    command = (sys.executable, "-m", "console.cli.main")
    below: tuple[str, ...] = tuple(name for name in ("kafka", "engine") if name in options.services)
    services = []
    if "migrate" in options.services:
        services.append(
            Service("migrate", (*command, "migrate"), env, depends_on=below, one_shot=True)
        )
        below = (*below, "migrate")
    if "console" in options.services:
        port = chosen["console"]
        ready = HttpReady(port, "/ready")
        services.append(
            Service(
                "console",
                (*command, "serve"),
                env,
                ready,
                depends_on=below,
                ports={"http": port},
            )
        )
    for number in range(options.workers if "worker" in options.services else 0):
        port = chosen["worker_metrics"] + number
        services.append(
            Service(
                f"worker-{number}",
                (*command, "worker", "--metrics-port", str(port)),
                env,
                HttpReady(port, "/ready"),
                stop_timeout_s=30,
                depends_on=below,
                ports={"metrics": port},
                behind=True,
            )
        )
    return services
