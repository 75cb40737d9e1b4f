import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type ServiceError, status } from "@grpc/grpc-js";
import { detailsOf } from "./error-details.ts";
import type { LooseClient, LooseMessage } from "./grpc-client.ts";
import { alone, createShopUnderTest, type ShopUnderTest, type StartedService } from "./shop-under-test.ts";

type Headers = Record<string, string>;

let shop: ShopUnderTest;
let service: StartedService;
let users: LooseClient;
let admin: Headers;
let created = 0;
before(async () => {
  shop = await createShopUnderTest();
  // Hashing passwords takes long on a busy machine.
  service = await shop.start("user-service", [...alone, "communication.providers.grpc.max_timeout=5m"]);
  users = shop.open("user.v1.UserService", service.address);
  admin = await shop.tokenOf("admin");
});
after(() => shop.end());

const password = "correct horse battery";

/** A new user with a unique address. */
async function addUser(fields: LooseMessage = {}): Promise<LooseMessage> {
  created += 1;
  const person = { email: `user${created}@example.org`, first_name: "Ada", last_name: "Lovelace", password };
  return (await users.call("CreateUser", { ...person, ...fields }, admin)).user;
}

async function failureOf(call: Promise<unknown>): Promise<ServiceError> {
  try {
    await call;
  } catch (error) {
    return error as ServiceError;
  }
  return assert.fail("the call succeeded");
}

test("a user is created, read, changed, listed and deleted", async () => {
  const user = await addUser({ first_name: " Grace ", last_name: "Hopper", role: "USER_ROLE_MODERATOR" });
  assert.match(user.id, /^[0-9a-f-]{36}$/);
  const { first_name, last_name, role } = user;
  assert.deepEqual(
    { first_name, last_name, role },
    { first_name: "Grace", last_name: "Hopper", role: "USER_ROLE_MODERATOR" },
  );
  assert.deepEqual(user.updated_at, user.created_at);

  const own = await shop.tokenOf("user", user.id);
  assert.deepEqual(await users.call("GetUser", { id: user.id }, own), { user });

  const update = { id: user.id, first_name: "Brewster", last_name: "ignored", update_mask: { paths: ["first_name"] } };
  const changed = (await users.call("UpdateUser", update, own)).user;
  assert.equal(changed.first_name, "Brewster");
  assert.equal(changed.last_name, "Hopper");
  assert.deepEqual(changed.created_at, user.created_at);

  const query = { page_size: 10, filter: `id = "${user.id}"`, order_by: "created_at desc" };
  const list = await users.call("ListUsers", query, admin);
  assert.deepEqual(list, { users: [changed], next_page_token: "", total_count: 1 });

  assert.deepEqual(await users.call("DeleteUser", { id: user.id }, admin), {});
  const gone = await failureOf(users.call("GetUser", { id: user.id }, admin));
  assert.equal(gone.code, status.NOT_FOUND);
  assert.equal(detailsOf(gone)["google.rpc.ResourceInfo"]?.resource_name, `users/${user.id}`);
});

test("creates twelve users at once, and serves other calls in the meantime", async () => {
  const { id } = await addUser();
  let left = 12;
  const creations = Array.from({ length: left }, async (_, nth) => {
    const person = { email: `rush${nth}@example.org`, first_name: "Ada", last_name: "Rush", password };
    const { user } = await users.call("CreateUser", person, admin, 120_000);
    left -= 1;
    return user.email;
  });
  let answered = 0;
  while (left > 1) {
    await users.call("GetUser", { id }, admin);
    answered += 1;
  }
  const emails = await Promise.all(creations);
  assert.equal(new Set(emails).size, 12);
  // Twelve hashes take seconds, and reading a user takes milliseconds. With a blocked event loop or thread pool, only a few reads would succeed.
  assert.ok(answered > 24, `${answered} calls were answered`);
});

test("without an update mask the fields that are set change, and a star selects all fields", async () => {
  const { id } = await addUser();
  const set = (await users.call("UpdateUser", { id, last_name: "Noel" }, admin)).user;
  assert.deepEqual([set.first_name, set.last_name], ["Ada", "Noel"]);
  const all = { id, email: "all@example.org", first_name: "A", last_name: "B", role: "USER_ROLE_ADMIN" };
  const { user } = await users.call("UpdateUser", { ...all, update_mask: { paths: ["*"] } }, admin);
  const { email, first_name, last_name, role } = user;
  assert.deepEqual({ id, email, first_name, last_name, role }, all);
});

