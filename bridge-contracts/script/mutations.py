"""Small changes of Solidity sources, all of them in one build, each behind a number.

A change is written beside what it changes: `a < b` becomes `(MUTANT == 7 ? (a <= b) : (a < b))`. `MUTANT` is a constant
of 32 bytes that no program has, so whoever writes another number over it in the bytecode chooses the change: hundreds
of them cost one compilation. It has to be compiled without an optimizer, which would know that the constant is no 7.

What is changed is read off the compiler's own syntax tree: comparisons by one and turned around, each side of `&&` and
`||` left out, conditions always true and never, arithmetic, shifts and bits, numbers and constants by one, `require`
and statements left out, modifiers left out, booleans turned around. The same in assembly.
"""

import os
import re
from dataclasses import dataclass, field

from copies import nodes, range_of

MAGIC = 0xC4A7_7011_5EA1_0F0E_D1A6_0571_C0DE_C0DE_BADC_AB1E_F1A7_10AD_5EED_ED1F_1CE5_0DA5
CONSTANT_FILE = "src/Mutant.sol"
CONSTANT = f"""// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

uint256 constant MUTANT = 0x{MAGIC:064x};
"""

NEAREST = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
OTHER = {"+": "-", "-": "+", "*": "+", "/": "*", "%": "/", "<<": ">>", ">>": "<<", "&": "|", "|": "&", "^": "|"}
YUL_OTHER = {
    "add": "sub",
    "sub": "add",
    "mul": "add",
    "mod": "div",
    "and": "or",
    "or": "and",
    "xor": "or",
    "shl": "shr",
    "shr": "shl",
    "addmod": "mulmod",
    "mulmod": "addmod",
}
YUL_NEAREST = {"lt": "gt", "gt": "lt"}
# Its names are no names of a source.
PICK = b" function pick__(on__, other__, one__) -> is__ { is__ := one__ if on__ { is__ := other__ } } "
# No code of their own.
SKIPPED_NODES = {
    "ImportDirective",
    "PragmaDirective",
    "StructuredDocumentation",
    "EnumDefinition",
    "ErrorDefinition",
    "EventDefinition",
    "StructDefinition",
    "UsingForDirective",
    "ElementaryTypeName",
    "ArrayTypeName",
    "Mapping",
    "UserDefinedTypeName",
    "IdentifierPath",
    "YulTypedName",
}


@dataclass
class Mutant:
    """One change. `number` chooses it, from 1."""

    file: str
    line: int
    was: str
    now: str
    number: int = 0


@dataclass
class Point:
    """A place of the source with its changes: (mutant, the text that stands there instead)."""

    start: int
    end: int
    kind: str
    changes: list = field(default_factory=list)
    # Before the text and each of its changes: a type, where a number alone would have a narrower one.
    cast: str = ""


