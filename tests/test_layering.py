"""The folders import one way only, and the front door stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# What each folder may import of the project, as prefixes of full module names. `slipform.errors` is a leaf for all.
ALLOWED = {
    "kernels": ["slipform.kernels"],
    "grammars": ["slipform.grammars", "slipform.kernels"],
    "runtime": ["slipform.runtime", "slipform.grammars", "slipform.kernels"],
    "lang": [
        "slipform.lang",
        "slipform.grammars.spec",
        "slipform.runtime.params",
        "slipform.runtime.request",
        "slipform.runtime.wire",
        "slipform.runtime.server.pieces",
        "slipform.runtime.server.tool_calls",
    ],
}


def project_imports(path: Path) -> list[tuple[int, str]]:
    """(line, full module name) of each import of the project's own modules in a file."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            assert node.module is not None
            found += [(node.lineno, node.module)]
    return [(line, name) for line, name in found if name.split(".")[0] in {"slipform", *ALLOWED}]


@pytest.mark.parametrize("folder", ALLOWED)
def test_imports_point_one_way(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    for path in files:
        for line, name in project_imports(path):
            allowed = name == "slipform.errors" or any(
                name == prefix or name.startswith(prefix + ".") for prefix in ALLOWED[folder]
            )
            assert allowed, f"{path.relative_to(ROOT)}:{line} imports {name}"


@pytest.mark.parametrize("folder", ALLOWED)
def test_package_files_hold_only_a_docstring(folder: str) -> None:
    body = ast.parse((ROOT / folder / "__init__.py").read_text(encoding="utf-8")).body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)


def test_errors_import_nothing() -> None:
    assert project_imports(ROOT / "slipform" / "errors.py") == []


@pytest.mark.parametrize(
    "module",
    ["slipform", "slipform.grammars.spec", "slipform.runtime.wire", "slipform.runtime.server.tool_calls.registry"],
)
def test_light_modules_load_no_torch(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd="/")


def test_language_loads_no_torch() -> None:
    code = "import sys, slipform as sf; sf.gen('x'); sf.function; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd="/")
