// One press of the button is enough; the form itself works without this.

const form = document.querySelector("form");
const button = form.querySelector("button");
let sent = false;

form.addEventListener("submit", (event) => {
  if (sent) event.preventDefault();
  sent = true;
  button.setAttribute("aria-disabled", "true");
  button.textContent = button.dataset.sending;
});

// Coming back by the browser's own button shows the page as it was left.
addEventListener("pageshow", () => {
  sent = false;
  button.removeAttribute("aria-disabled");
  button.textContent = button.dataset.send;
});

document.querySelector("[data-first-fault]")?.focus();
