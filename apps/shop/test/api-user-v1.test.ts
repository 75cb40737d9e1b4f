import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type ServiceError, status } from "@grpc/grpc-js";
import { detailsOf } from "./error-details.ts";
import type { LooseClient, LooseMessage } from "./grpc-client.ts";
import { alone, createShopUnderTest, type ShopUnderTest } from "./shop-under-test.ts";

let shop: ShopUnderTest;
let users: LooseClient;
let older: LooseClient;
let oldest: LooseClient;
let admin: Record<string, string>;
let created = 0;
before(async () => {
  shop = await createShopUnderTest();
  const { address } = await shop.start("user-service", alone);
  users = shop.open("api.user.v1.UserService", address);
  older = shop.open("user.v1.UserService", address);
  oldest = shop.open("user.UserService", address);
  admin = await shop.tokenOf("admin");
});
after(() => shop.end());

/** A user that does not exist yet. */
function newUser(fields: LooseMessage = {}): LooseMessage {
  created += 1;
  return { email: `user${created}@example.org`, display_name: "Ada Lovelace", ...fields };
}

const add = (fields: LooseMessage = {}, headers = admin) =>
  users.call("CreateUser", { user: newUser(fields) }, headers);

async function failureOf(call: Promise<unknown>): Promise<ServiceError> {
  try {
    await call;
  } catch (error) {
    return error as ServiceError;
  }
  return assert.fail("the call succeeded");
}

/** The code, and the fields that are wrong. */
async function refusalOf(call: Promise<unknown>): Promise<[string, ...string[]]> {
  const error = await failureOf(call);
  const violations = (detailsOf(error)["google.rpc.BadRequest"]?.field_violations ?? []) as LooseMessage[];
  return [status[error.code] ?? "", ...violations.map(({ field }) => field)];
}

const profile = {
  bio: "Writes programs.",
  avatar_url: "https://example.org/ada.png",
  location: "London",
  skills: ["mathematics", "poetry"],
  social_links: { web: { platform: "web", url: "https://example.org", verified: true } },
};

test("creates a user with a generated id, reads, changes, lists and deletes it", async () => {
  const user = await add({ metadata: { team: "engine", floor: "2" }, profile });
  assert.match(user.user_id, /^[0-9a-f-]{36}$/);
  assert.deepEqual(
    [user.display_name, user.status, user.role, user.metadata, user.profile],
    ["Ada Lovelace", "USER_STATUS_ACTIVE", "USER_ROLE_USER", { team: "engine", floor: "2" }, profile],
  );
  const own = await shop.tokenOf("user", user.user_id);
  assert.deepEqual(await users.call("GetUser", { user_id: user.user_id }, own), user);

  const update = {
    user: { user_id: user.user_id, display_name: "Ada King" },
    update_mask: { paths: ["display_name"] },
  };
  const changed = await users.call("UpdateUser", update, own);
  assert.deepEqual({ ...changed, updated_at: null }, { ...user, display_name: "Ada King", updated_at: null });

  const { users: all, total_count } = await users.call("ListUsers", {}, admin);
  assert.equal(total_count, all.length);
  assert.deepEqual(
    all.find(({ user_id }: LooseMessage) => user_id === user.user_id),
    changed,
  );
  assert.deepEqual(await users.call("DeleteUser", { user_id: user.user_id }, admin), {});
  const gone = await failureOf(users.call("GetUser", { user_id: user.user_id }, admin));
  assert.equal(gone.code, status.NOT_FOUND);
  assert.equal(detailsOf(gone)["google.rpc.ErrorInfo"]?.reason, "USER_NOT_FOUND");
});

