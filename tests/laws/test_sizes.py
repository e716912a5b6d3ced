"""Every file and function stays small enough to be read whole."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "seq2see"

FILE_LINES = 300
FUNCTION_LINES = 40
FUNCTION_LINES_90TH_PERCENTILE = 25
PARAMETERS = 6

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Function:
    path: Path
    name: str
    line: int
    lines: int
    parameters: int
    is_command: bool

    def __str__(self) -> str:
        place = f"{self.path.relative_to(SOURCE)}:{self.line}"
        return f"{place} {self.name}: {self.lines} lines, {self.parameters} parameters"


def docstring_lines(node: FunctionNode) -> int:
    if ast.get_docstring(node, clean=False) is None:
        return 0
    return (node.body[0].end_lineno or 0) - node.body[0].lineno + 1


def parameter_count(node: FunctionNode) -> int:
    arguments = node.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    named += [extra for extra in (arguments.vararg, arguments.kwarg) if extra]
    return len(named) - (bool(named) and named[0].arg in {"self", "cls"})


def registers(node: ast.expr) -> bool:
    """True for `app.command`, `app.command(...)` and the same with `callback`."""
    target = node.func if isinstance(node, ast.Call) else node
    return isinstance(target, ast.Attribute) and target.attr in {"command", "callback"}


def registered_names(tree: ast.AST) -> set[str]:
    """Names of functions made commands by a decorator or by `app.command(...)(function)`."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, FunctionNode) and any(map(registers, node.decorator_list)):
            names.add(node.name)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Call) and registers(node.func):
            names |= {ast.unparse(argument).rpartition(".")[2] for argument in node.args}
    return names


def source_files() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def tree_of(path: Path) -> ast.AST:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def functions_in(path: Path, tree: ast.AST, commands: set[str]) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, FunctionNode):
            lines = (node.end_lineno or 0) - node.lineno + 1 - docstring_lines(node)
            is_command = path.is_relative_to(SOURCE / "cli") and node.name in commands
            yield Function(path, node.name, node.lineno, lines, parameter_count(node), is_command)


def all_functions() -> list[Function]:
    trees = {path: tree_of(path) for path in source_files()}
    commands = {
        name
        for path, tree in trees.items()
        if path.is_relative_to(SOURCE / "cli")
        for name in registered_names(tree)
    }
    return [each for path, tree in trees.items() for each in functions_in(path, tree, commands)]


def listing(offenders: list[Function]) -> str:
    return "\n" + "\n".join(map(str, offenders))


def test_files_are_short() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in source_files()}
    assert lengths
    assert {str(path): n for path, n in lengths.items() if n > FILE_LINES} == {}


def test_functions_are_short() -> None:
    long = [each for each in all_functions() if each.lines > FUNCTION_LINES]
    assert not long, listing(long)


def test_most_functions_are_much_shorter() -> None:
    ordered = sorted(all_functions(), key=lambda each: each.lines)
    percentile = ordered[math.ceil(0.9 * len(ordered)) - 1].lines
    assert percentile <= FUNCTION_LINES_90TH_PERCENTILE, listing(ordered[-20:])


def test_functions_take_few_parameters() -> None:
    # A command's parameters are its options; to bundle them would hide the command line.
    greedy = [e for e in all_functions() if e.parameters > PARAMETERS and not e.is_command]
    assert not greedy, listing(greedy)


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    assert [path for path in SOURCE.rglob("*") if path.stem == "utils"] == []


def test_no_module_repeats_the_name_of_its_package() -> None:
    repeating = [path for path in SOURCE.rglob("*") if path.parent.name in path.stem.split("_")]
    assert repeating == []


def test_the_census_counts_what_it_says() -> None:
    tree = ast.parse(
        "class Box:\n"
        "    def lid(self, a, /, b, *rest, c, **more):\n"
        '        """Opens.\n\n        Slowly.\n        """\n'
        "        return a\n"
        "@app.command()\n"
        "def train(): ...\n"
        "app.command('score')(score.run)\n"
    )
    path = SOURCE / "nn" / "box.py"
    lid = next(each for each in functions_in(path, tree, set()) if each.name == "lid")
    assert (lid.lines, lid.parameters) == (2, 5)
    assert registered_names(tree) == {"train", "run"}
