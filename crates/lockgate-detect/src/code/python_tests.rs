use proptest::prelude::*;

use super::*;

fn rules(source: &str) -> Vec<&'static str> {
    check(source, &Allowed::default()).into_iter().map(|spot| spot.rule).collect()
}

/// Ways out of a program, by the rule that must find them.
const WAYS_OUT: &[(&str, &str)] = &[
    // Imports.
    ("import os", "python_import"),
    ("import json, os", "python_import"),
    ("import os.path as p", "python_import"),
    ("from os import system", "python_import"),
    ("import subprocess as math", "python_import"),
    ("if 1:\n  import socket", "python_import"),
    ("def f():\n  from shutil import rmtree", "python_import"),
    ("try:\n  import ctypes\nexcept ImportError: pass", "python_import"),
    ("import jsonx", "python_import"),
    ("import json_os", "python_import"),
    ("import pickle", "python_import"),
    ("import urllib.request", "python_import"),
    ("from . import x", "python_relative_import"),
    ("from ..a import x", "python_relative_import"),
    ("from .os import x", "python_relative_import"),
    ("from math import *", "python_star_import"),
    ("import asyncio", "python_asyncio"),
    ("from asyncio.subprocess import PIPE", "python_asyncio"),
    ("async def f(): pass", "python_asyncio"),
    ("import importlib", "python_dynamic_import"),
    ("from importlib import import_module", "python_dynamic_import"),
    ("import importlib.util as u", "python_dynamic_import"),
    ("import runpy", "python_dynamic_import"),
    ("__import__('os')", "python_dynamic_import"),
    ("f = __import__", "python_dynamic_import"),
    ("[__import__][0]('os')", "python_dynamic_import"),
    // Text that is run.
    ("eval('1')", "python_dynamic_code"),
    ("exec(x)", "python_dynamic_code"),
    ("e = exec", "python_dynamic_code"),
    ("compile('1', '', 'eval')", "python_dynamic_code"),
    ("exec(compile(open('x').read(), 'x', 'exec'))", "python_dynamic_code"),
    ("list(map(eval, ['1']))", "python_dynamic_code"),
    ("(lambda: eval)()('1')", "python_dynamic_code"),
    ("@exec\n@input\nclass X: pass", "python_dynamic_code"),
    ("def f(x=eval): pass", "python_dynamic_code"),
    ("class A:\n  f = exec", "python_dynamic_code"),
    ("[eval(x) for x in y]", "python_dynamic_code"),
    ("{k: exec(v) for k, v in d.items()}", "python_dynamic_code"),
    ("f'{eval(x)}'", "python_dynamic_code"),
    ("f'{1:{eval(x)}}'", "python_dynamic_code"),
    ("x: eval('1') = 2", "python_dynamic_code"),
    ("def f() -> eval('1'): pass", "python_dynamic_code"),
    ("lambda x=exec: x", "python_dynamic_code"),
    ("with exec as f: pass", "python_dynamic_code"),
    ("assert eval('1')", "python_dynamic_code"),
    ("match x:\n  case _ if eval('1'): pass", "python_dynamic_code"),
    ("while (e := eval): break", "python_dynamic_code"),
    ("type X = eval('1')", "python_dynamic_code"),
    ("\u{ff45}val('1')", "python_dynamic_code"),
    // Builtins.
    ("open('/etc/passwd')", "python_restricted_builtin"),
    ("o = open", "python_restricted_builtin"),
    ("input()", "python_restricted_builtin"),
    ("globals()['x']", "python_restricted_builtin"),
    ("locals()", "python_restricted_builtin"),
    ("vars(x)", "python_restricted_builtin"),
    ("breakpoint()", "python_restricted_builtin"),
    ("help('modules')", "python_restricted_builtin"),
    ("license()", "python_restricted_builtin"),
    ("with open('x') as f: pass", "python_restricted_builtin"),
    // Inner names.
    ("().__class__.__bases__[0].__subclasses__()", "python_dunder"),
    ("''.__class__.__mro__[1]", "python_dunder"),
    ("f.__globals__", "python_dunder"),
    ("x.__init__.__globals__['os']", "python_dunder"),
    ("__builtins__.open", "python_dunder"),
    ("__builtins__['eval']", "python_dunder"),
    ("print.__self__", "python_dunder"),
    ("__loader__.load_module('os')", "python_dunder"),
    ("__spec__.loader", "python_dunder"),
    ("x.__dict__", "python_dunder"),
    ("x.__\u{ff43}lass__", "python_dunder"),
    ("del x.__class__", "python_dunder"),
    ("x.__class__ = y", "python_dunder"),
    ("global __builtins__", "python_dunder"),
    ("def f(__builtins__): pass", "python_dunder"),
    ("f(__builtins__=1)", "python_dunder"),
    ("import math as __builtins__", "python_dunder"),
    ("match x:\n  case object(__class__=c): pass", "python_dunder"),
    ("class A:\n  __class_getitem__ = print", "python_dunder"),
    ("try: pass\nexcept Exception as e: e.__traceback__", "python_dunder"),
    ("(x for x in y).gi_frame", "python_inner_attribute"),
    ("e.tb_frame.f_back", "python_inner_attribute"),
    ("f.func_globals", "python_inner_attribute"),
    ("int.mro()", "python_inner_attribute"),
    // Attributes by name.
    ("getattr(x, name)", "python_computed_attribute"),
    ("getattr(x, '__cl' + 'ass__')", "python_computed_attribute"),
    ("getattr(x, 'a' 'b', *y)", ""),
    ("getattr(x, '__class__')", "python_dunder"),
    ("getattr(x, '__cl' 'ass__')", "python_dunder"),
    ("getattr(*a)", "python_computed_attribute"),
    ("g = getattr", "python_computed_attribute"),
    ("map(getattr, a, b)", "python_computed_attribute"),
    ("setattr(x, n, 1)", "python_computed_attribute"),
    ("delattr(x, n)", "python_computed_attribute"),
    ("getattr(x, '_os')", "python_private_attribute"),
    ("getattr(x, f'{n}')", "python_computed_attribute"),
    ("x['__globals__']", "python_dunder_in_text"),
    ("d = {'__builtins__': {}}", "python_dunder_in_text"),
    // Formats.
    ("'{0.__class__}'.format(x)", "python_dunder_in_text"),
    ("'{0[__class__]}'.format(x)", "python_dunder_in_text"),
    ("s.format(x)", "python_format"),
    ("('{0.__cl' + 'ass__}').format(x)", "python_format"),
    ("str.format('{0.a}', x)", "python_format"),
    ("s.format_map(d)", "python_format"),
    ("f'{x.__class__}'", "python_dunder"),
    ("f'{x:{y.__class__}}'", "python_dunder"),
    ("import string\nstring.Formatter().vformat(a, b, c)", "python_format"),
    ("from operator import attrgetter", "python_format"),
    // Modules that modules offer.
    ("import random\nrandom._os.system('id')", "python_private_attribute"),
    ("from random import _os", "python_private_attribute"),
    ("import statistics\nstatistics.sys.modules", "python_offered_module"),
    ("from statistics import sys", "python_offered_module"),
    ("import json\njson.codecs.open('x')", "python_offered_module"),
    ("import dataclasses as d\nd.types.FunctionType", "python_offered_module"),
    ("import re as r\nr.enum.sys.modules['os']", "python_offered_module"),
    ("x.system('id')", "python_offered_module"),
    // What cannot be read.
    ("def f(:", "python_unreadable"),
    ("print 'x'", "python_unreadable"),
    ("x = (", "python_unreadable"),
];