class Finder:
    """Finds what can be changed in one file."""

    def __init__(self, path, source, tree):
        self.path, self.source = path, source
        self.points, self.blocks, self.modifiers, self.mutants = [], [], [], []
        blocks = nodes(tree, "InlineAssembly")
        in_assembly = {reference["declaration"] for node in blocks for reference in node["externalReferences"]}
        # The length of an array must be a plain number.
        arrays = nodes(tree, "ArrayTypeName")
        lengths = {node["length"].get("referencedDeclaration") for node in arrays if node.get("length")}
        # Constants that assembly names must stay plain numbers: they are changed wherever they are used.
        self.used = {number: [] for number in lengths}
        for node in nodes(tree, "VariableDeclaration"):
            if node["constant"] and node["id"] in in_assembly - lengths and is_uint(node):
                changes = [(self.mutant(node, f"{node['name']} {sign} 1"), sign) for sign in "+-"]
                self.used[node["id"]] = changes
        self.visit(tree, None, None)

    def text(self, node):
        start, end = range_of(node)
        return self.source[start:end].decode()

    def mutant(self, node, now):
        start = range_of(node)[0]
        line = self.source.count(b"\n", 0, start) + 1
        made = Mutant(self.path, line, one_line(self.text(node)), one_line(now))
        self.mutants.append((start, made))
        return made

    def add(self, node, kind, texts, cast="", behind=0):
        if not texts:
            return
        start, end = range_of(node)
        changes = [(self.mutant(node, now), text) for now, text in texts]
        self.points.append(Point(start, end + behind, kind, changes, cast))

    def instead(self, node, *texts, kind="expression", cast=""):
        self.add(node, kind, [(text, text) for text in texts], cast)

    def visit(self, node, parent, role):
        """Looks at a node and what is below it; `role` is its name in its parent."""
        if isinstance(node, list):
            for each in node:
                self.visit(each, parent, role)
            return
        if not isinstance(node, dict) or "nodeType" not in node:
            return
        kind = node["nodeType"]
        if kind in SKIPPED_NODES:
            return
        if kind.startswith("Yul"):
            if self.look_yul(node, role) is False:
                return
        elif self.look(node, parent, role) is False:
            return
        if kind == "InlineAssembly":
            self.blocks.append(range_of(node["AST"])[0] + 1)
            self.assembly = {reference["src"]: reference["declaration"] for reference in node["externalReferences"]}
        if kind == "ForStatement":
            # A loop that does not go on is no interesting fault.
            self.visit(node.get("loopExpression", {}).get("expression"), node, "expression_of_loop")
        for name, child in node.items():
            if name == "loopExpression":
                continue
            if name not in ("typeDescriptions", "commonType", "externalReferences", "documentation"):
                self.visit(child, node, name)

    def look(self, node, parent, role):
        """Notes the changes of a node of Solidity. False: nothing below it is changed."""
        kind = node["nodeType"]
        if type_of(node).startswith(("int_const", "rational_const")):
            self.look_number(node, parent, role)
            return False
        if kind == "VariableDeclaration" and node["constant"]:
            self.look_constant(node)
            return False
        if kind == "Identifier" and self.used.get(node["referencedDeclaration"]):
            changes = [(made, f"{self.text(node)} {sign} 1") for made, sign in self.used[node["referencedDeclaration"]]]
            self.points.append(Point(*range_of(node), "expression", changes))
        if kind in ("IfStatement", "Conditional"):
            self.instead(node["condition"], "true", "false")
        elif kind in ("WhileStatement", "ForStatement") and node.get("condition"):
            self.instead(node["condition"], "false")
        elif kind == "BinaryOperation":
            self.look_operation(node, parent, role)
        elif kind == "UnaryOperation":
            self.look_unary(node, role)
        elif kind == "Assignment" and node["operator"] != "=" and role != "expression_of_loop":
            operator = node["operator"][:-1]
            left, right = self.text(node["leftHandSide"]), self.text(node["rightHandSide"])
            self.instead(node, f"{left} {OTHER[operator]}= {right}")
        elif kind == "Literal" and node["kind"] == "bool":
            self.instead(node, "false" if node["value"] == "true" else "true")
        elif kind in ("ExpressionStatement", "EmitStatement") and parent["nodeType"] != "ForStatement":
            self.look_statement(node)
        elif kind == "Return" and node.get("expression") and type_of(node["expression"]) == "bool":
            if node["expression"].get("operator") not in OPPOSITE and node["expression"]["nodeType"] != "Literal":
                self.instead(node["expression"], f"!({self.text(node['expression'])})")
        elif kind == "ModifierInvocation" and node["kind"] == "modifierInvocation":
            made = self.mutant(node, "")
            self.modifiers.append((made, node))
        return None

    def look_number(self, node, parent, role):
        if parent["nodeType"] == "BinaryOperation" and parent["operator"] in NEAREST:
            return  # The comparison itself is moved by one.
        if parent["nodeType"] == "FunctionCall" and parent["kind"] == "typeConversion":
            if not type_of(parent).startswith("uint"):
                return
        cast = ""
        if parent["nodeType"] == "BinaryOperation":
            is_distance = parent["operator"] in ("<<", ">>") and role == "rightExpression"
            common = parent["commonType"]["typeString"]
            if not is_distance and not common.startswith(("uint", "int_const")):
                return
            cast = common if common.startswith("uint") and not is_distance else ""
        self.instead(node, f"{self.text(node)} + 1", cast=cast)

    def look_constant(self, node):
        if node["id"] in self.used or not is_uint(node) or not node.get("value"):
            return
        value = self.text(node["value"])
        texts = [f"{value} + 1"] if value == "0" else [f"{value} + 1", f"{value} - 1"]
        self.instead(node["value"], *texts, cast=type_of(node))

    def look_operation(self, node, parent, role):
        operator = node["operator"]
        left, right = self.text(node["leftExpression"]), self.text(node["rightExpression"])
        if operator in ("&&", "||"):
            for side in (node["leftExpression"], node["rightExpression"]):
                if side.get("operator") != operator:
                    self.instead(side, "true" if operator == "&&" else "false")
        elif operator in OPPOSITE:
            others = [NEAREST[operator]] if operator in NEAREST else []
            # Where it decides alone, always and never are tried already.
            is_tried = role == "condition" or parent.get("operator") in ("&&", "||")
            if not is_tried and not is_require(parent):
                others.append(OPPOSITE[operator])
            self.instead(node, *[f"{left} {other} {right}" for other in others])
        elif operator in OTHER:
            self.instead(node, f"{left} {OTHER[operator]} {right}")

    def look_unary(self, node, role):
        inner = self.text(node["subExpression"])
        if node["operator"] == "!":
            self.instead(node, inner)
        elif node["operator"] in ("++", "--") and role != "expression_of_loop":
            other = "--" if node["operator"] == "++" else "++"
            self.instead(node, f"{other}{inner}" if node["prefix"] else f"{inner}{other}")

    def look_statement(self, node):
        call = node.get("expression") or node
        if is_require(call):
            self.instead(call["arguments"][0], "true")
        elif not re.search("calldata|storage pointer", type_of(call)):
            # A pointer into calldata or storage must be set.
            self.add(node, "statement", [("", "")], behind=1)

    def look_yul(self, node, role):
        """Notes the changes of a node of assembly."""
        kind = node["nodeType"]
        if kind == "YulCase":
            self.visit(node["body"], node, "body")
            return False
        if kind in ("YulExpressionStatement", "YulAssignment"):
            self.add(node, "yul statement", [("", "")])
        elif kind == "YulIf":
            self.instead(node["condition"], "1", "0", kind="yul")
        elif kind == "YulForLoop":
            for name in ("pre", "condition", "body"):
                self.visit(node[name], node, name)
            for statement in node["post"]["statements"]:
                self.visit(statement.get("value") or statement["expression"], node, "post")
            return False
        elif kind == "YulLiteral" and node["kind"] == "number":
            self.instead(node, f"{int(node['value'], 0) + 1}", kind="yul")
        elif kind == "YulIdentifier" and self.used.get(self.assembly.get(node["src"])):
            name = self.text(node)
            words = {"+": f"add({name}, 1)", "-": f"sub({name}, 1)"}
            changes = [(made, words[sign]) for made, sign in self.used[self.assembly[node["src"]]]]
            self.points.append(Point(*range_of(node), "yul", changes))
        elif kind == "YulFunctionCall":
            name = node["functionName"]["name"]
            whole = self.text(node)
            arguments = whole[len(name) :]
            if name in YUL_OTHER:
                self.instead(node, YUL_OTHER[name] + arguments, kind="yul")
            elif name in YUL_NEAREST:
                others = [f"iszero({YUL_NEAREST[name]}{arguments})", f"iszero({whole})"]
                self.instead(node, *others[: 1 if role == "condition" else 2], kind="yul")
            elif name == "eq":
                self.instead(node, f"iszero({whole})", kind="yul")
            elif name == "not":
                self.instead(node, arguments[1:-1], kind="yul")
            for argument in node["arguments"]:
                self.visit(argument, node, "argument")
            return False
        return None


