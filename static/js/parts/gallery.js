// The strip slides by itself; the thumbs only say where to, without filling the history.
for (const gallery of document.querySelectorAll("[data-gallery]")) {
  const strip = gallery.querySelector(".gallery-strip");
  const thumbs = [...gallery.querySelectorAll(".gallery-thumbs a")];
  thumbs.forEach((thumb, index) =>
    thumb.addEventListener("click", (event) => {
      event.preventDefault();
      strip.scrollTo({ left: strip.children[index].offsetLeft - strip.offsetLeft });
    }),
  );
  const seen = new IntersectionObserver(
    (entries) => {
      for (const entry of entries.filter((each) => each.isIntersecting)) {
        const shown = [...strip.children].indexOf(entry.target);
        thumbs.forEach((thumb, index) => thumb.toggleAttribute("aria-current", index === shown));
      }
    },
    { root: strip, threshold: 0.6 },
  );
  if (thumbs.length) for (const item of strip.children) seen.observe(item);
}
