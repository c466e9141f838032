// A choice that needs no button: the form goes when it changes, after a short rest for steppers.
let rest;
document.addEventListener("change", ({ target }) => {
  if (!target.matches("[data-autosubmit]")) return;
  clearTimeout(rest);
  rest = setTimeout(() => target.form.requestSubmit(), 350);
});
