// The page of the shop: users, with live changes.

import type { User, UserEvent } from "../../src/gen/api/user/v1/user_pb.ts";
import { required, showText } from "./dom.ts";
import { EventList } from "./event-list.ts";
import { firstPage, followUsers, type LiveState, type StreamPosition } from "./follow-users.ts";
import { type Problems, toProblems } from "./problems.ts";
import { forgetToken, keepToken, readToken } from "./session.ts";
import { Status } from "./status.ts";
import { type UserDraft, UserForm } from "./user-form.ts";
import { UserList } from "./user-list.ts";
import { nameOf } from "./user-texts.ts";
import { callOptions, createUsersClient, type Protocol, type UsersClient } from "./users-client.ts";

const toastMs = 5_000;

const signIn = required("sign-in", HTMLElement);
const shop = required("shop", HTMLElement);
const session = required("session", HTMLElement);
const more = required("more", HTMLButtonElement);
const status = new Status();
const list = new UserList((user) => form.open(user));
const events = new EventList();
const form = new UserForm(save);
const position: StreamPosition = { token: undefined };

let token = readToken();
let client: UsersClient;
let nextPageToken = "";
/** Aborts when the page follows with another client, or stops. */
let following = new AbortController();
let isFollowing = false;

required("new-user", HTMLButtonElement).addEventListener("click", () => form.open(undefined));
required("first-user", HTMLButtonElement).addEventListener("click", () => {
  // The dialog returns the focus to this button, which is hidden after the first user.
  required("new-user", HTMLButtonElement).focus();
  form.open(undefined);
});
required("retry", HTMLButtonElement).addEventListener("click", () => follow());
required("sign-out", HTMLButtonElement).addEventListener("click", () => {
  forgetToken();
  // The next person must not see the users of this one.
  location.reload();
});
required("protocol", HTMLFieldSetElement).addEventListener("change", () => follow());
more.addEventListener("click", () => void showMore());
required("sign-in-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  const written = required("token", HTMLTextAreaElement).value.replace(/\s/g, "");
  if (written === "") {
    askForToken("Paste a token first.");
    return;
  }
  keepToken(written);
  token = written;
  open();
});
addEventListener("hashchange", () => {
  const brought = readToken();
  if (brought === undefined || brought === token) return;
  location.reload();
});
addEventListener("offline", () => {
  if (isFollowing) status.show({ kind: "offline" }, position.token !== undefined);
});

if (token === undefined) askForToken(undefined);
else open();

function open(): void {
  signIn.hidden = true;
  shop.hidden = false;
  session.hidden = false;
  follow();
}

function askForToken(problem: string | undefined): void {
  following.abort();
  isFollowing = false;
  form.close();
  status.hide();
  shop.hidden = true;
  session.hidden = true;
  signIn.hidden = false;
  showText(required("sign-in-problem", HTMLElement), problem);
  required("token", HTMLTextAreaElement).focus();
}

/** Follows the users with the selected protocol, from the current position. */
function follow(): void {
  following.abort();
  following = new AbortController();
  const protocol = document.querySelector<HTMLInputElement>("input[name=protocol]:checked")?.value;
  client = createUsersClient(protocol as Protocol, token ?? "");
  if (position.token === undefined) list.show("loading");
  void followUsers(
    client,
    position,
    {
      onList(first) {
        nextPageToken = first.nextPageToken;
        list.replace(first.users, first.totalCount, nextPageToken !== "");
      },
      onEvent,
      onState,
      onGap: () => events.addGap(),
    },
    following.signal,
  );
}

function onState(state: LiveState): void {
  isFollowing = state.kind !== "stopped";
  status.show(state, position.token !== undefined);
  if (state.kind === "waiting" && position.token === undefined && state.error !== undefined) {
    list.show({ failed: toProblems(state.error).text ?? state.error.rawMessage });
  }
  if (state.kind === "connecting" && position.token === undefined) list.show("loading");
  if (state.kind === "stopped") refuse(toProblems(state.error));
}

/** Handles an error that a retry would not change, mostly an invalid token. */
function refuse({ text, isSignedOut }: Problems): void {
  const problem = text ?? "The server refuses to show the users.";
  if (isSignedOut) {
    forgetToken();
    askForToken(problem);
  } else list.show({ failed: problem });
}

function onEvent(happened: UserEvent): void {
  const { event } = happened;
  const gone = event.case === "userDeleted" ? list.find(event.value.userId) : undefined;
  events.add(happened, gone === undefined ? undefined : nameOf(gone));
  if (event.case === "userDeleted") {
    list.remove(event.value.userId);
    form.noteChange(event.value.userId, undefined);
  } else if (event.value?.user !== undefined) {
    list.put(event.value.user, event.case === "userCreated");
    if (event.case === "userUpdated") form.noteChange(event.value.user.userId, event.value.user);
  }
}

async function save({ user, changedPaths, idempotencyKey }: UserDraft, isNew: boolean): Promise<Problems | undefined> {
  let saved: User;
  try {
    saved = isNew
      ? await client.createUser({ user, idempotencyKey }, callOptions)
      : await client.updateUser({ user, updateMask: { paths: [...changedPaths] } }, callOptions);
  } catch (error) {
    const problems = toProblems(error);
    if (problems.isSignedOut) refuse(problems);
    return problems;
  }
  list.put(saved, isNew);
  toast(`${nameOf(saved)} was ${isNew ? "created" : "saved"}.`);
  return undefined;
}

async function showMore(): Promise<void> {
  if (more.ariaBusy === "true") return;
  more.ariaBusy = "true";
  try {
    const next = await client.listUsers({ ...firstPage, pageToken: nextPageToken }, callOptions);
    nextPageToken = next.nextPageToken;
    list.append(next.users, next.totalCount, nextPageToken !== "");
  } catch (error) {
    toast(toProblems(error).text ?? "The next users could not be loaded.");
  }
  more.ariaBusy = "false";
}

let toastTimer: ReturnType<typeof setTimeout> | undefined;

function toast(text: string): void {
  const place = required("toast", HTMLElement);
  place.textContent = text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => {
    place.textContent = "";
  }, toastMs);
}
