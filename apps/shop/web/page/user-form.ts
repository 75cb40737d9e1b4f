import { create } from "@bufbuild/protobuf";
import { type User, UserProfileSchema, UserRole, UserSchema, UserStatus } from "../../src/gen/api/user/v1/user_pb.ts";
import { element, required, showText } from "./dom.ts";
import type { Problems } from "./problems.ts";
import { nameOf, roleTexts, statusTexts } from "./user-texts.ts";

/** The input of the form. */
export interface UserDraft {
  readonly user: User;
  /** The changed fields of the user; empty for a new one. */
  readonly changedPaths: readonly string[];
  /** The same for each attempt to create this user, so that a retry creates no second user. */
  readonly idempotencyKey: string;
}

/** @returns the problems; undefined after the user was saved */
export type SaveUser = (draft: UserDraft, isNew: boolean) => Promise<Problems | undefined>;

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

interface Field {
  /** The path within the user, as in a field mask. */
  readonly path: string;
  readonly label: string;
  readonly make: () => Control;
  readonly read: (user: User) => string;
  readonly isWide?: boolean;
  readonly isOptional?: boolean;
  readonly isForNewOnly?: boolean;
}

const input = (type: string, maxlength: number) => () =>
  element("input", { type, maxlength: String(maxlength), autocomplete: "off", spellcheck: "false" });
const choice = (texts: Readonly<Record<number, string>>) => () =>
  element("select", {}, ...Object.entries(texts).map(([value, text]) => element("option", { value }, text)));

const fields: readonly Field[] = [
  { path: "email", label: "Email", make: input("email", 254), read: ({ email }) => email, isWide: true },
  {
    path: "display_name",
    label: "Name",
    make: input("text", 200),
    read: ({ displayName }) => displayName,
    isWide: true,
  },
  { path: "role", label: "Role", make: choice(roleTexts), read: ({ role }) => String(role || UserRole.USER) },
  {
    path: "status",
    label: "Status",
    make: choice(statusTexts),
    read: ({ status }) => String(status || UserStatus.ACTIVE),
  },
  {
    ...{ path: "user_id", label: "Id", make: input("text", 100), read: ({ userId }: User) => userId },
    ...{ isOptional: true, isForNewOnly: true },
  },
  {
    ...{ path: "profile.location", label: "Location", make: input("text", 200) },
    ...{ read: ({ profile }: User) => profile?.location ?? "", isOptional: true },
  },
  {
    ...{ path: "profile.bio", label: "About", make: () => element("textarea", { rows: "3", maxlength: "2000" }) },
    ...{ read: ({ profile }: User) => profile?.bio ?? "", isWide: true, isOptional: true },
  },
];

interface ShownField {
  readonly field: Field;
  readonly control: Control;
  readonly problem: HTMLElement;
  readonly initial: string;
}

/** The dialog in which a user is created or edited. */
export class UserForm {
  readonly #dialog = required("user-dialog", HTMLDialogElement);
  readonly #title = required("user-dialog-title", HTMLElement);
  readonly #problem = required("user-problem", HTMLElement);
  readonly #changed = required("user-changed", HTMLElement);
  readonly #place = required("user-fields", HTMLElement);
  readonly #saveButton = required("user-save", HTMLButtonElement);
  readonly #save: SaveUser;
  #shown: readonly ShownField[] = [];
  #edited: User | undefined = undefined;
  #idempotencyKey = "";

  constructor(save: SaveUser) {
    this.#save = save;
    required("user-cancel", HTMLButtonElement).addEventListener("click", () => this.close());
    required("user-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit();
    });
  }

  /** @param user The user to edit; undefined for a new one */
  open(user: User | undefined): void {
    this.#edited = user;
    this.#idempotencyKey = crypto.randomUUID();
    this.#title.textContent = user === undefined ? "New user" : `Edit ${nameOf(user)}`;
    this.#saveButton.textContent = user === undefined ? "Create" : "Save";
    showText(this.#problem, undefined);
    showText(this.#changed, undefined);
    const from = user ?? create(UserSchema);
    this.#shown = fields
      .filter(({ isForNewOnly }) => user === undefined || isForNewOnly !== true)
      .map((field) => showField(field, from));
    this.#place.replaceChildren(
      ...this.#shown.map(({ field, control, problem }) => {
        const label = element("label", { for: control.id }, field.label);
        if (field.isOptional === true) label.append(element("span", { class: "optional" }, " (optional)"));
        return element("div", { class: field.isWide === true ? "field wide" : "field" }, label, control, problem);
      }),
    );
    this.#dialog.showModal();
    this.#shown[0]?.control.focus();
  }

  close(): void {
    this.#dialog.close();
  }

  /** Called when someone else changed a user, or deleted it (undefined). */
  noteChange(userId: string, user: User | undefined): void {
    if (!this.#dialog.open || this.#edited?.userId !== userId || this.#saveButton.ariaBusy === "true") return;
    const text =
      user === undefined
        ? "Someone has deleted this user meanwhile."
        : "Someone has changed this user meanwhile. Saving changes what you have changed, and nothing else.";
    showText(this.#changed, text);
  }

  async #submit(): Promise<void> {
    if (this.#saveButton.ariaBusy === "true") return;
    const changed = this.#shown.filter(({ control, initial }) => control.value.trim() !== initial);
    const isNew = this.#edited === undefined;
    if (!isNew && changed.length === 0) {
      this.close();
      return;
    }
    const draft: UserDraft = {
      user: this.#read(),
      changedPaths: isNew ? [] : changed.map(({ field }) => field.path),
      idempotencyKey: this.#idempotencyKey,
    };
    this.#saveButton.ariaBusy = "true";
    const problems = await this.#save(draft, isNew);
    this.#saveButton.ariaBusy = "false";
    if (problems === undefined) this.close();
    else this.#showProblems(problems);
  }

  #read(): User {
    const value = (path: string): string =>
      this.#shown.find(({ field }) => field.path === path)?.control.value.trim() ?? "";
    const [location, bio] = [value("profile.location"), value("profile.bio")];
    const hasProfile = this.#edited?.profile !== undefined || location !== "" || bio !== "";
    return create(UserSchema, {
      userId: this.#edited?.userId ?? value("user_id"),
      email: value("email"),
      displayName: value("display_name"),
      role: Number(value("role")) as UserRole,
      status: Number(value("status")) as UserStatus,
      ...(hasProfile && { profile: create(UserProfileSchema, { location, bio }) }),
    });
  }

  /** Shows problems next to their fields, and others above all fields. */
  #showProblems({ fields: byField, text }: Problems): void {
    const left = new Map(byField);
    let first: Control | undefined;
    for (const { field, control, problem } of this.#shown) {
      const name = `user.${field.path}`;
      const found = left.get(name);
      left.delete(name);
      showText(problem, found);
      control.ariaInvalid = found === undefined ? null : "true";
      if (found !== undefined) first ??= control;
    }
    const others = [...(text === undefined ? [] : [text]), ...[...left].map(([name, one]) => `${name}: ${one}`)];
    showText(this.#problem, others.length === 0 ? undefined : others.join(" "));
    (first ?? this.#saveButton).focus();
  }
}

function showField(field: Field, user: User): ShownField {
  const control = field.make();
  const initial = field.read(user);
  control.id = `user-${field.path}`;
  control.name = `user.${field.path}`;
  control.value = initial;
  control.required = field.isOptional !== true;
  const problem = element("p", { class: "problem", id: `${control.id}-problem` });
  problem.hidden = true;
  control.setAttribute("aria-describedby", problem.id);
  return { field, control, problem, initial };
}
