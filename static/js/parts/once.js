// A form is sent once: a second tap on a slow line must not order twice.
const release = (form) => {
  delete form.dataset.sent;
  for (const busy of form.querySelectorAll("button[aria-busy]")) busy.removeAttribute("aria-busy");
};
document.addEventListener("submit", (event) => {
  const form = event.target;
  // By attribute: a field called "method" would hide the property.
  if (event.defaultPrevented || form.getAttribute("method") !== "post") return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  event.submitter?.setAttribute("aria-busy", "true");
  // An answer that is a file leaves the page standing.
  setTimeout(() => release(form), 8000);
});
// A page that comes back from the browser's memory is usable again.
addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach(release);
});
