// One less, one more, at thumb's size.
for (const stepper of document.querySelectorAll("[data-stepper]")) {
  const input = stepper.querySelector("input");
  const buttons = stepper.querySelectorAll("[data-step]");
  const refresh = () => {
    const value = Number(input.value);
    buttons[0].disabled = value <= Number(input.min);
    buttons[1].disabled = input.max !== "" && value >= Number(input.max);
  };
  for (const button of buttons) {
    button.hidden = false;
    button.addEventListener("click", () => {
      if (button.dataset.step > 0) input.stepUp();
      else input.stepDown();
      refresh();
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }
  input.addEventListener("input", refresh);
  refresh();
}
