// Adding to the cart without leaving the page: counted at once, corrected by the server's answer.
const counts = () => document.querySelectorAll("[data-cart-count]");
const setCount = (text) => counts().forEach((count) => (count.textContent = text));

const say = (text) => {
  const flashes = document.querySelector(".flashes");
  const line = document.createElement("p");
  line.className = "notice notice--care";
  line.textContent = text;
  flashes?.replaceChildren(line);
  line.scrollIntoView({ block: "nearest" });
};

// After `once` has marked the form: this listener runs last and takes the sending over.
addEventListener("submit", async (event) => {
  const form = event.target;
  if (event.defaultPrevented || !form.matches("[data-cart-add]")) return;
  event.preventDefault();
  const label = event.submitter?.querySelector("span");
  const before = counts()[0]?.textContent ?? "";
  if (label) label.dataset.before ??= label.textContent;
  const restore = () => label && (label.textContent = label.dataset.before);
  const data = new FormData(form, event.submitter);
  setCount(String(Number(before) + Number(data.get("quantity") || 1)));
  if (label) label.textContent = form.dataset.cartAdd;
  try {
    const answer = await fetch(form.getAttribute("action") || location.href, { method: "POST", body: data });
    // Its styles were let in for that page alone, by a word this one does not know.
    const sent = (await answer.text()).replace(/<style\b.*?<\/style>/gs, "");
    const page = new DOMParser().parseFromString(sent, "text/html");
    const count = page.querySelector("[data-cart-count]");
    setCount(count && answer.ok ? count.textContent : before);
    const flashes = page.querySelector(".flashes");
    if (flashes?.children.length) document.querySelector(".flashes")?.replaceChildren(...flashes.children);
    // A refusal has its own page with its own words: show it as it came.
    else if (!answer.ok) say(page.querySelector("h1")?.textContent ?? form.dataset.cartOffline);
    if (!answer.ok) restore();
    const bar = document.querySelector(".order-bar");
    const newBar = page.querySelector(".order-bar");
    if (bar && newBar?.children.length) bar.replaceChildren(...newBar.children);
  } catch {
    // The line dropped: we cannot know whether it arrived, so we do not send it again by ourselves.
    setCount(before);
    say(form.dataset.cartOffline);
    restore();
  }
  delete form.dataset.sent;
  event.submitter?.removeAttribute("aria-busy");
  setTimeout(restore, 1600);
});