test("all three packages return the same user, with the same role by name", async () => {
  const user = await add({ role: "USER_ROLE_MODERATOR", display_name: "Grace Brewster Hopper" });
  const { user: v1 } = await older.call("GetUser", { id: user.user_id }, admin);
  assert.deepEqual([v1.first_name, v1.last_name, v1.role], ["Grace", "Brewster Hopper", "USER_ROLE_MODERATOR"]);
  assert.equal((await oldest.call("GetUser", { user_id: user.user_id })).user.name, "Grace Brewster Hopper");
  await older.call("UpdateUser", { id: user.user_id, role: "USER_ROLE_ADMIN" }, admin);
  assert.equal((await users.call("GetUser", { user_id: user.user_id }, admin)).role, "USER_ROLE_ADMIN");
});

test("keeps an id of the caller, which must be valid and belongs to one user", async () => {
  assert.equal((await add({ user_id: "ada-1815" })).user_id, "ada-1815");
  const taken = await failureOf(add({ user_id: "ada-1815" }));
  assert.equal(taken.code, status.ALREADY_EXISTS);
  assert.equal(detailsOf(taken)["google.rpc.ErrorInfo"]?.reason, "ID_TAKEN");
  assert.deepEqual(await refusalOf(add({ user_id: "a!" })), ["INVALID_ARGUMENT", "user.user_id", "user.user_id"]);
});

test("names every invalid field of a new user, and a missing user", async () => {
  assert.deepEqual(await refusalOf(add({ email: "ada", display_name: "" })), [
    "INVALID_ARGUMENT",
    "user.email",
    "user.display_name",
  ]);
  assert.deepEqual(await refusalOf(users.call("CreateUser", {}, admin)), ["INVALID_ARGUMENT", "user"]);
  assert.deepEqual(await refusalOf(add({ status: "USER_STATUS_DELETED" })), ["INVALID_ARGUMENT", "user.status"]);
});

test("a retry with the same key gets the first response, and another request with the key is refused", async () => {
  const request = { user: newUser(), idempotency_key: "k-1" };
  const [first, together] = await Promise.all([
    users.call("CreateUser", request, admin),
    users.call("CreateUser", request, admin),
  ]);
  assert.deepEqual(together, first);
  assert.deepEqual(await users.call("CreateUser", request, admin), first);
  const other = await failureOf(users.call("CreateUser", { ...request, user: newUser() }, admin));
  assert.equal(other.code, status.FAILED_PRECONDITION);
  assert.equal(detailsOf(other)["google.rpc.ErrorInfo"]?.reason, "IDEMPOTENCY_KEY_REUSED");
});

test("checks and changes only the fields of an update", async () => {
  const { user_id } = await add({ metadata: { a: "1" }, profile });
  const update = (user: LooseMessage, ...paths: string[]) =>
    users.call("UpdateUser", { user: { user_id, ...user }, update_mask: { paths } }, admin);
  // The rules of the proto apply to the whole user, and an update has some of its fields.
  const renamed = await update({ display_name: "A" }, "display_name");
  assert.deepEqual([renamed.display_name, renamed.metadata, renamed.profile], ["A", { a: "1" }, profile]);
  const moved = await update({ profile: { location: "Paris" } }, "profile.location");
  assert.deepEqual(moved.profile, { ...profile, location: "Paris" });
  assert.deepEqual((await update({ metadata: { b: "2" } }, "metadata")).metadata, { b: "2" });
  assert.deepEqual(await refusalOf(update({ email: "nonsense" }, "email")), ["INVALID_ARGUMENT", "user.email"]);
  assert.deepEqual(await refusalOf(update({}, "email", "display_name")), [
    "INVALID_ARGUMENT",
    "user.email",
    "user.display_name",
  ]);
  assert.deepEqual(await refusalOf(update({}, "emial")), ["INVALID_ARGUMENT", "update_mask"]);
  // Without a mask, the fields that are set change.
  const set = await users.call("UpdateUser", { user: { user_id, display_name: "B" } }, admin);
  assert.deepEqual([set.display_name, set.metadata], ["B", { b: "2" }]);
});

