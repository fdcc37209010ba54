"""The code that is advised: a script of the standard library that does the whole job, ready to run.

It is to be saved in the folder in which primerace was run, where it finds the same modules and files.
"""

import json
import keyword
import os
import pickle
from dataclasses import dataclass

from primerace import items as reading
from primerace import target
from primerace.advising.rule import MODELS

PAGE = '''"""{function} for each of its items, by {how}. Advised by primerace."""

{imports}


{definitions}def main():
{items}
{body}
    print(f"{{len(answers)}} answers, the first one {{answers[0]!r:.60}}")
    return answers


if __name__ == "__main__":
    main()
'''

IN_CHUNKS = """def answer_all(chunk):
    return [{call}(item) for item in chunk]


"""

WRAPPER = """def answer(item):
    return {call}(item)


"""

LOOP = "    answers = [{call}(item) for item in items]"

POOL = """    with {pool} as pool:
        answers = list(pool.map({call}, items{chunksize}))"""

CHUNKED_POOL = """    chunks = [items[first : first + {chunk}] for first in range(0, len(items), {chunk})]
    with {pool} as pool:
        answers = [answer for part in pool.map(answer_all, chunks) for answer in part]"""

JOBLIB = """    calls = (delayed({call})(item) for item in items)
    answers = Parallel(n_jobs={workers}{chunksize})(calls)"""

POOLS = {
    "thread-pool": "from concurrent.futures import ThreadPoolExecutor",
    "interpreters": "from concurrent.futures import InterpreterPoolExecutor",
    "process-pool": "from concurrent.futures import ProcessPoolExecutor",
}

# Names of the snippet's own, which a user's module would hide or be hidden by.
TAKEN = {
    *("answer", "answer_all", "answers", "calls", "chunk", "chunks", "delayed", "first", "item", "items"),
    *("json", "len", "lines", "list", "main", "part", "pool", "print", "range", "sys"),
}


@dataclass(frozen=True)
class Plan:
    """What a snippet is to do.

    Args:
        model: the racer whose model it follows.
        function: its name, `package.module:function` or `./script.py:function`.
        items: the file of the items (not standard input), or the name of their generator.
        workers: how many workers it starts.
        chunk: how many items it hands out at once.
        start_method: how processes are started; None is Python's default.
        long_numbers: whether items or answers have more digits than Python reads and writes.
    """

    model: str
    function: str
    items: str
    workers: int
    chunk: int = 1
    start_method: str | None = None
    long_numbers: bool = False


def snippet(plan: Plan) -> str:
    """The code of a plan.

    >>> plan = Plan("thread-pool", "work:crunch", "work:numbers", workers=4)
    >>> "with ThreadPoolExecutor(4) as pool:" in snippet(plan)
    True
    """
    call, definitions = _expression(plan.function), ""
    if plan.model in ("interpreters", "process-pool", "joblib") and not _travels(plan.function):
        call, definitions = "answer", WRAPPER.format(call=call)
    chunked = plan.chunk > 1
    if chunked and plan.model in ("thread-pool", "interpreters"):
        definitions += IN_CHUNKS.format(call=call)
    return PAGE.format(
        function=_text(plan.function)[1:-1],
        how=MODELS[plan.model],
        imports="\n".join(_imports(plan)),
        definitions=definitions,
        items=_reading(plan.items),
        body=_body(plan, call, chunked),
    )


def _body(plan: Plan, call: str, chunked: bool) -> str:
    workers, chunk = plan.workers, plan.chunk
    match plan.model:
        case "sequential":
            return LOOP.format(call=call)
        case "joblib":
            return JOBLIB.format(call=call, workers=workers, chunksize=f", batch_size={chunk}" * chunked)
        case "process-pool":
            method = f", get_context({_text(plan.start_method)})" if plan.start_method else ""
            pool = f"ProcessPoolExecutor({workers}{method})"
            return POOL.format(pool=pool, call=call, chunksize=f", chunksize={chunk}" * chunked)
        case "thread-pool":
            pool = f"ThreadPoolExecutor({workers})"
        case _:
            pool = f"InterpreterPoolExecutor({workers})"
    return (CHUNKED_POOL if chunked else POOL).format(pool=pool, call=call, chunk=chunk, chunksize="")


def _imports(plan: Plan) -> list[str]:
    library = [POOLS[plan.model]] if plan.model in POOLS else []
    if plan.model == "process-pool" and plan.start_method:
        library.append("from multiprocessing import get_context")
    places = {_place(plan.function)}
    if reading.is_file(plan.items):
        library += ["import json", "from pathlib import Path"]
    else:
        places.add(_place(plan.items))
    folders = sorted({folder for folder in map(_folder, places) if folder})
    if folders or plan.long_numbers:
        library.append("import sys")
    blocks = [
        sorted(library, key=lambda line: (line.startswith("from"), line)),
        ["from joblib import Parallel, delayed"] if plan.model == "joblib" else [],
        [f"sys.path.insert(0, {_text(folder)})" for folder in folders],
        sorted(set(map(_import, places))),
        ["sys.set_int_max_str_digits(0)"] if plan.long_numbers else [],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block).split("\n")


def _place(spec: str) -> str:
    return spec.rpartition(":")[0]


def _folder(place: str) -> str:
    """Where a script lies; nothing where that is the current folder, or for a module."""
    path = os.path.expanduser(place)
    folder = os.path.normpath(os.path.dirname(path) or ".") if target.is_script(place) else "."
    return "" if folder == "." else folder


def _module(place: str) -> str:
    return os.path.basename(place).removesuffix(".py") if target.is_script(place) else place


def _import(place: str) -> str:
    module, name = _module(place), _name(place)
    if name == module:
        return f"import {module}"
    if all(map(_is_identifier, module.split("."))):
        return f"import {module} as {name}"
    return f"{name} = __import__({_text(module)})"


def _name(place: str) -> str:
    """What the snippet calls a module: its own name, unless Python forbids it or the snippet uses it."""
    module = _module(place)
    parts = module.split(".")
    if all(map(_is_identifier, parts)) and parts[0] not in TAKEN:
        return module
    return "module_" + "".join(letter if letter.isalnum() else "_" for letter in module)


def _is_identifier(word: str) -> bool:
    return word.isidentifier() and not keyword.iskeyword(word)


def _expression(spec: str) -> str:
    place, _, path = spec.rpartition(":")
    return f"{_name(place)}.{path}"


def _reading(source: str) -> str:
    """The lines that make the list of the items."""
    if not reading.is_file(source):
        return f"    items = list({_expression(source)}())"
    text = f'Path({_text(source)}).read_text(encoding="utf-8-sig")'
    if reading.is_list(source):
        parse = 'json.loads("\\n".join(lines))'
    else:
        parse = "[json.loads(line) for line in lines]"
    return (
        f'    lines = {text}.split("\\n")\n'
        '    lines = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]\n'
        f"    items = {parse}"
    )


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _travels(spec: str) -> bool:
    """Whether the function can be pickled by itself, as it must be without primerace."""
    try:
        pickle.dumps(target.load(spec).itself)
    except Exception:
        return False
    return True