test("both packages show the same users", async () => {
  const old = shop.open("user.UserService", service.address);
  const user = await addUser({ first_name: "Mary Ann", last_name: "Noel" });
  const seen = (await old.call("GetUser", { user_id: user.id })).user;
  assert.equal(seen.name, "Mary Ann Noel");
  assert.equal(seen.created_at, user.created_at.seconds);
  await old.call("UpdateUser", { user_id: user.id, name: "Mary King Noel" });
  const again = (await users.call("GetUser", { id: user.id }, admin)).user;
  assert.deepEqual([again.first_name, again.last_name], ["Mary", "King Noel"]);
});

test("pages are consecutive, and a token is valid for its own list only", async () => {
  for (let nth = 0; nth < 3; nth++) await addUser({ last_name: "Pager" });
  const query = { page_size: 2, filter: "last_name = Pager", order_by: "email desc" };
  const first = await users.call("ListUsers", query, admin);
  assert.equal(first.users.length, 2);
  assert.equal(first.total_count, 3);
  const second = await users.call("ListUsers", { ...query, page_size: 100, page_token: first.next_page_token }, admin);
  assert.equal(second.users.length, 1);
  assert.equal(second.next_page_token, "");
  const emails = [...first.users, ...second.users].map((user: LooseMessage) => user.email);
  assert.deepEqual(emails, emails.toSorted().reverse());
  for (const other of [{ filter: "last_name = Lovelace" }, { order_by: "email" }]) {
    const error = await failureOf(
      users.call("ListUsers", { ...query, ...other, page_token: first.next_page_token }, admin),
    );
    assert.equal(error.code, status.INVALID_ARGUMENT);
    assert.equal(detailsOf(error)["google.rpc.BadRequest"]?.field_violations[0].field, "page_token");
  }
});

/** Requests that are refused for any caller: the invalid fields with their reasons. */
const invalid: { promise: string; method: string; request: LooseMessage; violations: [string, string][] }[] = [
  {
    promise: "every wrong field of a new user is named at once",
    method: "CreateUser",
    request: { email: "ada", first_name: "", last_name: " \t", password: "seven77", role: 7 },
    violations: [
      ["email", "STRING_EMAIL"],
      ["first_name", "STRING_MIN_LEN"],
      ["last_name", "NAME_ONE_LINE"],
      ["password", "STRING_MIN_LEN"],
      ["role", "ENUM_DEFINED_ONLY"],
    ],
  },
  {
    promise: "a page of none is refused",
    method: "ListUsers",
    request: { page_size: 0 },
    violations: [["page_size", "INT32_GTE_LTE"]],
  },
  {
    promise: "a page of 101 is refused",
    method: "ListUsers",
    request: { page_size: 101 },
    violations: [["page_size", "INT32_GTE_LTE"]],
  },
  {
    promise: "a page token that no one gave out is refused",
    method: "ListUsers",
    request: { page_size: 1, page_token: "abc" },
    violations: [["page_token", "PAGE_TOKEN_INVALID"]],
  },
  {
    promise: "a filter by a field that is not there is refused",
    method: "ListUsers",
    request: { page_size: 1, filter: "role:USER_ROLE_ADMIN AND password = x" },
    violations: [["filter", "FILTER_INVALID"]],
  },
  {
    promise: "an order that is none is refused",
    method: "ListUsers",
    request: { page_size: 1, order_by: "created_at down" },
    violations: [["order_by", "ORDER_BY_INVALID"]],
  },
  { promise: "an empty id is refused", method: "GetUser", request: {}, violations: [["id", "STRING_MIN_LEN"]] },
  {
    promise: "an id of 65 characters is refused",
    method: "DeleteUser",
    request: { id: "x".repeat(65) },
    violations: [["id", "STRING_MAX_LEN"]],
  },
];

for (const { promise, method, request, violations } of invalid) {
  test(promise, async () => {
    const error = await failureOf(users.call(method, request, admin));
    assert.equal(error.code, status.INVALID_ARGUMENT);
    const details = detailsOf(error);
    const found = details["google.rpc.BadRequest"]?.field_violations as LooseMessage[];
    assert.deepEqual(
      found.map(({ field, reason }) => [field, reason]),
      violations,
    );
    // The same details again as common.v1.
    assert.deepEqual(
      details["common.v1.ValidationError"]?.field_violations,
      found.map(({ field, description }) => ({ field, description })),
    );
  });
}

test("the error of an invalid filter has the position and the known fields", async () => {
  const filter = "role:USER_ROLE_ADMIN AND emial = x";
  const error = await failureOf(users.call("ListUsers", { page_size: 1, filter }, admin));
  assert.equal(error.details, 'filter cannot be read at character 26: unknown field "emial"; did you mean "email"?');
});

