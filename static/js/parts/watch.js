// A page that waits for something asks now and then whether it came, and shows itself anew when it did. It asks less and
// less, and not at all while nobody looks.
const waiting = document.querySelector("[data-watch]");
if (waiting) {
  let pause = 4000;
  const ask = async () => {
    pause = Math.min(pause * 1.1, 60000);
    if (!document.hidden) {
      const answer = await fetch(waiting.dataset.watch, { headers: { Accept: "application/json" } }).catch(() => null);
      if (answer?.ok && (await answer.json()).mark !== waiting.dataset.watchMark) return location.reload();
    }
    setTimeout(ask, pause);
  };
  setTimeout(ask, pause);
}
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
