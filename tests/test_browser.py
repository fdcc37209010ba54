"""The page in a real browser: drawn, sorted, light and dark, and asking nobody for anything."""

import time

import pytest
from browsing import browser, complaints, missing, prefer, requests, resize
from pages import ATTACKS, KERNELS, hostile, partly_compared, race, sweep

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())
for module in ("altair", "vl_convert", "jinja2"):
    pytest.importorskip(module, reason=f"the page needs {module}, of the extra plot")

READY = "return 'ready' in document.documentElement.dataset"
CELLS = (
    "return [...document.querySelectorAll('table')[0].tBodies[0].rows].map(row => row.cells[{}].textContent)"
)
PAPER = "return getComputedStyle(document.body).backgroundColor"
LABEL = "return getComputedStyle(document.querySelector('.chart .role-axis-label text')).fill"


@pytest.fixture(scope="module")
def driver():
    with browser() as found:
        found.set_page_load_timeout(60)
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


@pytest.fixture
def show(driver, folder):
    """Writes a page, opens it and waits until its charts are drawn; gives the driver."""
    from primerace.report import html

    def show(name, *results):
        path = folder / f"{name}.html"
        if not path.exists():
            path.write_text(html.page([(ATTACKS[0], each) for each in results]), encoding="utf-8")
        for clear in (requests, complaints):
            clear(driver)
        driver.get(path.as_uri())
        deadline = time.monotonic() + 60
        while not driver.execute_script(READY):
            assert time.monotonic() < deadline, complaints(driver)
            time.sleep(0.02)
        return driver

    yield show
    prefer(driver, "light")
    resize(driver, 1280)
    driver.execute_script("sessionStorage.clear()")


@pytest.fixture
def shown(show):
    return show("race", race(kernels=KERNELS))


def test_nothing_is_asked_for_and_nothing_complained_about(show, folder):
    driver = show("both", race(kernels=KERNELS), sweep())
    driver.execute_script("window.scrollTo(0, document.body.scrollHeight)")
    assert requests(driver) == [(folder / "both.html").as_uri()]
    assert complaints(driver) == []


def test_policy_keeps_the_network_out(shown):
    """The page does not ask; that it could not if it tried is the browser's word."""
    ask = (
        "const done = arguments[0]; fetch('http://127.0.0.1:9/').then(() => done('sent'), e => done(e.name))"
    )
    assert shown.execute_async_script(ask) == "TypeError"
    assert any("Content Security Policy" in words for words in complaints(shown))
    assert not [address for address in requests(shown) if address.startswith("http")]


def test_every_chart_is_drawn(show):
    driver = show("both", race(kernels=KERNELS), sweep())
    figures = driver.find_elements("css selector", "figure")
    assert len(figures) >= 7
    for figure in figures:
        (picture,) = figure.find_elements("css selector", "svg")
        assert picture.size["width"] > 500
        assert picture.size["height"] > 50
        assert not figure.find_elements("css selector", ".failed")


def test_marks_stand_for_what_was_measured(shown):
    count = "return document.querySelectorAll(`figure[data-chart=${arguments[0]}] ${arguments[1]}`).length"
    contestants = 2 * len(KERNELS)
    assert shown.execute_script(count, "speedup", ".mark-symbol.role-mark path") == contestants
    assert shown.execute_script(count, "seconds", ".mark-symbol.role-mark path") == contestants + len(KERNELS)
    boxes = shown.execute_script(count, "timeline", ".mark-rect.role-mark path")
    assert boxes >= 4 * 3 * len(KERNELS)  # items, racers


def test_click_sorts_by_number_and_back(shown):
    median = shown.find_elements("css selector", "th")[3]
    before = shown.execute_script(CELLS.format(3))
    assert median.get_attribute("aria-sort") == "ascending"
    median.find_element("css selector", "button").click()
    assert median.get_attribute("aria-sort") == "descending"
    assert shown.execute_script(CELLS.format(3)) == before[::-1]
    median.find_element("css selector", "button").click()
    assert shown.execute_script(CELLS.format(3)) == before


def test_keyboard_sorts_by_text(shown):
    from selenium.webdriver.common.keys import Keys

    before = shown.execute_script(CELLS.format(0))
    racer = shown.find_elements("css selector", "th")[0]
    racer.find_element("css selector", "button").send_keys(Keys.ENTER)
    assert racer.get_attribute("aria-sort") == "ascending"
    assert shown.execute_script(CELLS.format(0)) == sorted(before)
    shown.switch_to.active_element.send_keys(Keys.SPACE)
    assert shown.execute_script(CELLS.format(0)) == sorted(before, reverse=True)
    sorts = shown.execute_script("return document.querySelectorAll('[aria-sort]').length")
    assert sorts == 1


def test_missing_values_stay_last(show):
    driver = show("partial", partly_compared())
    header = driver.find_elements("css selector", "th")[4]
    keys = "return [...document.querySelectorAll('tbody')[0].rows].map(row => row.cells[4].dataset.value)"
    for _ in range(2):
        header.find_element("css selector", "button").click()
        assert driver.execute_script(keys) == ["1.5", *[""] * 5]


