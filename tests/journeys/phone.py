"""A person's phone: a narrow Chromium that looks at every page it comes to, as somebody would who cannot see well, has
large thumbs, or has switched scripts off."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Response

from tests.journeys.stage import eventually

WIDTH, HEIGHT = 360, 740
THUMB = 44
LINE = 24
"""The least height of a link that stands in a line of text or a list."""

_AXE = Axe()
_NAMES = re.compile(r"^[\w-]+(?=\.portales)(?<!app)(?<!partners)|(?<=/)[\w-]{6,}$|\d+")
"""What differs between two pages of one kind: the shop's name, a code or a token at the end, numbers."""
_looked_at: set[str] = set()
_LOOK = """([thumb, line]) => {
  const name = e => (e.innerText || e.getAttribute("aria-label") || e.name || e.tagName).trim().slice(0, 40);
  const seen = e => e.checkVisibility({visibilityProperty: true}) && e.getClientRects().length > 0;
  const faults = [];
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) {
    const out = e => seen(e) && e.getBoundingClientRect().right > innerWidth + 1;
    const who = [...document.querySelectorAll("body *")].filter(out).slice(-1).map(e => `${e.tagName}.${e.className}`);
    faults.push(`scrolls sideways: ${wide} px, because of ${who}`);
  }
  const touched = "button, summary, select, textarea, a.button, nav a, .tab-bar a, label:has(> input), " +
    "input:not([type=hidden], [type=checkbox], [type=radio])";
  for (const e of document.querySelectorAll(touched)) {
    if (!seen(e) || e.closest(".unseen, .skip")) continue;
    const box = e.getBoundingClientRect();
    if (box.height < 2 || box.width < 2) continue;
    const least = e.matches("nav a:not(.button)") ? line : thumb;
    if (box.height < least - 0.6) faults.push(`too small to touch: ${name(e)} is ${Math.round(box.height)} px high`);
  }
  return faults;
}"""


@dataclass
class Phone:
    """One person's browser. `faults` gathers what should not have been seen, `typed` the fields filled by hand."""

    browser: Browser
    who: str
    scripts: bool = True
    looks_closely: bool = True
    faults: list[str] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)
    taps: int = 0

    def __post_init__(self) -> None:
        self.context = self.browser.new_context(
            viewport={"width": WIDTH, "height": HEIGHT}, java_script_enabled=self.scripts, locale="es-MX",
            reduced_motion="reduce", has_touch=True,
        )  # fmt: skip
        self.context.set_default_timeout(15_000)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self._fault(f"script failed: {error}"))
        self.page.on("response", self._answered)

    def _fault(self, what: str) -> None:
        self.faults.append(f"{self.who} at {self._place}: {what}")

    @property
    def _place(self) -> str:
        return re.sub(r"^https?://", "", self.page.url)

    def _heard(self, message: ConsoleMessage) -> None:
        """Errors and refusals of the content security policy are said on the console, scripts or no scripts."""
        if message.type == "error":
            self._fault(f"console: {message.text}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self._fault(f"{response.status} for {response.url}")

    # --- doing ----------------------------------------------------------------------------------------------------

    def visit(self, address: str) -> None:
        """Open an address and look at the page."""
        self.page.goto(address)
        self.look()

    def tap(self, label: str | re.Pattern[str], within: str = "body") -> None:
        """Tap the first visible button or link with this label, and look at the page it leads to."""
        place = self.page.locator(within)
        target = place.get_by_role("button", name=label).or_(place.get_by_role("link", name=label)).filter(visible=True)
        assert target.count(), f"{self.who} finds no {label!r} at {self._place}, which reads: {self.text}"
        self.taps += 1
        target.first.click()
        self.page.wait_for_load_state()
        self.look()

    def write(self, label: str, text: str) -> None:
        """Type into the field with this label; counted."""
        self.page.get_by_label(label).filter(visible=True).first.fill(text)
        self.typed.append(label)

    def choose(self, label: str | re.Pattern[str]) -> None:
        """Tap a radio or a box by its words, which are what a thumb meets; a script may send the form at once."""
        found = self.page.locator("main label").filter(has_text=label).filter(visible=True)
        assert found.count(), f"{self.who} finds no {label!r} at {self._place}, which reads: {self.text}"
        if self.scripts and found.first.locator("[data-autosubmit]").count():
            with self.page.expect_navigation():
                found.first.click()
        else:
            found.first.click()

    def unfold(self, label: str) -> None:
        """Open what is folded away."""
        self.page.locator("summary", has_text=label).first.click()

    def upload(self, photo: Path) -> None:
        """Give the page's file field a picture."""
        self.page.locator("main input[type=file]").first.set_input_files(photo)

    # --- seeing ---------------------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """What can be read in the page's main part."""
        return self.page.locator("main").inner_text()

    def reads(self, *words: str) -> bool:
        """Whether the page says all of this."""
        return all(word in self.text for word in words)

    def reloads_until(self, *words: str) -> None:
        """Reload until the page says it: a job needs a moment."""

        def there() -> bool:
            if self.reads(*words):
                return True
            self.page.reload()
            return self.reads(*words)

        eventually(there, f"{words} at {self._place}, which reads: {self.text[:600]}")
        self.look()

    def look(self) -> None:
        """Every page: nothing wider than the phone, nothing too small to touch; nothing axe would object to, once."""
        for what in self._measured():
            self._fault(what)
        # Once for each kind of page and whether it says something special: codes differ, the template does not.
        kind = f"{re.sub(_NAMES, '', self._place)} {self.page.locator('main .notice').count()}"
        if not self.looks_closely or not self.scripts or kind in _looked_at:
            return
        _looked_at.add(kind)
        for violation in _AXE.run(self.page, options={"resultTypes": ["violations"]}).response["violations"]:
            where = [" ".join(node["target"]) for node in violation["nodes"][:3]]
            self._fault(f"axe {violation['id']} ({violation['impact']}): {violation['help']} — {where}")

    def _measured(self) -> list[str]:
        """What the page's own measures say; asked again when the page went away under the question."""
        for _try in range(3):
            try:
                return list(self.page.evaluate(_LOOK, [THUMB, LINE]))
            except Error:
                self.page.wait_for_load_state()
        raise AssertionError(f"{self._place} does not stand still")

    def close(self) -> None:
        """Put the phone away."""
        self.context.close()
