"""An earlier version of truyvet, unpacked beside this one, to be run from there.

Both use the same environment of libraries: what is old is the code. It comes from the checkout's
history, or is a directory where somebody has unpacked it.
"""

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schemas.errors import UserError

ROOT: Final = Path(__file__).parents[1]
_TIMEOUT_S: Final = 120.0
_WHERE: Final = "import streams.worker, console.cli.main as m; print(m.__file__)"


@dataclass(frozen=True)
class OldBuild:
    """A tree of truyvet's source and what it is called."""

    tree: Path
    name: str

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """This process's environment and `env`, with the old code before any other."""
        return {**os.environ, **env, "PYTHONPATH": str(self.tree)}

    def run(self, env: Mapping[str, str], *arguments: str) -> None:
        """One of its commands to its end. Raises UserError."""
        done = self._python(env, "-m", "console.cli.main", *arguments)
        if done.returncode != 0:
            words = _last_words(done)
            raise UserError(
                f"truyvet {arguments[0]} của {self.name} hỏng: {words} / "
                f"truyvet {arguments[0]} of {self.name} failed: {words}"
            )

    def check(self) -> None:
        """Raises UserError unless Python would run the old code, and could."""
        done = self._python({}, "-c", _WHERE)
        if done.returncode != 0:
            words = _last_words(done)
            raise UserError(
                f"{self.name} không chạy được với các thư viện này: {words} / "
                f"{self.name} does not run with these libraries: {words}"
            )
        found = done.stdout.strip()
        if not Path(found).is_relative_to(self.tree.resolve()):
            raise UserError(
                f"Python sẽ chạy {found} thay vì {self.name}. / "
                f"Python would not run {self.name} but {found}."
            )

    def _python(
        self, env: Mapping[str, str], *arguments: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *arguments],
            env=self.environment(env),
            cwd=self.tree,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )


def _last_words(done: "subprocess.CompletedProcess[str]") -> str:
    return " ".join(done.stderr.split())[-400:]


def unpacked(revision: str, into: Path) -> OldBuild:
    """A revision of this checkout's history. Raises UserError where there is none."""
    if not (ROOT / ".git").exists():
        raise UserError(
            f"{ROOT} không có lịch sử git: hãy chỉ ra thư mục phiên bản cũ bằng --from-tree. / "
            f"{ROOT} is no checkout with a history: unpack the earlier version yourself and say "
            "where it is with --from-tree."
        )
    try:
        name = _git("log", "-1", "--format=%h %s", f"{revision}^{{commit}}").decode().strip()
        archive = _git("archive", "--format=tar", revision)
    except subprocess.CalledProcessError as error:
        words = " ".join(error.stderr.decode("utf-8", "replace").split())[-200:]
        raise UserError(
            f"Không có phiên bản {revision} trong lịch sử git ở đây: `git fetch --unshallow`, hoặc "
            f"chọn --from khác. / The history here has no {revision} ({words}): a shallow clone "
            "needs `git fetch --unshallow`; or name another revision with --from, or an unpacked "
            "one with --from-tree."
        ) from None
    into.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        packed.extractall(into, filter="data")
    return OldBuild(into, name)


def given(tree: Path) -> OldBuild:
    """A tree that is there already. Raises UserError if it is none of truyvet."""
    found = tree.expanduser().resolve()
    if not (found / "console" / "cli" / "main.py").is_file():
        raise UserError(
            f"{found} không phải mã nguồn truyvet. / {found} is not a tree of truyvet's source."
        )
    return OldBuild(found, str(found))


def _git(*arguments: str) -> bytes:
    done = subprocess.run(
        ["git", "-C", str(ROOT), *arguments], capture_output=True, timeout=_TIMEOUT_S, check=True
    )
    return done.stdout