def test_first_tab_skips_to_the_results(shown):
    from selenium.webdriver.common.keys import Keys

    shown.find_element("css selector", "body").send_keys(Keys.TAB)
    link = shown.switch_to.active_element
    assert link.text == "Skip to the results"
    assert link.rect["x"] >= 0
    link.send_keys(Keys.ENTER)
    assert shown.switch_to.active_element.get_attribute("id") == "main"


def test_focus_can_be_seen(shown):
    from selenium.webdriver.common.keys import Keys

    shown.find_element("css selector", "body").send_keys(Keys.TAB, Keys.TAB)
    style = (
        "const own = getComputedStyle(document.activeElement); return [own.outlineStyle, own.outlineWidth]"
    )
    assert shown.execute_script(style) == ["solid", "2px"]


def test_theme_follows_the_system_and_the_button(shown):
    light, ink = shown.execute_script(PAPER), shown.execute_script(LABEL)
    prefer(shown, "dark")
    dark, chalk = shown.execute_script(PAPER), shown.execute_script(LABEL)
    assert light != dark
    assert ink != chalk
    button = shown.find_element("css selector", ".theme")
    assert button.text == "Light theme"
    button.click()
    assert shown.execute_script(PAPER) == light
    assert shown.execute_script(LABEL) == ink
    assert button.text == "Dark theme"


def test_theme_is_remembered_for_the_visit(show):
    driver = show("race", race(kernels=KERNELS))
    light = driver.execute_script(PAPER)
    driver.find_element("css selector", ".theme").click()
    show("race")
    assert driver.execute_script(PAPER) != light


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(shown, scheme):
    """At least 4.5 to 1, which WCAG 2 wants of text, for everything that is read."""
    prefer(shown, scheme)
    kinds = "body, .meta, .small, .verdict li, .kind, td, th button, dt, dd, a:not(.skip), pre code"
    pairs = shown.execute_script(
        """
        const ground = (node) => {
            const own = getComputedStyle(node).backgroundColor;
            return own === 'rgba(0, 0, 0, 0)' && node.parentElement ? ground(node.parentElement) : own;
        };
        return [...document.querySelectorAll(arguments[0])].map(
            (node) => [getComputedStyle(node).color, ground(node), node.className || node.tagName]);
        """,
        kinds,
    )
    assert len({kind for _, _, kind in pairs}) > 6
    for text, ground, kind in pairs:
        assert contrast(text, ground) >= 4.5, (kind, text, ground)


def contrast(one, other):
    """The ratio of luminances that WCAG 2 defines, of two colours such as 'rgb(27, 32, 39)'."""
    above, below = sorted(map(luminance, (one, other)), reverse=True)
    return (above + 0.05) / (below + 0.05)


def luminance(colour):
    channels = [int(part) / 255 for part in colour.strip("rgba()").split(",")[:3]]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("width", [390, 1280])
def test_page_never_scrolls_sideways(show, driver, width):
    resize(driver, width)
    show("both", race(kernels=KERNELS), sweep())
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    ends = "[...document.querySelectorAll('.wide, .chart')].map(each => each.getBoundingClientRect().right)"
    assert max(driver.execute_script(f"return {ends}")) <= width


def test_strings_of_a_result_do_nothing(show, folder):
    driver = show("hostile", hostile(), hostile())
    hover(driver)
    assert driver.execute_script("return window.hacked") is None
    assert requests(driver) == [(folder / "hostile.html").as_uri()]
    assert complaints(driver) == []
    assert driver.execute_script("return document.querySelectorAll('img, main svg svg').length") == 0
    assert ATTACKS[0] in driver.find_element("css selector", "main").text


def hover(driver):
    """Point at every mark, and give the texts of the tooltips that appear."""
    return driver.execute_script(
        """
        const texts = [];
        for (const mark of document.querySelectorAll('.role-mark path')) {
            const place = mark.getBoundingClientRect();
            const where = { bubbles: true, clientX: place.x + 1, clientY: place.y + 1 };
            for (const kind of ['pointerover', 'pointermove', 'mouseover', 'mousemove'])
                mark.dispatchEvent(new PointerEvent(kind, where));
            texts.push(document.querySelector('#vg-tooltip-element')?.textContent);
        }
        return texts.join(" ");
        """
    )


def test_tooltip_shows_strings_as_text(show):
    driver = show("hostile", hostile(), hostile())
    texts = hover(driver)
    for attack in ATTACKS[:3]:  # racer, kernel, item
        assert attack[:20] in texts
    assert driver.find_elements("css selector", "#vg-tooltip-element :is(script, img, svg)") == []


def test_large_page_opens_about_as_fast_as_a_small_one(show):
    """10 racers, 20 items and 30 rounds; what counts in seconds is measured on a quiet machine."""

    def seconds(name, *results):
        begin = time.perf_counter()
        show(name, *results)
        return time.perf_counter() - begin

    small, large = race(), race(30, [f"racer-{place}" for place in range(10)], KERNELS, items=20)
    for name, result in (("small", small), ("large", large)):
        show(name, result)  # written before it is timed
    assert min(seconds("large") for _ in range(3)) < 10 * min(seconds("small") for _ in range(3))