test("users may change their data, but not their role and status", async () => {
  const { user_id } = await add();
  const own = await shop.tokenOf("user", user_id);
  for (const [method, request] of [
    ["UpdateUser", { user: { user_id, role: "USER_ROLE_ADMIN" } }],
    ["UpdateUser", { user: { user_id, status: "USER_STATUS_SUSPENDED" } }],
    ["UpdateUser", { user: { user_id: "ada-1815", display_name: "Eve" } }],
    ["GetUser", { user_id: "ada-1815" }],
    ["CreateUser", { user: newUser({ role: "USER_ROLE_ADMIN" }) }],
    ["ListUsers", {}],
    ["DeleteUser", { user_id }],
  ] as const) {
    assert.equal((await failureOf(users.call(method, request, own))).code, status.PERMISSION_DENIED, method);
  }
  assert.equal((await failureOf(users.call("GetUser", { user_id }))).code, status.UNAUTHENTICATED);
});

test("filters a list by status and role, orders it, and returns it in pages", async () => {
  for (let nth = 1; nth <= 3; nth++) await add({ status: "USER_STATUS_SUSPENDED", role: "USER_ROLE_ADMIN" });
  await add({ status: "USER_STATUS_SUSPENDED" });
  const query = { status: "USER_STATUS_SUSPENDED", role: "USER_ROLE_ADMIN", order_by: "email desc", page_size: 2 };
  const first = await users.call("ListUsers", query, admin);
  assert.equal(first.total_count, 3);
  const second = await users.call("ListUsers", { ...query, page_token: first.next_page_token }, admin);
  assert.equal(second.next_page_token, "");
  const emails = [...first.users, ...second.users].map(({ email }: LooseMessage) => email);
  assert.equal(emails.length, 3);
  assert.deepEqual(emails, emails.toSorted().reverse());
  for (const [request, field] of [
    [{ page_size: 101 }, "page_size"],
    [{ page_size: -1 }, "page_size"],
    [{ ...query, order_by: "email", page_token: first.next_page_token }, "page_token"],
    [{ order_by: "password" }, "order_by"],
  ] as const) {
    assert.deepEqual(await refusalOf(users.call("ListUsers", request, admin)), ["INVALID_ARGUMENT", field]);
  }
});

test("creates the valid users of a batch, and reports each invalid one with its position and reason", async () => {
  const known = await add();
  const requests = [
    { user: newUser() },
    { user: newUser({ email: "nonsense" }) },
    { user: newUser({ email: known.email }) },
    {},
    { user: newUser() },
  ];
  const answer = await users.upload("BatchCreateUsers", requests, admin);
  assert.deepEqual(
    answer.created_users.map(({ email }: LooseMessage) => email),
    [requests[0]?.user?.email, requests[4]?.user?.email],
  );
  assert.equal(answer.failed_count, 3);
  assert.deepEqual(
    answer.failures.map(({ index, code }: LooseMessage) => [index, code]),
    [
      [1, status.INVALID_ARGUMENT],
      [2, status.ALREADY_EXISTS],
      [3, status.INVALID_ARGUMENT],
    ],
  );
  assert.deepEqual(
    answer.errors,
    answer.failures.map(({ message }: LooseMessage) => message),
  );
  assert.match(answer.errors[1], new RegExp(`^user ${known.email}: email: another user has this address$`));
  assert.deepEqual(await users.upload("BatchCreateUsers", [], admin), {
    created_users: [],
    failed_count: 0,
    errors: [],
    failures: [],
  });
});

