"""What the documents list is what the code has."""

import ast
import re
import tomllib
from pathlib import Path

from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

REPOSITORY = Path(__file__).resolve().parents[2]
# Where the environment is read, and how a variable is asked for there.
READERS = ("config/settings.py", "config/run.py", "config/gunicorn.py")
ASKING = {"env.str", "env.int", "env.bool", "env.list", "env.db", "port_from_environment"}
ASKING |= {"os.environ.get", "os.environ.setdefault"}


def settings_in_code() -> dict[str, str | None]:
    """Name -> default as it would be written in the environment, None when it is computed."""
    found: dict[str, str | None] = {}
    for reader in READERS:
        for call in ast.walk(ast.parse((REPOSITORY / reader).read_text())):
            if not isinstance(call, ast.Call) or ast.unparse(call.func) not in ASKING:
                continue
            values = [*call.args[1:], *(word.value for word in call.keywords)]
            if call.args and isinstance(call.args[0], ast.Constant) and values:
                found[str(call.args[0].value)] = as_text(values[0])
    return found


def as_text(default: ast.expr) -> str | None:
    try:
        value = ast.literal_eval(default)
    except ValueError:
        return None
    return ",".join(value) if isinstance(value, list) else str(value)


def documented_rows(document: str) -> list[list[str]]:
    rows = re.findall(r"^\| (.+) \|$", (REPOSITORY / document).read_text(), re.MULTILINE)
    table = [[cell.strip() for cell in row.split(" | ")] for row in rows]
    return [row for row in table if row[0] not in ("name", "package")]


def test_it_documents_every_setting_with_its_default() -> None:
    code = settings_in_code()
    documented = {row[0].strip("`"): row[1] for row in documented_rows("docs/settings.md")}
    assert {"DAYPOST_DATA_DIR", "PORT", "GMAIL_IMAP_PORT"} <= set(code)
    assert set(documented) == set(code)
    for name, default in code.items():
        if default:
            assert documented[name] == f"`{default}`", name
        else:
            assert not documented[name].startswith("`"), f"{name} has no fixed default"


def our_commands() -> dict[str, BaseCommand]:
    ours = {name: app for name, app in get_commands().items() if app in ("accounts", "campaigns")}
    return {name: load_command_class(app, name) for name, app in ours.items()}


def options_of(command: BaseCommand) -> set[str]:
    """Its own, without what every command of Daypost's or Django's takes."""
    every = BaseCommand().create_parser("manage.py", "")._option_string_actions
    own = command.create_parser("manage.py", "")._option_string_actions
    return {name for name in own if name.startswith("--")} - set(every) - {"--json", "--workspace"}


def test_it_documents_every_command_with_its_options() -> None:
    page = (REPOSITORY / "docs/commands.md").read_text().partition("## manage.py")[2]
    sections = dict(re.findall(r"^#### (\w+)\n\n(`[^`]+`)", page, re.MULTILINE))
    commands = our_commands()
    assert {"create_owner", "backup"} <= set(commands)
    assert set(sections) == set(commands)
    for name, command in commands.items():
        assert sections[name].strip("`").split()[0] == name
        told = set(re.findall(r"--[\w-]+", sections[name])) - {"--workspace"}
        assert told == options_of(command), name


def test_it_documents_every_target_of_make() -> None:
    (targets,) = re.findall(r"^\.PHONY: (.+)$", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    told = re.findall(r"^\| `make ([\w-]+)`", (REPOSITORY / "docs/commands.md").read_text(), re.M)
    assert sorted(told) == sorted(targets.split())


def test_it_gives_every_dependency_a_reason() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    listed = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    names = [re.split(r"[\[<>=]", dependency)[0] for dependency in listed]
    rows = documented_rows("docs/dependencies.md")
    assert sorted(row[0] for row in rows) == sorted(names)
    assert all(row[1].strip("| ") for row in rows)


def test_it_links_only_to_what_is_there() -> None:
    documents = [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")]
    assert documents
    for document in documents:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text()):
            if not target.startswith(("http:", "https:")):
                assert (document.parent / target).exists(), f"{document.name}: {target}"