#[test]
fn finds_every_way_out() {
    let mut missed = Vec::new();
    for (source, rule) in WAYS_OUT {
        let found = rules(source);
        let fits = match *rule {
            "" => found.is_empty(),
            rule => found.contains(&rule),
        };
        if !fits {
            missed.push((source, rule, found));
        }
    }
    assert!(missed.is_empty(), "{} of {}: {missed:#?}", missed.len(), WAYS_OUT.len());
}

/// Programs as agents write them.
const ORDINARY: &[&str] = &[
    "",
    "print('hello')",
    "x = [i ** 2 for i in range(10) if i % 2]\nprint(sum(x))",
    "import math\nfrom collections import Counter, defaultdict\nprint(math.sqrt(2), Counter('abca').most_common(1))",
    "import json, re\nm = re.search(r'(\\d+)', s)\nprint(json.dumps({'n': int(m.group(1))}, indent=2))",
    "from datetime import datetime, timedelta\nd = datetime(2024, 1, 1) + timedelta(days=3)\nprint(d.isoformat())",
    "from __future__ import annotations\nimport statistics as st\nprint(st.mean([1, 2]))",
    "def main():\n    return 1\n\nif __name__ == '__main__':\n    main()",
    "class Point:\n    __slots__ = ('x', 'y')\n    def __init__(self, x, y):\n        self._x = x\n        self.y = y\n\
     \n    def __repr__(self):\n        return f'Point({self._x!r}, {self.y:.2f})'",
    "class B(A):\n    def __init__(self):\n        super().__init__()\n        self._n = 0",
    "from dataclasses import dataclass, field\n@dataclass(frozen=True)\nclass A:\n    x: int = 0\n    y: list[str] = field(default_factory=list)",
    "from collections import namedtuple\nP = namedtuple('P', 'a b')\nprint(P(1, 2)._asdict(), P._fields)",
    "print('{} and {:>10}'.format(a, b))",
    "print('%s is %d' % (name, n))",
    "names = getattr(x, 'name', None)",
    "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    print(e, type(e).__name__)\nfinally:\n    pass",
    "match cmd.split():\n    case ['go', d]:\n        print(d)\n    case Point(x=0, y=y):\n        print(y)\n    case _:\n        pass",
    "from functools import reduce, lru_cache\n@lru_cache(maxsize=None)\ndef fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)",
    "import itertools as it\nprint(list(it.islice(it.count(), 3)))",
    "import hashlib, base64\nprint(base64.b64encode(hashlib.sha256(b'x').digest()).decode())",
    "evaluate = 3\nopened = False\nprint(evaluate, opened, 'eval(x) and open(y) and import os')",
    "# import os\n\"\"\"import subprocess; eval('1')\"\"\"\nx = 1",
    "response.code = 3\nx.types = [1]\nprint(x.io, x.signal, account.platform)",
    "def gen():\n    yield from (x async_ for x in y)",
    "table = [\n    {'name': 'a', 'price': 1.5},\n    {'name': 'b', 'price': -2},\n]\nprint(max(table, key=lambda r: r['price']))",
    "import csv, html, textwrap\nprint(html.escape('<b>'), textwrap.dedent('  x'))",
    "a, *b = 1, 2, 3\nprint(a @ b if a else ~a, a if b else -a)",
];