test("responds to each request of a synchronization in order, and a failed one does not end it", async () => {
  const stream = users.both("SyncUsers", admin);
  const answers = stream[Symbol.asyncIterator]();
  const ask = async (request: LooseMessage): Promise<LooseMessage> => {
    stream.write(request);
    return (await answers.next()).value;
  };
  const user = newUser({ user_id: "sync-1", display_name: "First" });
  const made = await ask({ request_id: "1", upsert: user });
  assert.deepEqual([made.request_id, made.user.user_id, made.user.display_name], ["1", "sync-1", "First"]);
  const changed = await ask({ request_id: "2", upsert: { ...user, display_name: "Second" } });
  assert.deepEqual([changed.request_id, changed.user.display_name], ["2", "Second"]);
  const wrong = await ask({ request_id: "3", upsert: { ...user, email: "nonsense" } });
  assert.deepEqual([wrong.request_id, wrong.failure.code], ["3", status.INVALID_ARGUMENT]);
  const empty = await ask({ request_id: "4" });
  assert.equal(empty.failure.code, status.INVALID_ARGUMENT);
  for (const request_id of ["5", "6"]) {
    const gone = await ask({ request_id, delete_user_id: "sync-1" });
    assert.deepEqual([gone.request_id, gone.deleted_user_id], [request_id, "sync-1"]);
  }
  // All requests at once; the responses are in order.
  for (let nth = 0; nth < 20; nth++) stream.write({ request_id: `n${nth}`, upsert: newUser() });
  stream.end();
  const rest: string[] = [];
  for (let next = await answers.next(); next.done !== true; next = await answers.next())
    rest.push(next.value.request_id);
  assert.deepEqual(
    rest,
    Array.from({ length: 20 }, (_, nth) => `n${nth}`),
  );
});

test("the resume_token of a list continues with all later events, including changes by other packages", async () => {
  const { resume_token } = await users.call("ListUsers", { page_size: 1 }, admin);
  const made = await add();
  await older.call("UpdateUser", { id: made.user_id, role: "USER_ROLE_ADMIN" }, admin);
  const stream = users.stream("StreamUserEvents", { resume_token }, admin);
  stream.on("error", () => {});
  const events = stream[Symbol.asyncIterator]();
  const created = (await events.next()).value as LooseMessage;
  assert.equal(created.user_created.user.user_id, made.user_id);
  const updated = (await events.next()).value as LooseMessage;
  assert.deepEqual(updated.user_updated.updated_fields.paths, ["role"]);
  stream.cancel();
});

test("a stream has one of three events for each change, and continues after its token", async () => {
  const stream = users.stream("StreamUserEvents", {}, admin);
  stream.on("error", () => {});
  const events = stream[Symbol.asyncIterator]();
  const opening = events.next();
  let isOpen = false;
  void opening.then(() => {
    isOpen = true;
  });
  // It is not known when the stream has started, so users are created until one arrives.
  while (!isOpen) await add();
  const { resume_token } = (await opening).value as LooseMessage;
  stream.cancel();

  // Changes while no stream is open arrive later.
  const user = await add({ display_name: "Before" });
  const { user_id } = user;
  await users.call("UpdateUser", { user: { user_id, display_name: "After" } }, admin);
  const other = await add();
  await users.call("DeleteUser", { user_id: other.user_id }, admin);
  const resumed = users.stream("StreamUserEvents", { resume_token }, admin);
  resumed.on("error", () => {});
  const seen: LooseMessage[] = [];
  for await (const event of resumed) {
    seen.push(event);
    if (event.user_deleted?.user_id === other.user_id) break;
  }
  const ofUser = seen.filter((event) => (event.user_created ?? event.user_updated)?.user?.user_id === user_id);
  // An event has the current user.
  assert.deepEqual(
    ofUser.map(({ event, user_created, user_updated }) => [
      event,
      (user_created ?? user_updated).user.display_name,
      user_updated?.updated_fields.paths,
    ]),
    [
      ["user_created", "After", undefined],
      ["user_updated", "After", ["display_name"]],
    ],
  );
  const own = await shop.tokenOf("user", user_id);
  const refused = users.stream("StreamUserEvents", {}, own).toArray();
  assert.equal((await failureOf(refused)).code, status.PERMISSION_DENIED);
});
