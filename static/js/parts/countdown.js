// The hour is already in the text; this adds how much time is left, in hours while there are many, and says when it is
// over.
const clocks = document.querySelectorAll("[data-countdown]");
const tick = () => {
  for (const clock of clocks) {
    const minutes = Math.ceil((Date.parse(clock.dateTime) - Date.now()) / 60000);
    const hours = Math.floor(minutes / 60);
    const left = hours < 3 ? clock.dataset.countdown.replace("{}", minutes) : clock.dataset.countdownHours.replace("{}", hours);
    clock.textContent = minutes > 0 ? left : clock.dataset.countdownOver;
  }
};
if (clocks.length) {
  tick();
  setInterval(tick, 10000);
}