test("the error of an invalid update mask names each invalid path", async () => {
  const { id } = await addUser();
  const request = { id, update_mask: { paths: ["password", "emial", "first_name.letters"] } };
  const error = await failureOf(users.call("UpdateUser", request, admin));
  assert.equal(error.code, status.INVALID_ARGUMENT);
  const violations = detailsOf(error)["google.rpc.BadRequest"]?.field_violations as LooseMessage[];
  assert.deepEqual(
    violations.map(({ field, description }) => `${field} ${description}`),
    [
      'update_mask names "password", which does not exist',
      'update_mask names "emial", which does not exist; did you mean "email"?',
      'update_mask names "first_name.letters", but "first_name" has no fields of its own',
    ],
  );
});

test("an update mask cannot clear required fields", async () => {
  const { id } = await addUser();
  const paths = ["email", "first_name", "last_name", "role"];
  const error = await failureOf(users.call("UpdateUser", { id, update_mask: { paths } }, admin));
  const violations = detailsOf(error)["google.rpc.BadRequest"]?.field_violations as LooseMessage[];
  assert.deepEqual(
    violations.map(({ field }) => field),
    paths,
  );
});

test("the address of another user is ALREADY_EXISTS with the resource, for a new user and for an update", async () => {
  const { email } = await addUser();
  const { id } = await addUser();
  for (const call of [
    addUser({ email: email.toUpperCase() }),
    users.call("UpdateUser", { id, email: email.toUpperCase() }, admin),
  ]) {
    const error = await failureOf(call);
    assert.equal(error.code, status.ALREADY_EXISTS);
    assert.equal(error.details, "email: another user has this address");
    const reason = { reason: "EMAIL_TAKEN", domain: "user-service.shop", metadata: { field: "email" } };
    const details = detailsOf(error);
    assert.deepEqual(details["google.rpc.ErrorInfo"], reason);
    assert.deepEqual(details["common.v1.ErrorInfo"], reason);
    assert.equal(details["google.rpc.ResourceInfo"]?.resource_name, email.toUpperCase());
  }
});

