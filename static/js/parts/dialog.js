// A dialog that already opens by its address opens over the page instead, and gives the focus back.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  const closer = event.target.closest("[data-dialog-close]");
  const open = opener && document.getElementById(opener.dataset.dialog);
  if (open?.showModal) {
    event.preventDefault();
    open.showModal();
  }
  const close = closer?.closest("dialog[open]") ?? (event.target.matches("dialog[open]") ? event.target : null);
  if (close) {
    event.preventDefault();
    close.close();
  }
});
document.getElementById("errores")?.focus();
