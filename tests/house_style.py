"""How code and text are written: the house rules of style that a formatter does not check.

- Lines end at 120 columns. Markdown is spared where a line cannot be broken: tables, code blocks, URLs.
- "cannot" is one word. A message that is quoted as code is spared.
- No comma operator separates statements: `a = 1, b = 2;` is two of them.

Each rule holds in the folders and files below; widen a list as soon as another folder keeps it. Called by
include_ladder.py.
"""

import bisect
import pathlib
import re

MAX_COLUMNS = 120
ROOMS = ("cli", "columns", "core", "data", "dataset", "diagnose", "evaluate", "features", "files", "filter", "formats",
         "index", "lab", "library", "loss", "math", "model", "nn", "predicate", "propose", "python", "report",
         "retrieval", "sampling", "server", "simulate", "text", "train", "tune")
DOCS = ("bad-data", "diagnose", "encode", "ensemble", "evaluate", "formats", "glossary", "howto/deploy", "howto/size",
        "index", "lab", "negatives", "reliability", "report", "retrieve", "security", "serve", "simulate", "train",
        "troubleshooting", "tune")
CODE_FOLDERS = (*(f"src/{room}" for room in ROOMS), "fuzz")
OTHER_FOLDERS = ("proto", "web/src")  # of which the language has another formatter, or none
PAGES = (*(f"docs/{page}.md" for page in DOCS), "CONTRIBUTING.md", "README.md")
SCRIPTS = ("tests/baselines.py", "tests/house_style.py", "tests/include_ladder.py", "tests/test_include_ladder.py",
           "tests/test_run_tests.py")
COMMA_FOLDERS = (*CODE_FOLDERS, "tests/cpp")

TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])+\'',
                  re.DOTALL)
DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)
HEADER = re.compile(r"\s*(?:else\b|(?:if(?:\s+constexpr)?|for|while|switch)\s*(?=\()|case\b(?:[^:]|::)*:(?!:)|"
                    r"default\s*:|do\b|(?:public|private|protected)\s*:)")
DECLARATION = re.compile(r"(?:auto|class|const|constexpr|enum|explicit|extern|friend|inline|mutable|namespace|static|"
                         r"static_assert|struct|template|thread_local|typedef|typename|unsigned|using|virtual)\b")
NAME = re.compile(r"(?:::)?[A-Za-z_]\w*")
MEMBER = re.compile(r"\s*(?:\.|->|::)\s*(?:template\s+)?~?[A-Za-z_]\w*")
OPERATOR = re.compile(r"\s*(?:(?:[-+*/%&|^]|<<|>>)?=(?!=)|\+\+|--|,|<<|>>|$)")
CONTINUED = re.compile(r"\s*(?:[,;.)(?:=<&|*/+-]|else\b)")


def style_violations(root):
    """Every broken rule of style below the folder `root`, as `file:line: ...`."""
    root = pathlib.Path(root)
    found = []
    for path in sorted(code_files(root, CODE_FOLDERS) + other_files(root)):
        found += prose_violations(path, path.read_text(encoding="utf-8"))
    for name in (*PAGES, *SCRIPTS, "web/vite.config.ts"):
        if (root / name).is_file():
            found += prose_violations(root / name, (root / name).read_text(encoding="utf-8"))
    for path in sorted(code_files(root, COMMA_FOLDERS)):
        found += [f"{path}:{line}: a comma between statements; write '{statement}' as statements of their own"
                  for line, statement in comma_statements(path.read_text(encoding="utf-8"))]
    return found


def code_files(root, folders):
    return [p for folder in folders for p in (root / folder).rglob("*")
            if p.suffix in (".h", ".cpp")]


def other_files(root):
    return [p for folder in OTHER_FOLDERS for p in (root / folder).rglob("*") if p.suffix in (".css", ".proto", ".ts")]


