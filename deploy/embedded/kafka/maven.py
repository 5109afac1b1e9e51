"""The one door to a Maven repository: jgo's, with what the machine's jgo configuration adds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from deploy.embedded.kafka.lockfile import EXCLUDED, ROOTS, LockedJar, sha256_of

if TYPE_CHECKING:
    from jgo.maven import MavenContext


def context(repo_cache: Path) -> MavenContext:
    """jgo is imported here, so that a machine that never fetches need not have it."""
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext

    maven = MavenContext(repo_cache=repo_cache, timeout=30)
    maven.remote_repos.update(GlobalSettings.load().repositories)
    return maven


def download(jar: LockedJar, maven: MavenContext) -> Path:
    """The jar in the context's cache; a partial file of a failed attempt is removed."""
    artifact = maven.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    try:
        return artifact.resolve()
    except BaseException:
        if artifact.cached_path is not None:
            artifact.cached_path.unlink(missing_ok=True)
        raise


def resolve_roots(repo_cache: Path) -> tuple[LockedJar, ...]:
    """Walk the POMs, download every jar once and hash it: the content of a new lock."""
    maven = context(repo_cache)
    exclusions = [maven.project(group, artifact) for group, artifact in EXCLUDED]
    roots = [maven.create_dependency(root, exclusions) for root in ROOTS]
    inputs, transitive = maven.resolver.resolve(roots)
    jars = []
    for dependency in [*inputs, *transitive]:
        artifact = dependency.artifact
        path = artifact.resolve()
        jars.append(
            LockedJar(
                artifact.groupId,
                artifact.artifactId,
                artifact.version,
                sha256_of(path),
                path.stat().st_size,
            )
        )
    return tuple(sorted(jars, key=lambda jar: (jar.group, jar.artifact)))
