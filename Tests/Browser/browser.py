"""Debian's Chromium without a window, which notes what its pages fetch and what goes wrong in them."""

import base64
import json
import os
import pathlib
import sys
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

DEADLINE = 30
# A live page rests for up to two minutes where a slow machine needs long to make it.
LIVE_DEADLINE = 150
AXE = pathlib.Path(sys.prefix, "axe", "axe_playwright_python", "axe.min.js").read_text()
ARTIFACTS = os.path.join(os.path.dirname(__file__), "artifacts")


class Browser:
    def __init__(self, width=1280, height=900, is_dark=False, has_scripts=True):
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        # No sandbox: the tests may run as root, in a container.
        for argument in ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars",
                         "--force-color-profile=srgb", f"--window-size={width},{height}"]:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        if not has_scripts:
            options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        self.driver = webdriver.Chrome(options, Service("/usr/bin/chromedriver"))
        self.driver.set_page_load_timeout(DEADLINE)
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        if is_dark:
            self.driver.execute_cdp_cmd(
                "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})

    def open(self, url):
        self.driver.get(url)
        return self

    def find(self, selector):
        return WebDriverWait(self.driver, DEADLINE).until(lambda driver: driver.find_element(By.CSS_SELECTOR, selector))

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def link(self, text):
        return WebDriverWait(self.driver, DEADLINE).until(lambda driver: driver.find_element(By.LINK_TEXT, text))

    def until(self, condition):
        """Asks again even where a live page replaces what the condition is just reading."""
        wait = WebDriverWait(self.driver, LIVE_DEADLINE, ignored_exceptions=[StaleElementReferenceException])
        return wait.until(lambda _: condition())

    @property
    def text(self):
        return self.until(lambda: self.find("body").text)

    @property
    def path(self):
        parts = urlsplit(self.driver.current_url)
        return parts.path + ("?" + parts.query if parts.query else "")

    def shoot(self, name):
        """A picture of the whole page, kept as a test artifact."""
        os.makedirs(ARTIFACTS, exist_ok=True)
        self.driver.execute_script("document.activeElement.blur()")
        height = self.driver.execute_script("return document.documentElement.scrollHeight")
        width = self.driver.execute_script("return document.documentElement.clientWidth")
        size = {"x": 0, "y": 0, "width": width, "height": min(height, 2400), "scale": 1}
        picture = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"clip": size, "captureBeyondViewport": True})
        with open(os.path.join(ARTIFACTS, f"{name}.png"), "wb") as file:
            file.write(base64.b64decode(picture["data"]))

    def accessibility_problems(self):
        """What axe-core finds wrong by WCAG 2.1, levels A and AA: the rule, and the elements."""
        # Through the debugger: the page's own policy lets no further script in.
        self.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": AXE})
        found = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}).then((found) => done(found.violations));")
        return {rule["id"]: [node["html"] for node in rule["nodes"]] for rule in found}

    def overflows(self):
        """Whether the page is wider than the window."""
        return self.driver.execute_script("return document.documentElement.scrollWidth > document.documentElement.clientWidth")

    def complaints(self):
        """What the console has said, but for statuses that a test asked for."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def fetched(self):
        """The addresses of all that was asked for over the network."""
        urls = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                urls.append(message["params"]["request"]["url"])
        return urls

    def stop(self):
        self.driver.quit()
