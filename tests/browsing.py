"""A real browser for tests: headless Chromium, watched for whatever it asks the network."""

import json
import shutil
import tempfile
from contextlib import contextmanager

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
)
CHROMIUM, DRIVER = ("chromium", "chromium-browser", "google-chrome"), "chromedriver"


def missing():
    """Why there is no browser to test with; empty where there is one."""
    if not any(map(shutil.which, CHROMIUM)):
        return "needs Chromium: apt-get install chromium chromium-driver"
    if not shutil.which(DRIVER):
        return "needs chromedriver: apt-get install chromium-driver"
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "needs Selenium: pip install selenium"
    return ""


@contextmanager
def browser():
    """A browser of its own that is gone afterwards, with its profile."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    with tempfile.TemporaryDirectory() as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = next(filter(None, map(shutil.which, CHROMIUM)))
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service(shutil.which(DRIVER)))
        try:
            yield driver
        finally:
            driver.quit()


def requests(driver):
    """All that pages asked for since the last call; data within a page and the browser's own tab are none."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    asked = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    return [address for address in asked if not address.startswith(("data:", "chrome:"))]


def complaints(driver):
    """What the browser's console says since the last call, warnings too."""
    return [entry["message"] for entry in driver.get_log("browser")]


def resize(driver, width, height=900):
    """Make the window as large as a screen of so many pixels."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def prefer(driver, scheme):
    """What the system prefers, 'light' or 'dark'."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