test("calls without a token, or with an invalid or expired one, are refused", async () => {
  const { id } = await addUser();
  const { authorization } = await shop.tokenOf("admin");
  const [head, payload, signature = ""] = authorization.split(".");
  const forged = `${head}.${payload}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
  const cases: [Headers, string][] = [
    [{}, "TOKEN_MISSING"],
    [{ authorization: "Bearer nonsense" }, "TOKEN_INVALID"],
    [{ authorization: forged }, "TOKEN_INVALID"],
    [await shop.tokenOf("admin", "somebody", -5), "TOKEN_EXPIRED"],
  ];
  for (const [headers, reason] of cases) {
    const error = await failureOf(users.call("GetUser", { id }, headers));
    assert.equal(error.code, status.UNAUTHENTICATED);
    assert.equal(detailsOf(error)["google.rpc.ErrorInfo"]?.reason, reason);
    assert.equal(detailsOf(error)["common.v1.ErrorInfo"]?.reason, reason);
  }
});

test("users may read and change only their own data", async () => {
  const [user, other] = [await addUser(), await addUser()];
  const own = await shop.tokenOf("user", user.id);
  await users.call("GetUser", { id: user.id }, own);
  await users.call("UpdateUser", { id: user.id, first_name: "Augusta" }, own);
  const person = { email: "new@example.org", first_name: "N", last_name: "N", password };
  const refused: [string, LooseMessage][] = [
    ["GetUser", { id: other.id }],
    // The error does not reveal whether the user exists.
    ["GetUser", { id: "absent" }],
    ["UpdateUser", { id: other.id, first_name: "Eve" }],
    ["UpdateUser", { id: user.id, role: "USER_ROLE_ADMIN" }],
    ["CreateUser", { ...person, role: "USER_ROLE_ADMIN" }],
    ["DeleteUser", { id: user.id }],
    ["ListUsers", { page_size: 1 }],
  ];
  for (const [method, request] of refused) {
    const error = await failureOf(users.call(method, request, own));
    assert.equal(error.code, status.PERMISSION_DENIED, method);
    assert.equal(detailsOf(error)["google.rpc.ErrorInfo"]?.reason, "ROLE_MISSING", method);
  }
  for (const request of [{}, { user_ids: [user.id, other.id] }]) {
    await assert.rejects(users.stream("StreamUserUpdates", request, own).toArray(), { code: status.PERMISSION_DENIED });
  }
  assert.equal((await users.call("GetUser", { id: user.id }, own)).user.role, "USER_ROLE_USER");
});

test("a password appears in no response, no log line and no file", async () => {
  const secret = "Wortschatz-42-Übermut";
  const user = await addUser({ password: secret });
  const shown = JSON.stringify([
    user,
    await users.call("ListUsers", { page_size: 100 }, admin),
    service.process.records(),
  ]);
  assert.ok(!shown.includes(secret));
  assert.ok(!shown.includes("scrypt$"));
  const files = ["users.db", "users.db-wal", "events.db", "events.db-wal"].map((name) =>
    readFileSync(join(shop.dataDir, name), "utf8"),
  );
  assert.match(files.join(""), /scrypt\$(16384\$8\$5|32768\$8\$3)\$/);
  assert.ok(!files.join("").includes(secret));
});

test("a retry with the same key gets the first response, and another request with the key is refused", async () => {
  const keyed = { ...admin, "idempotency-key": "order-4711" };
  const person = { email: "once@example.org", first_name: "Once", last_name: "Only", password };
  const [first, together] = await Promise.all([
    users.call("CreateUser", person, keyed),
    users.call("CreateUser", person, keyed),
  ]);
  assert.deepEqual(together, first);
  // A renewed token belongs to the same caller.
  const renewed = { ...(await shop.tokenOf("admin", "somebody", 6)), "idempotency-key": "order-4711" };
  assert.deepEqual(await users.call("CreateUser", person, renewed), first);
  const count = await users.call("ListUsers", { page_size: 1, filter: "first_name = Once" }, admin);
  assert.equal(count.total_count, 1);

  const other = await failureOf(users.call("CreateUser", { ...person, password: `${password}!` }, keyed));
  assert.equal(other.code, status.FAILED_PRECONDITION);
  assert.equal(detailsOf(other)["google.rpc.ErrorInfo"]?.reason, "IDEMPOTENCY_KEY_REUSED");
  // The same key of another caller is another key.
  const stranger = { ...(await shop.tokenOf("user", "stranger")), "idempotency-key": "order-4711" };
  assert.equal((await failureOf(users.call("CreateUser", person, stranger))).code, status.ALREADY_EXISTS);
});

/** Reads updates of a stream one by one. */
function readerOf(request: LooseMessage, headers: Headers) {
  const stream = users.stream("StreamUserUpdates", request, headers);
  stream.on("error", () => {});
  const updates = stream[Symbol.asyncIterator]();
  return {
    next: async (): Promise<LooseMessage> => (await updates.next()).value,
    close: () => stream.cancel(),
  };
}

test("a stream has the changes of a user, and continues after its token", async () => {
  const user = await addUser();
  const own = await shop.tokenOf("user", user.id);
  const stream = readerOf({ user_ids: [user.id] }, own);
  const first = stream.next();
  let isTold = false;
  void first.then(() => {
    isTold = true;
  });
  // It is not known when the stream has started, so changes are made until one arrives.
  for (let nth = 0; !isTold; nth++) await users.call("UpdateUser", { id: user.id, last_name: `No ${nth}` }, own);
  const update = await first;
  assert.equal(update.type, "UPDATE_TYPE_UPDATED");
  assert.match(update.user.last_name, /^No \d+$/);
  assert.ok(Number(update.timestamp.seconds) > 1_700_000_000);
  stream.close();

  // Changes while no stream is open arrive later. Changes of other users do not.
  await users.call("UpdateUser", { id: user.id, last_name: "Last" }, own);
  await addUser();
  await users.call("DeleteUser", { id: user.id }, admin);
  const resumed = readerOf({ user_ids: [user.id], resume_token: update.resume_token }, own);
  let last = await resumed.next();
  // The user is deleted, so its earlier changes do not arrive any more.
  assert.equal(last.type, "UPDATE_TYPE_DELETED");
  assert.equal(last.user.id, user.id);
  assert.equal(last.user.email, "");
  resumed.close();

  const everybody = readerOf({ resume_token: last.resume_token }, admin);
  const next = everybody.next();
  const newcomer = await addUser();
  last = await next;
  assert.equal(last.type, "UPDATE_TYPE_CREATED");
  assert.deepEqual(last.user, newcomer);
  everybody.close();
});

test("a forged resume token is refused", async () => {
  const stream = users.stream("StreamUserUpdates", { resume_token: "AAAA" }, admin);
  const error = await failureOf(stream.toArray());
  assert.equal(error.code, status.INVALID_ARGUMENT);
  const [violation] = detailsOf(error)["google.rpc.BadRequest"]?.field_violations ?? [];
  assert.deepEqual([violation.field, violation.reason], ["resume_token", "RESUME_TOKEN_INVALID"]);
});

test("a request id is accepted, logged and returned", async () => {
  await users.call("ListUsers", { page_size: 1 }, { ...admin, "x-request-id": "trip-42" });
  const { method, status: ended } = await service.process.record({ message: "call ended", requestId: "trip-42" });
  assert.deepEqual([method, ended], ["user.v1.UserService/ListUsers", "OK"]);
});
