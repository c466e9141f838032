// A photo is shown before it is sent, and made smaller first: a 12-megapixel picture is minutes on a village line.
const smaller = async (file, longest) => {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = longest / Math.max(picture.width, picture.height);
  if (scale >= 1) return file;
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
  if (!blob || blob.size >= file.size) return file;
  return new File([blob], file.name.replace(/\.\w+$/, ".jpg"), { type: "image/jpeg" });
};

document.addEventListener("change", async ({ target }) => {
  if (!target.matches("input[type=file][data-downscale]")) return;
  const files = [...target.files];
  const shown = target.parentElement.querySelectorAll(".file-preview");
  shown.forEach((old) => (URL.revokeObjectURL(old.src), old.remove()));
  try {
    const bag = new DataTransfer();
    for (const file of files) bag.items.add(await smaller(file, Number(target.dataset.downscale)));
    target.files = bag.files;
  } catch {
    // Not a picture this browser can read: the server will say so, or read it.
  }
  for (const file of target.files) {
    const preview = new Image();
    preview.className = "file-preview";
    preview.alt = "";
    preview.onerror = () => preview.remove();
    preview.src = URL.createObjectURL(file);
    target.after(preview);
  }
});
