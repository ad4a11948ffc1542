// What is done with one ticket and moves nobody: its slip, its details, its values in the order of another form.

import { copyFor } from "./copying.js";
import { chooseOne } from "./dialogs.js";
import { $, copy, describe, keyOf, say } from "./dom.js";
import { post } from "./net.js";
import { onPrinter, print } from "./slip.js";
import { tell } from "./toast.js";

export class OneTicket {
  // `forms`: names of the other programs' forms. `failed(cause)`: the server did not do it.
  constructor(messages, forms, failed) {
    Object.assign(this, { messages, forms, failed });
    $("view-copy").addEventListener("click", () => this.copyAll($("view").details));
    $("view").addEventListener("keydown", (event) => {
      if (keyOf(event) === "y") this.copyAll($("view").details);
    });
  }

  // `named`: the printer in the network; empty: the browser prints.
  async printAgain(ticket, named) {
    if (!ticket) return tell(this.messages.choose_first, "warn");
    try {
      if (named) {
        const sent = await onPrinter(named, ticket.id);
        return tell(sent.words, sent.printed ? "" : "warn");
      }
      await print(await post("/console/slip", { ticket: ticket.id }), this.messages);
    } catch (cause) {
      this.failed(cause);
    }
  }

  async look(ticket) {
    if (!ticket) return tell(this.messages.choose_first, "warn");
    try {
      const found = await post("/console/desk/patient", { ticket: ticket.id });
      say($("view-title"), [found.ticket.token, found.ticket.priority].filter(Boolean).join(" · "));
      describe($("view-details"), found.details);
      $("view").details = found.details;
      $("view").showModal();
    } catch (cause) {
      this.failed(cause);
    }
  }

  // With one form there is nothing to choose.
  copyForForm(ticket) {
    if (!ticket) return tell(this.messages.choose_first, "warn");
    if (!this.forms.length) return tell(this.messages.no_forms, "warn");
    const copyOne = async (form) => {
      try {
        tell(await copyFor(ticket, form));
      } catch (cause) {
        this.failed(cause);
      }
    };
    if (this.forms.length === 1) return copyOne(this.forms[0]);
    chooseOne(
      ticket.token,
      this.forms.map((form) => [form, form]),
      copyOne,
    );
  }

  async copyAll(details) {
    if (!details?.length) return;
    await copy(details);
    tell(this.messages.copied);
  }
}
