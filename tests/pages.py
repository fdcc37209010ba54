"""Results made up for tests of the page, and a look at the structure of HTML."""

from dataclasses import replace
from html.parser import HTMLParser

from laps import lap, result

from primerace.racers import Outcome
from primerace.results import Speedup, SweepResult
from primerace.stats import Ratio

KERNELS = ("python", "held", "released", "fast")
ATTACKS = (
    "<script>window.hacked = 1</script>",
    '"><img src=x onerror="window.hacked = 1">',
    "</script><script>window.hacked = 1</script>",
    "<!--<script>\u2028\u2029 & ' {{ 7 * 7 }} {% raw %}",
    "</style></title></pre><svg onload=window.hacked=1>",
)


def lapped(number, racer, kernel, workers, seconds, items=4):
    """A lap whose items take turns on as many lanes as there are workers."""
    share = seconds / items
    outcomes = [
        Outcome(index, True, share, share / 2, index % workers, index // workers * share)
        for index in range(items)
    ]
    return replace(lap(number, racer, kernel, workers, seconds, [0.0] * items), outcomes=outcomes)


def race(rounds=6, racers=("threads", "processes"), kernels=("held", "released"), items=4):
    """A race in which everybody is as fast as the number of workers says, and a little slower each round."""
    field = [("sequential", kernel, 1) for kernel in kernels]
    field += [(racer, kernel, 2) for racer in racers for kernel in kernels]
    laps = [
        lapped(number, *key, (1 + number / 100) * (1 + place / 50) / key[2], items)
        for number in range(rounds)
        for place, key in enumerate(field)
    ]
    return result(laps, items=items)


def sweep(rounds=6, counts=(1, 2, 3, 4)):
    """A sweep of two racers."""
    field = [("sequential", "held", 1)]
    field += [(racer, "held", count) for racer in ("threads", "processes") for count in counts]
    laps = [
        lapped(number, *key, (1 + number / 100 + place / 200) / key[2])
        for number in range(rounds)
        for place, key in enumerate(field)
    ]
    return result(laps, items=4, kind=SweepResult)


def partly_compared():
    """A race of which only the fastest is compared with sequential/python."""
    raced = race()
    compared = replace(raced.entries[0], speedup_python=Speedup(Ratio(1.5), "sequential/python"))
    return replace(raced, entries=[compared, *raced.entries[1:]])


def hostile(rounds=6):
    """A race whose every text is an attack on the page that shows it."""
    first, second, third, fourth, fifth = ATTACKS
    laps = [
        lapped(number, *key, 1.0 / key[2])
        for number in range(rounds)
        for key in ((first, second, 2), ("sequential", second, 1), (third, second, 2))
    ]
    found = result(laps, items=4, disqualified={(third, second, 2): "".join(ATTACKS)})
    job = {**found.job, "name": "".join(ATTACKS), "items": list(ATTACKS[:4]), "function": fourth}
    machine = {**found.machine, "cpu": fifth, fourth: first, "python": third}
    return replace(found, job=job, machine=machine, unavailable={first: second, fourth: third})


class Structure(HTMLParser):
    """What is in a page: every tag with its attributes, and the text between them."""

    VOID = ("meta", "link", "img", "br", "input")

    def __init__(self, page):
        super().__init__()
        self.tags = []
        self.texts = []
        self.open = []
        self.scripts = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "script":
            self.scripts.append((dict(attributes), ""))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = attributes, text + data
        elif not self.open or self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self):
        """All that is read."""
        return "".join(self.texts)

    def named(self, tag):
        """The attributes of every such tag."""
        return [attributes for name, attributes in self.tags if name == tag]
