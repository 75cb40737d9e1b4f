import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { UserEvent } from "../../src/gen/api/user/v1/user_pb.ts";
import { element, required, showText } from "./dom.ts";
import { fieldText, nameOf, timeElementTexts } from "./user-texts.ts";

/** Maximum number of events on the page; older ones are removed. */
const maxShown = 200;

/** The list of events, newest first. */
export class EventList {
  readonly #list = required("event-list", HTMLOListElement);
  readonly #none = required("no-events", HTMLElement);
  readonly #count = required("event-count", HTMLElement);
  #seen = 0;

  /** @param knownName The name of a deleted user, if the page has shown it */
  add({ event, timestamp }: UserEvent, knownName: string | undefined): void {
    switch (event.case) {
      case "userCreated":
        this.#show("created", event.value.user?.userId, [bold(nameOf(event.value.user)), " was created"], timestamp);
        break;
      case "userUpdated": {
        const fields = [...new Set(event.value.updatedFields?.paths.map(fieldText))].join(", ");
        const what = fields === "" ? " changed" : ` changed: ${fields}`;
        this.#show("updated", event.value.user?.userId, [bold(nameOf(event.value.user)), what], timestamp);
        break;
      }
      case "userDeleted":
        this.#show("deleted", event.value.userId, [bold(knownName ?? event.value.userId), " was deleted"], timestamp);
        break;
      default:
        return;
    }
    this.#seen += 1;
    showText(this.#count, String(this.#seen));
  }

  addGap(): void {
    const text = "Older events are not kept any more. The users were loaded again.";
    this.#show("gap", undefined, [text], undefined);
  }

  #show(kind: string, userId: string | undefined, text: readonly (Node | string)[], at: Timestamp | undefined): void {
    const item = element(
      "li",
      { class: "event", "data-kind": kind, "data-user": userId },
      element("span", {}, ...text),
    );
    if (at !== undefined) {
      const { machine, shown } = timeElementTexts(at);
      item.append(element("time", { datetime: machine }, shown));
    }
    this.#list.prepend(item);
    while (this.#list.childElementCount > maxShown) this.#list.lastElementChild?.remove();
    this.#list.hidden = false;
    this.#none.hidden = true;
  }
}

function bold(text: string): Node {
  return element("strong", {}, text);
}
