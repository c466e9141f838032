// How many letters are left, once it starts to matter.
for (const input of document.querySelectorAll("[data-counter][maxlength]")) {
  const left = document.createElement("p");
  left.className = "help num";
  input.after(left);
  const show = () => {
    const rest = input.maxLength - input.value.length;
    left.textContent = rest <= input.maxLength / 3 ? String(rest) : "";
  };
  input.addEventListener("input", show);
  show();
}
