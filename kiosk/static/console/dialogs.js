// Questions of the desk: which of several, whether a called patient came, whether somebody is really taken off the list.

import { $, keyOf, make, say } from "./dom.js";
import { hide } from "./toast.js";

const CLOSING = {
  "view-close": "view",
  "help-close": "help",
  "sure-no": "ask-sure",
  "came-leave": "ask-came",
  "hand-over-leave": "ask-hand-over",
  "note-leave": "ask-note",
};

const DIALOGS = [...document.querySelectorAll("dialog")]; // each key asks: hundreds of rows are not searched for one

export const isOneOpen = () => DIALOGS.some((one) => one.open);

export function closeAll() {
  for (const one of DIALOGS) one.close();
}

// `options`: pairs of what is handed to `then`, and its name.
export function chooseOne(text, options, then) {
  const dialog = $("ask-choice");
  say($("choice-title"), text);
  $("choice-list").replaceChildren(
    ...options.map(([id, name], at) => {
      const button = make("button", "choice", name);
      button.type = "button";
      if (at < 9) button.prepend(make("kbd", "", String(at + 1)), " ");
      button.addEventListener("click", () => {
        dialog.close();
        then(id);
      });
      return button;
    }),
  );
  dialog.showModal();
}

// Called, and never started: one key says whether the patient came, then the move is made. The key is not N: a second
// press of Next by habit would count somebody who never came as served.
export function askCame(text, then) {
  const answer = (came) => {
    $("ask-came").close();
    then(came);
  };
  $("came-yes").onclick = () => answer("finish");
  $("came-no").onclick = () => answer("no_show");
  say($("came-text"), text);
  say($("said"), text);
  hide();
  if (!$("ask-came").open) $("ask-came").showModal();
  $("came-yes").focus();
}

export function askSure(text, then) {
  $("sure-yes").onclick = () => {
    $("ask-sure").close();
    then();
  };
  say($("sure-text"), text);
  $("ask-sure").showModal();
}

// Their keys and buttons. What closes gives the focus back to the list.
export function listen() {
  for (const [button, dialog] of Object.entries(CLOSING)) $(button).addEventListener("click", () => $(dialog).close());
  for (const dialog of DIALOGS) dialog.addEventListener("close", () => $("list").focus());
  $("locked").addEventListener("cancel", (event) => event.preventDefault());
  $("ask-came").addEventListener("keydown", (event) => {
    if (event.repeat)
      event.preventDefault(); // the held key that asked must not answer
    else if (keyOf(event) === "f") $("came-yes").click();
    else if (keyOf(event) === "x") $("came-no").click();
  });
  $("ask-choice").addEventListener("keydown", (event) => {
    if (/^[1-9]$/.test(event.key) && !event.repeat) $("choice-list").children[event.key - 1]?.click();
  });
}
