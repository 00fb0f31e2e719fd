// Questions before destructive acts. <a href="/…/revoke/" data-confirm> leads to a page that asks; with
// scripts the same question ([data-question] of that page) is shown in a dialog on this page.
// Menus close when one clicks elsewhere or presses Escape.
async function question(address) {
  const answer = await fetch(address, { credentials: "same-origin" });
  if (!answer.ok || answer.redirected) throw new Error("no question");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return page.querySelector("[data-question]");
}

function asDialog(body) {
  const heading = body.querySelector("h1");
  const title = document.createElement("h2");
  title.id = "dialog-title";
  title.textContent = heading.textContent;
  heading.replaceWith(title);
  body.className = "dialog__body";
  body.querySelector("[data-close]")?.setAttribute("role", "button");
  return body;
}

async function ask(link) {
  const dialog = document.getElementById("dialog");
  try {
    const body = await question(link.href);
    dialog.replaceChildren(asDialog(document.importNode(body, true)));
    dialog.showModal();
  } catch {
    location.assign(link.href);
  }
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(except)) menu.open = false;
  }
}

export function startDialogs() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-confirm]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      ask(link);
      return;
    }
    const close = event.target.closest("dialog [data-close]");
    if (close) {
      event.preventDefault();
      close.closest("dialog").close();
    }
    if (event.target.matches("dialog")) event.target.close();
    closeMenus(event.target);
  });
  document.addEventListener("keydown", (event) => {
    const open = document.querySelector("details.menu[open]");
    if (event.key !== "Escape" || !open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
}
