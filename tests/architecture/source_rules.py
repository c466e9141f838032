"""Rules of the house that a linter does not know, as questions to a module's syntax tree. Each says why.

A rule gets the tree and the module's path and yields the lines that break it. `review` names the places where a rule
was looked at and lets something pass, with a reason.
"""

# ruff: noqa: E501 (a rule of the table is a line)

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("storefront", "tenants")
DEMO = ("storefront/demo/", "storefront/embedded/")


@dataclass(frozen=True)
class Rule:
    """A question to a module, why it is asked, and where it is not."""

    name: str
    why: str
    broken: Callable[[ast.AST, str], Iterator[ast.AST]]
    except_in: tuple[str, ...] = ()
    reviewed: dict[str, str] = field(default_factory=dict)

    def applies(self, path: str) -> bool:
        """Whether the rule asks this module."""
        return not path.startswith(self.except_in) and path not in self.reviewed

    def lines(self, source: str, path: str) -> list[int]:
        """The lines that break the rule."""
        return sorted({getattr(node, "lineno", 0) for node in self.broken(ast.parse(source), path)})


def dotted(node: ast.AST) -> str:
    """`a.b.c` of an attribute chain; calls and subscripts inside it are skipped."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Call):
        return f"{dotted(node.func)}()"
    return "?"


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Every call with the name of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, dotted(node.func)


def imports(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Every imported module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node, node.module or ""
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


def commits(tree: ast.AST, _path: str) -> Iterator[ast.AST]:
    for node, name in calls(tree):
        if name in {"db.session.commit", "session.commit", "db.session().commit"}:
            yield node


def sends(tree: ast.AST, _path: str) -> Iterator[ast.AST]:
    for node, name in calls(tree):
        if name.endswith((".delay", ".apply_async", ".send_task")):
            yield node


def reads_the_clock(tree: ast.AST, _path: str) -> Iterator[ast.AST]:
    for node, name in calls(tree):
        if name in {
            "datetime.now",
            "datetime.utcnow",
            "datetime.today",
            "date.today",
            "datetime.datetime.now",
            "datetime.date.today",
            "time.time",
        }:
            yield node


def _says_minor(node: ast.AST) -> bool:
    return any(
        (isinstance(part, ast.Name) and part.id.endswith("_minor"))
        or (isinstance(part, ast.Attribute) and part.attr.endswith("_minor"))
        or (isinstance(part, ast.keyword) and (part.arg or "").endswith("_minor"))
        for part in ast.walk(node)
    )


def _is_float(node: ast.AST) -> bool:
    return (isinstance(node, ast.Constant) and isinstance(node.value, float)) or (
        isinstance(node, ast.Call) and dotted(node.func) == "float"
    )


def floats_near_money(tree: ast.AST, _path: str) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and _says_minor(node):
            if isinstance(node.op, ast.Div) or _is_float(node.left) or _is_float(node.right):
                yield node
        elif (
            isinstance(node, ast.Call)
            and dotted(node.func) in {"float", "round"}
            and any(_says_minor(arg) for arg in node.args)
        ):
            yield node
        elif isinstance(node, ast.keyword) and (node.arg or "").endswith("_minor") and _is_float(node.value):
            yield node.value
        elif isinstance(node, ast.AnnAssign) and _says_minor(node.target) and "float" in ast.dump(node.annotation):
            yield node


def silent_looks(tree: ast.AST, _path: str) -> Iterator[ast.AST]:
    for node, name in calls(tree):
        if name.endswith("across_shops"):
            literal = node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
            if not literal or len(str(node.args[0].value)) < 5:  # type: ignore[attr-defined]
                yield node


def made_up_sql(tree: ast.AST, _path: str) -> Iterator[ast.AST]:
    for node, name in calls(tree):
        if name.rsplit(".", 1)[-1] in {"text", "exec_driver_sql", "literal_column"} and node.args:
            first = node.args[0]
            if isinstance(first, ast.JoinedStr | ast.BinOp) or (
                isinstance(first, ast.Call) and dotted(first.func).endswith(".format")
            ):
                yield node


def session_settings(tree: ast.AST, _path: str) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            said = node.value.strip().lower()
            if said.startswith(("set app.", "select set_config", "set session ")):
                yield node


CORE = frozenset({"insert", "update", "delete", "select"})
OWNERS = frozenset({"tenant_id", "partner_id"})


def ownerless_core(tree: ast.AST, _path: str) -> Iterator[ast.AST]:
    """Core statements on a table (`X.__table__`): no criteria are added to them, so they name the owner themselves."""
    tables = _tables_of(tree)
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        names = (
            {n.attr for n in ast.walk(function) if isinstance(n, ast.Attribute)}
            | {k.arg or "" for n in ast.walk(function) if isinstance(n, ast.Call) for k in n.keywords}
            | {str(c.value) for c in ast.walk(function) if isinstance(c, ast.Constant)}
        )
        for node, name in calls(function):
            on_table = name in CORE and node.args and _names_table(node.args[0], tables)
            if on_table and not names & OWNERS and not any("owner" in said or "mine" in said for said in names):
                yield node


def _tables_of(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and "__table__" in ast.dump(node.value):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


def _names_table(node: ast.AST, tables: set[str]) -> bool:
    return any(
        (isinstance(part, ast.Attribute) and part.attr == "__table__")
        or (isinstance(part, ast.Name) and part.id in tables)
        for part in ast.walk(node)
    )


CACHED = frozenset({"get", "put", "forget", "remember", "set"})


def free_keys(tree: ast.AST, _path: str) -> Iterator[ast.AST]:
    for node, name in calls(tree):
        asks = name.startswith(("cache()", "cache.")) and name.rsplit(".", 1)[-1] in CACHED
        if asks and not (node.args and _is_key(node.args[0], tree)):
            yield node


def _is_key(node: ast.AST, tree: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        called = dotted(node.func)
        return called.endswith("cache_key") or called.rsplit(".", 1)[-1] in _key_makers(tree)
    if isinstance(node, ast.Name):
        return any(
            isinstance(made, ast.Assign)
            and any(isinstance(target, ast.Name) and target.id == node.id for target in made.targets)
            and _is_key(made.value, tree)
            for made in ast.walk(tree)
        )
    return False


def _key_makers(tree: ast.AST) -> set[str]:
    return {
        node.name for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.returns is not None and "CacheKey" in ast.dump(node.returns)
    }  # fmt: skip


def asks_valkey(tree: ast.AST, _path: str) -> Iterator[ast.AST]:
    yield from (node for node, name in imports(tree) if name.split(".")[0] in {"redis", "valkey"})


def imports_stripe(tree: ast.AST, _path: str) -> Iterator[ast.AST]:
    yield from (node for node, name in imports(tree) if name.split(".")[0] == "stripe")


def uses_signals(tree: ast.AST, _path: str) -> Iterator[ast.AST]:
    yield from (
        node for node, name in imports(tree) if name.split(".")[0] == "blinker" or name.startswith("flask.signals")
    )
    for node, name in calls(tree):
        if name.endswith((".connect_via", "signals.signal", "namespace.signal")):
            yield node


def leaves_work(tree: ast.AST, _path: str) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "NotImplementedError":
            yield node


RULES = (
    Rule("commits", "one action, one transaction: only kernel/db.py ends one", commits, ("storefront/kernel/db.py",)),
    Rule("sends", "a job goes through the outbox, or a crash loses it", sends, ("storefront/kernel/jobs.py",)),
    Rule("reads_the_clock", "kernel/clock.py is the one clock: aware, UTC, and movable in tests", reads_the_clock,
         ("storefront/kernel/clock.py", *DEMO),
         {"storefront/kernel/assets.py": "compares with the ages of files, which the disk's clock wrote",
          "storefront/seeding.py": "lays out a history before the true present; every action in it runs at a pretended time"}),
    Rule("floats_near_money", "money is whole minor units; a float loses a cent", floats_near_money, ("storefront/demo/",)),
    Rule("silent_looks", "whoever looks at every shop says why, in words that can be searched for", silent_looks,
         ("storefront/kernel/tenancy.py",),
         {"tenants/actions.py": "the operator types the reason", "tenants/platform/actions.py": "the operator types the reason"}),
    Rule("made_up_sql", "values are bound: a built string is how an injection begins", made_up_sql, (),
         {"storefront/catalogue/search.py": "the letters A, B and C of the search's weights, written in the module"}),
    Rule("session_settings", "a setting of the session outlives the transaction and shows the next one another shop",
         session_settings),
    Rule("ownerless_core", "statements on tables get no criteria added: they name tenant_id themselves", ownerless_core,
         ("migrations/",)),
    Rule("free_keys", "a key without its shop shows one shop's page in another", free_keys, ("storefront/kernel/cache.py",)),
    Rule("asks_valkey", "whatever is kept in Valkey is kept by the cache, whose keys name their shop", asks_valkey,
         ("storefront/kernel/cache.py", "storefront/kernel/health.py", "storefront/embedded/")),
    Rule("imports_stripe", "one module knows the card provider", imports_stripe,
         ("storefront/payments/gateway.py", "storefront/embedded/fakestripe/")),
    Rule("uses_signals", "a caller cannot see who listens to a signal; events go through the outbox", uses_signals),
    Rule("leaves_work", "nothing is left to be written", leaves_work),
)  # fmt: skip


def modules() -> Iterator[Path]:
    """Every module of the product."""
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def faults(rule: Rule) -> list[str]:
    """`path:line` of everything that breaks a rule."""
    found = []
    for module in modules():
        path = module.relative_to(ROOT).as_posix()
        if rule.applies(path):
            found += [f"{path}:{line}" for line in rule.lines(module.read_text(encoding="utf-8"), path)]
    return found