def type_of(node):
    return (node.get("typeDescriptions") or {}).get("typeString") or ""


def is_uint(node):
    return type_of(node).startswith("uint") and "[" not in type_of(node)


def is_require(node):
    return node.get("nodeType") == "FunctionCall" and node["expression"].get("name") == "require"


def one_line(text):
    return " ".join(text.split())


def numbered(finders):
    """All mutants in the order of files and places, numbered from 1."""
    mutants = []
    for finder in finders:
        finder.mutants.sort(key=lambda place: place[0])
        mutants += [made for _, made in finder.mutants]
    for number, made in enumerate(mutants, 1):
        made.number = number
    return mutants


def written(finder, chosen, clones):
    """The file's text with the changes of these numbers in it. `clones`: (place, text) of modifiers made for others."""
    inserts = [(place, PICK) for place in finder.blocks] + clones
    edits = [(place, place, "insert", text) for place, text in inserts]
    for made, node in finder.modifiers:
        if made.number in chosen:
            start = range_of(node)[0]
            name = node["modifierName"]["name"]
            edits.append((start, start + len(name), "insert", f"{name}{made.number}".encode()))
    points = []
    for point in finder.points:
        changes = [(made.number, text) for made, text in point.changes if made.number in chosen]
        if changes:
            points.append((point.start, point.end, point, changes))
    tree = sorted(points + edits, key=lambda each: (each[0], -each[1], each[2] != "insert", rank(each[2])))
    header = os.path.relpath(CONSTANT_FILE, os.path.dirname(finder.path))
    import_ = f'import {{MUTANT}} from "{header if header.startswith(".") else "./" + header}";'.encode()
    text, _ = rendered(finder.source, tree, 0, 0, len(finder.source))
    return text.replace(b"pragma solidity 0.8.37;", b"pragma solidity 0.8.37; " + import_, 1)


def rank(point):
    return 0 if isinstance(point, str) or "statement" in point.kind else 1


def rendered(source, tree, at, start, end):
    """Text from `start` to `end`, of which the points from number `at` on are part; the number of the next point."""
    text = b""
    while at < len(tree) and tree[at][0] >= start and tree[at][1] <= end:
        from_, to, point, changes = tree[at]
        text += source[start:from_]
        if point == "insert":
            text, at = text + changes, at + 1
        else:
            inner, at = rendered(source, tree, at + 1, from_, to)
            text += wrapped(point, changes, inner)
        start = to
    return text + source[start:end], at


def wrapped(point, changes, inner):
    if point.kind == "statement":
        return b"{ if (MUTANT != %d) { %s } }" % (changes[0][0], inner)
    if point.kind == "yul statement":
        return b"if iszero(eq(0x%064x, %d)) { %s }" % (MAGIC, changes[0][0], inner)
    for number, change in reversed(changes):
        change = change.encode()
        if point.kind == "yul":
            inner = b"pick__(eq(0x%064x, %d), %s, %s)" % (MAGIC, number, change, inner)
        else:
            cast = point.cast.encode()
            inner = b"(MUTANT == %d ? %s(%s) : %s(%s))" % (number, cast, change, cast, inner)
    return inner
