// The button under the smallest picture is redrawn with the pictures: it presses one of the page that stays, and the
// mosaic comes into sight, with the focus, once it is there.

function goToMosaic(tries) {
  const canvas = document.querySelector("#chain-mosaic canvas");
  if (canvas?.getClientRects().length) {
    canvas.scrollIntoView({block: "center"});
    canvas.focus({preventScroll: true});
  } else if (tries) setTimeout(goToMosaic, 50, tries - 1);
}

element.addEventListener("click", event => {
  if (!event.target.closest("[data-paint]")) return;
  document.getElementById("chain-paint").click();
  goToMosaic(100);
});