#[test]
fn ordinary_programs_pass() {
    for source in ORDINARY {
        let found = rules(source);
        // One of them is not Python.
        let expected: &[&str] = if source.contains("async_") { &["python_unreadable"] } else { &[] };
        assert_eq!(found, expected, "{source}");
    }
}

#[test]
fn spans_show_what_was_found() {
    let source = "x = 1\nprint(x.__class__)";
    let spots = check(source, &Allowed::default());
    assert_eq!(
        spots.iter().map(|spot| source.get(spot.span.clone())).collect::<Vec<_>>(),
        [Some("__class__")]
    );
}

#[test]
fn the_operator_says_what_may_be_imported() {
    let allowed = Allowed::new(["os.path", "numpy"]);
    for (source, passes) in [
        ("import os.path", true),
        ("from os.path import join", true),
        ("import os", false),
        ("from os import path", false),
        ("import numpy.linalg", true),
        ("import numpyx", false),
        ("import math", false),
    ] {
        assert_eq!(check(source, &allowed).is_empty(), passes, "{source}");
    }
    assert!(Allowed::default().modules().count() > 30);
}

/// Whatever nests, and as deep as fits: found, and in time; the process does not end.
#[test]
fn no_depth_overflows() {
    let full = |unit: &str| unit.repeat(LONGEST / unit.len() - 4);
    for (before, unit, after) in [
        ("", "-", "1"),
        ("", "not ", "x"),
        ("", "1+", "1"),
        ("", "1**", "1"),
        ("x", ".a", ""),
        ("x", "()", ""),
        ("x", "[0]", ""),
        ("", "(", ""),
        ("", "[", ""),
        ("", "{", ""),
        ("", "lambda:", "1"),
        ("", "a if b else ", "c"),
        ("", "await ", "x"),
        ("x = ", "y = ", "1"),
        ("", "f'{", ""),
        ("if 1: pass\n", "elif 1: pass\n", ""),
        ("", "x and y or ", "z"),
        ("", "@a\n", "def f(): pass"),
        ("", "match ", "x"),
        ("", "with (", ""),
        ("", "a < ", "b"),
        ("", "x: ", "y"),
        ("", "if 1:", "x"),
        ("", "*", "x"),
        ("", "print ", "x"),
        ("x = '", "a", "'"),
        ("", "'a' ", ""),
        ("", "f'' ", ""),
        ("", "a;", ""),
        ("", "import a\n", ""),
        ("case ", "a|", "b"),
    ] {
        let source = format!("{before}{}{after}", full(unit));
        let found = rules(&source);
        assert!(found.len() <= MOST, "{unit}");
    }
    assert_eq!(rules(&"x\n".repeat(LONGEST)), ["python_too_long"]);
    assert_eq!(rules(&"(".repeat(DEEPEST + 1)), ["python_too_deep"]);
    assert_eq!(rules(&format!("{}1", "-".repeat(DEEPEST + 5))), ["python_too_deep"]);
    // Deep, and within the limit: what some parsers take twice as long for with every level.
    for (open, middle, close) in [
        ("(", "x", ")"),
        ("with (", "x", "): pass"),
        ("f'{", "x", "}'"),
        ("match (", "x", ")"),
        ("lambda x=(", "1", "):x"),
    ] {
        let depth = DEEPEST / 4;
        let _found = rules(&format!("{}{middle}{}", open.repeat(depth), close.repeat(depth)));
    }
}

proptest! {
    #[test]
    fn any_text_is_answered(source in "\\PC{0,200}") {
        for spot in check(&source, &Allowed::default()) {
            prop_assert!(source.get(spot.span).is_some());
        }
    }

    #[test]
    fn any_pieces_are_answered(pieces in proptest::collection::vec(prop_oneof![
        Just("import "), Just("os"), Just("f'{"), Just("}'"), Just("("), Just(")"), Just(":"), Just("\n"), Just("    "), Just("lambda "),
        Just("x"), Just("="), Just("__class__"), Just("."), Just("async "), Just("match "), Just("case "), Just("'"), Just("\"\"\""),
        Just("\\"), Just("é"), Just("["), Just("]"), Just("@"), Just("if "), Just("else "), Just("def f"),
    ], 0..60)) {
        let source = pieces.concat();
        for spot in check(&source, &Allowed::default()) {
            prop_assert!(source.get(spot.span).is_some());
        }
    }
}