def prose_violations(path, text):
    """Long lines, and 'cannot' in two words."""
    markdown, fenced = path.suffix == ".md", False
    for number, line in enumerate(text.splitlines(), 1):
        if markdown and line.lstrip().startswith("```"):
            fenced = not fenced
        spared = markdown and (fenced or line.lstrip().startswith("|")) or "://" in line
        if len(line) > MAX_COLUMNS and not spared:
            yield f"{path}:{number}: {len(line)} columns, at most {MAX_COLUMNS}"
        said = re.sub(r"`[^`]*`", "", line) if markdown else line
        if path.suffix != ".py" and not fenced and re.search(r"\bcan not\b", said):
            yield f'{path}:{number}: "can not"; write "cannot"'


def comma_statements(text):
    """(line, statement) for each statement of C++ that is an expression with a comma outside of all brackets.

    A declaration is told by its beginning: a keyword of DECLARATION, or a name that another name follows."""
    code = DIRECTIVE.sub(blank, TEXT.sub(blank, text))
    ends = [m.start() for m in re.finditer("\n", code)]
    for begin, end in statements(code):
        begin = behind_headers(code, begin, end)
        if begin < end and is_expression(code, begin, end) and has_comma(code, begin, end):
            yield bisect.bisect_left(ends, begin) + 1, " ".join(text[begin:end].split())


def blank(match):
    """As many characters, without what they say; a string stays an operand."""
    kept = "0" if match[0][0] in "\"'R" else " "
    return kept + re.sub(r"[^\n]", " ", match[0][1:])


def statements(code):
    """(begin, end) of what stands before each semicolon that is inside of no parentheses."""
    open_brackets = [["{", 0]]  # bracket, begin of the current statement inside it
    for i, c in enumerate(code):
        if c in "([{":
            open_brackets.append([c, i + 1])
        elif c in ")]":
            if open_brackets[-1][0] != "{":
                open_brackets.pop()
        elif c == "}":
            while len(open_brackets) > 1 and open_brackets.pop()[0] != "{":
                pass
            if open_brackets[-1][0] == "{" and not CONTINUED.match(code, i + 1):
                open_brackets[-1][1] = i + 1
        elif c == ";":
            if open_brackets[-1][0] == "{":
                yield open_brackets[-1][1], i
            open_brackets[-1][1] = i + 1


def closing(code, i):
    """Behind the bracket that closes the one at i."""
    depth = 0
    for j in range(i, len(code)):
        depth += (code[j] in "([{") - (code[j] in ")]}")
        if depth == 0:
            return j + 1
    return len(code)


def behind_template_arguments(code, i, end):
    """Behind the '>' that closes the '<' at i; i if this is a comparison. The formatter puts blanks around those."""
    if i == 0 or not re.match(r"\w", code[i - 1]) or code[i:i + 2] in ("<<", "<="):
        return i
    depth, j = 0, i
    while j < end:
        if code[j] in "([{":
            j = closing(code, j)
            continue
        depth += (code[j] == "<") - (code[j] == ">" and code[j - 1] != "-")
        j += 1
        if depth == 0:
            return j
    return i


def behind_headers(code, begin, end):
    """Where the statement itself begins, behind if (...), else, for (...), case x: and the like."""
    while True:
        begin = re.compile(r"\s*").match(code, begin).end()
        header = HEADER.match(code, begin, end)
        if not header:
            return begin
        begin = header.end()
        if begin < end and code[begin] == "(":
            begin = closing(code, begin)


def is_expression(code, begin, end):
    if re.compile(r"(?:delete|return|throw)\b|\+\+|--|\*").match(code, begin, end):
        return True
    name = NAME.match(code, begin, end)
    if DECLARATION.match(code, begin, end) or (not name and code[begin] != "("):
        return False
    i = name.end() if name else closing(code, begin)
    while i < end:
        member = MEMBER.match(code, i, end)
        if member:
            i = member.end()
        elif code[i] in "([":
            i = closing(code, i)
        elif code[i] == "<" and behind_template_arguments(code, i, end) > i:
            i = behind_template_arguments(code, i, end)
        else:
            break
    return bool(OPERATOR.match(code, i, end))


def has_comma(code, begin, end):
    i = begin
    while i < end:
        if code[i] == ",":
            return True
        if code[i] in "([{":
            i = closing(code, i)
        elif code[i] == "<":
            i = max(i + 1, behind_template_arguments(code, i, end))
        else:
            i += 1
    return False
