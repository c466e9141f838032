// "Usar mi ubicación": asked only when tapped, written in two fields that the person can see sent.
for (const button of document.querySelectorAll("[data-locate]")) {
  const [lat, lng] = button.dataset.locate.split(" ").map((id) => document.getElementById(id));
  const label = button.querySelector("span");
  button.hidden = !navigator.geolocation || !lat || !lng;
  button.addEventListener("click", () => {
    label.textContent = button.dataset.locateBusy;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        lat.value = coords.latitude.toFixed(6);
        lng.value = coords.longitude.toFixed(6);
        label.textContent = button.dataset.locateDone;
        lat.dispatchEvent(new Event("change", { bubbles: true }));
      },
      () => (label.textContent = button.dataset.locateFailed),
      { enableHighAccuracy: true, timeout: 15000 },
    );
  });
}
