// The hour is already in the text; this adds how many minutes are left, and says when they are over.
const clocks = document.querySelectorAll("[data-countdown]");
const tick = () => {
  for (const clock of clocks) {
    const minutes = Math.ceil((Date.parse(clock.dateTime) - Date.now()) / 60000);
    clock.textContent = minutes > 0 ? clock.dataset.countdown.replace("{}", minutes) : clock.dataset.countdownOver;
  }
};
if (clocks.length) {
  tick();
  setInterval(tick, 10000);
}
