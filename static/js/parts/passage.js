// The picture of the card one touched becomes the picture of the product's page.
addEventListener("pageswap", (event) => {
  const to = event.viewTransition && event.activation?.entry?.url;
  if (!to) return;
  const link = [...document.querySelectorAll(".product-link")].find((each) => each.href === to);
  const picture = link?.closest(".product").querySelector(".product-picture");
  if (picture) picture.style.viewTransitionName = "product-picture";
});
