// The phone's own share sheet, and copying: both buttons show themselves only where they work.
for (const button of document.querySelectorAll("[data-share]")) {
  button.hidden = !navigator.share;
  button.addEventListener("click", () =>
    navigator.share({ url: button.dataset.share, title: button.dataset.shareTitle }).catch(() => {}),
  );
}
for (const button of document.querySelectorAll("[data-copy]")) {
  const label = button.querySelector("span");
  const before = label.textContent;
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
    label.textContent = button.dataset.copied;
    setTimeout(() => (label.textContent = before), 1600);
  });
}
