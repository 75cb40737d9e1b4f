import type { User } from "../../src/gen/api/user/v1/user_pb.ts";
import { element, required, showText } from "./dom.ts";
import { hueOf, initialsOf, nameOf, roleTexts, statusTexts, statusTones } from "./user-texts.ts";

/** The state of the page: the users, or a message instead. */
export type ListState = "loading" | "users" | { readonly failed: string };

interface Row {
  readonly item: HTMLLIElement;
  user: User;
}

/** The users on the page, newest first. The row of a changed user stays in place, so it keeps the focus. */
export class UserList {
  readonly #list = required("user-list", HTMLUListElement);
  readonly #loading = required("loading", HTMLElement);
  readonly #empty = required("empty", HTMLElement);
  readonly #failed = required("failed", HTMLElement);
  readonly #failedText = required("failed-text", HTMLElement);
  readonly #total = required("total", HTMLElement);
  readonly #more = required("more", HTMLButtonElement);
  readonly #rows = new Map<string, Row>();
  readonly #onEdit: (user: User) => void;
  #totalCount = 0;
  #hasMore = false;
  #state: ListState = "loading";

  constructor(onEdit: (user: User) => void) {
    this.#onEdit = onEdit;
  }

  find(userId: string): User | undefined {
    return this.#rows.get(userId)?.user;
  }

  /** Replaces all users. */
  replace(users: readonly User[], totalCount: number, hasMore: boolean): void {
    this.#rows.clear();
    this.#list.replaceChildren();
    this.append(users, totalCount, hasMore);
  }

  /** Adds a page of users below the others. */
  append(users: readonly User[], totalCount: number, hasMore: boolean): void {
    for (const user of users) if (!this.#change(user)) this.#list.append(this.#add(user));
    this.#totalCount = totalCount;
    this.#hasMore = hasMore;
    this.show("users");
  }

  /** Shows a created or changed user. A new user is inserted first. */
  put(user: User, isNew: boolean): void {
    if (!this.#change(user) && isNew) {
      this.#list.prepend(this.#add(user));
      this.#totalCount += 1;
    }
    const item = this.#rows.get(user.userId)?.item;
    if (item !== undefined) {
      item.classList.remove("fresh");
      // Reading the layout restarts the animation.
      void item.offsetWidth;
      item.classList.add("fresh");
    }
    this.#render();
  }

  remove(userId: string): void {
    this.#rows.get(userId)?.item.remove();
    this.#rows.delete(userId);
    this.#totalCount = Math.max(0, this.#totalCount - 1);
    this.#render();
  }

  show(state: ListState): void {
    this.#state = state;
    this.#render();
  }

  #render(): void {
    const isListed = this.#state === "users";
    const count = this.#rows.size;
    this.#loading.hidden = this.#state !== "loading";
    this.#list.hidden = !isListed || count === 0;
    this.#empty.hidden = !isListed || count > 0;
    this.#more.hidden = !isListed || !this.#hasMore;
    this.#failed.hidden = typeof this.#state === "string";
    if (typeof this.#state === "object") this.#failedText.textContent = this.#state.failed;
    showText(this.#total, isListed ? String(Math.max(this.#totalCount, count)) : undefined);
  }

  #add(user: User): HTMLLIElement {
    const item = element("li", { class: "user", "data-user": user.userId });
    const row: Row = { item, user };
    const edit = element("button", { type: "button", class: "button" });
    edit.addEventListener("click", () => this.#onEdit(row.user));
    this.#rows.set(user.userId, row);
    item.append(
      element("span", { class: "avatar", "aria-hidden": "true" }),
      element("div", { class: "who" }, element("p", { class: "name" }), element("p", { class: "email" })),
      element("p", { class: "chips" }),
      edit,
    );
    fill(item, user);
    return item;
  }

  /** Returns false if the user is not on the page. */
  #change(user: User): boolean {
    const row = this.#rows.get(user.userId);
    if (row === undefined) return false;
    row.user = user;
    fill(row.item, user);
    return true;
  }
}

function fill(item: HTMLLIElement, user: User): void {
  const part = (selector: string): HTMLElement => item.querySelector(selector) as HTMLElement;
  const avatar = part(".avatar");
  avatar.textContent = initialsOf(user);
  avatar.style.setProperty("--hue", String(hueOf(user)));
  part(".name").textContent = nameOf(user);
  const at = user.email.lastIndexOf("@");
  // Allows a line break before the @ of a long address.
  part(".email").replaceChildren(
    user.email.slice(0, Math.max(0, at)),
    element("wbr"),
    user.email.slice(Math.max(0, at)),
  );
  part(".chips").replaceChildren(
    element("span", { class: "chip", "data-tone": "accent" }, roleTexts[user.role] ?? "Unknown role"),
    element(
      "span",
      { class: "chip", "data-tone": statusTones[user.status] },
      statusTexts[user.status] ?? "Unknown status",
    ),
    ...(user.profile?.location ? [element("span", { class: "chip" }, user.profile.location)] : []),
  );
  const edit = part("button");
  edit.replaceChildren("Edit", element("span", { class: "unseen" }, ` ${nameOf(user)}`));
}
