// What the browser says when a passkey was not made or used (allauth's scripts talk to it), in words on the page.
const WORDS = {
  NotAllowedError: "No passkey was used: it was cancelled, or took too long. You can try again.",
  InvalidStateError: "This device holds a passkey of this account already.",
  SecurityError: "Passkeys work only over https, at the address of this site.",
};

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const place = document.querySelector("[data-passkey-error]");
  if (!place) return;
  const problem = event.detail.exception;
  place.textContent = WORDS[problem?.name] || "That did not work. Try again, or go on in another way.";
  place.hidden = false;
});

// a browser without passkeys is offered none
if (!window.PublicKeyCredential) {
  for (const each of document.querySelectorAll("[data-needs-passkeys]")) each.hidden = true;
}
