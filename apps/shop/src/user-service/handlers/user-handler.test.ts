import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { type Client, Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { type Database, database, defineService, events } from "@tercel/service";
import { type TestedService, testService } from "@tercel/service/testing";
import { UserService } from "../../gen/user/user_pb.ts";
import { createUserStore } from "../store/user-store.ts";
import { createUserHandler, pageOf } from "./user-handler.ts";

const unknownId = "00000000-0000-4000-8000-000000000000";

let service: TestedService;
let db: Database;
let now: number;
let welcomed: string[];
let users: Client<typeof UserService>;
let adaId: string;
beforeEach(async () => {
  now = 1_000_999;
  welcomed = [];
  const definition = defineService({
    needs: { db: database({ migrations: new URL("../migrations/", import.meta.url) }), events: events() },
    routes(_router, parts) {
      db = parts.db;
    },
  });
  service = await testService(definition);
  const store = createUserStore(db, { nowMs: () => now });
  const handler = createUserHandler(store, async (userId) => void welcomed.push(userId));
  users = createClient(
    UserService,
    createRouterTransport((router) => router.service(UserService, handler)),
  );
  adaId = await add("Ada");
});
afterEach(() => service.stop());

async function add(name: string): Promise<string> {
  const { user } = await users.createUser({ name, email: `${name}@x.org` });
  return user?.id ?? "";
}

async function collect(stream: AsyncIterable<{ name: string }>): Promise<string[]> {
  const names: string[] = [];
  for await (const user of stream) names.push(user.name);
  return names;
}

test("returns a created user with its id and times, and places its welcome order", async () => {
  const { user } = await users.createUser({ name: " Grace ", email: "grace@x.org" });
  assert.equal(user?.name, "Grace");
  assert.equal(user?.email, "grace@x.org");
  assert.equal(user?.createdAt, 1_000n);
  assert.equal(user?.updatedAt, 1_000n);
  assert.deepEqual(welcomed, [adaId, user?.id]);
  assert.deepEqual((await users.getUser({ userId: user?.id ?? "" })).user, user);
});

test("places no order for a refused user", async () => {
  await assert.rejects(users.createUser({ name: "Ada", email: "ADA@X.ORG" }));
  assert.deepEqual(welcomed, [adaId]);
});

test("an update changes the fields that are not empty", async () => {
  now = 2_000_000;
  const named = await users.updateUser({ userId: adaId, name: "Ada L." });
  assert.equal(named.user?.name, "Ada L.");
  assert.equal(named.user?.email, "Ada@x.org");
  assert.equal(named.user?.createdAt, 1_000n);
  assert.equal(named.user?.updatedAt, 2_000n);
  const moved = await users.updateUser({ userId: adaId, email: "ada@y.org" });
  assert.equal(moved.user?.name, "Ada L.");
  assert.equal(moved.user?.email, "ada@y.org");
});

test("a deleted user is not found", async () => {
  assert.equal((await users.deleteUser({ userId: adaId })).success, true);
  await assert.rejects(users.getUser({ userId: adaId }), { code: Code.NotFound });
});

test("a list has its page number and the number of matching users", async () => {
  for (let count = 1; count <= 12; count++) await add(`bob${count}`);
  const first = await users.listUsers({ filter: "BOB" });
  assert.equal(first.users.length, 10);
  assert.deepEqual([first.total, first.page, first.pageSize], [12, 1, 10]);
  const second = await users.listUsers({ filter: "BOB", page: 2, pageSize: 10 });
  assert.deepEqual(
    second.users.map((user) => user.name),
    ["bob11", "bob12"],
  );
  const capped = await users.listUsers({ page: -3, pageSize: 1_000 });
  assert.deepEqual([capped.users.length, capped.total, capped.page, capped.pageSize], [13, 13, 1, 100]);
});

test("a stream has all matches, even more than one batch", async () => {
  const names = Array.from({ length: 201 }, (_, index) => `bob${index}`);
  for (const name of names) await add(name);
  assert.deepEqual(await collect(users.streamUsers({ filter: "bob" })), names);
  assert.deepEqual(await collect(users.streamUsers({})), ["Ada", ...names]);
  assert.deepEqual(await collect(users.streamUsers({ filter: "absent" })), []);
});

test("a stream ends when its client cancels", async () => {
  await add("Bob");
  const controller = new AbortController();
  const received: string[] = [];
  await assert.rejects(
    async () => {
      for await (const user of users.streamUsers({}, { signal: controller.signal })) {
        received.push(user.name);
        controller.abort();
      }
    },
    { code: Code.Canceled },
  );
  assert.deepEqual(received, ["Ada"]);
});

test("a cancelled stream reads no further batch from the store", async () => {
  let batchesRead = 0;
  const store = createUserStore(db);
  const user = (await store.get(adaId)) ?? assert.fail();
  const handler = createUserHandler(
    {
      ...store,
      async *batches() {
        for (;;) {
          batchesRead++;
          yield [user];
        }
      },
    },
    async () => {},
  );
  const transport = createRouterTransport(({ service }) => service(UserService, handler));
  const controller = new AbortController();
  await assert.rejects(
    async () => {
      for await (const _ of createClient(UserService, transport).streamUsers({}, { signal: controller.signal })) {
        if (batchesRead >= 3) controller.abort();
      }
    },
    { code: Code.Canceled },
  );
  const readAtTheEnd = batchesRead;
  // If the stream still ran, each turn of the event loop would read one more batch.
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(batchesRead, readAtTheEnd);
});

const tooLongName = "x".repeat(201);
const refusals: { promise: string; call: () => Promise<unknown>; code: Code; message: string }[] = [
  {
    promise: "a user without a name is refused",
    call: () => users.createUser({ email: "a@x.org" }),
    code: Code.InvalidArgument,
    message: "name: must not be empty",
  },
  {
    promise: "a user without an e-mail address is refused",
    call: () => users.createUser({ name: "A" }),
    code: Code.InvalidArgument,
    message: "email: must not be empty",
  },
  {
    promise: "a name of 201 characters is refused",
    call: () => users.createUser({ name: tooLongName, email: "a@x.org" }),
    code: Code.InvalidArgument,
    message: "name: must have at most 200 characters",
  },
  {
    promise: "an e-mail address of 321 characters is refused",
    call: () => users.createUser({ name: "A", email: "x".repeat(321) }),
    code: Code.InvalidArgument,
    message: "email: must have at most 320 characters",
  },
  {
    promise: "an address that somebody has in another case is refused",
    call: () => users.createUser({ name: "A", email: "aDA@X.org" }),
    code: Code.AlreadyExists,
    message: "email: another user has this address",
  },
  {
    promise: "a look-up without an id is refused",
    call: () => users.getUser({}),
    code: Code.InvalidArgument,
    message: "user_id: must not be empty",
  },
  {
    promise: "an unknown user is not found",
    call: () => users.getUser({ userId: unknownId }),
    code: Code.NotFound,
    message: "user_id: no user has this id",
  },
  {
    promise: "an update without an id is refused",
    call: () => users.updateUser({ name: "A" }),
    code: Code.InvalidArgument,
    message: "user_id: must not be empty",
  },
  {
    promise: "an update of an unknown user is refused",
    call: () => users.updateUser({ userId: unknownId, name: "A" }),
    code: Code.NotFound,
    message: "user_id: no user has this id",
  },
  {
    promise: "an update to a blank name is refused",
    call: () => users.updateUser({ userId: adaId, name: " " }),
    code: Code.InvalidArgument,
    message: "name: must not be empty",
  },
  {
    promise: "an update to somebody else's address is refused",
    call: async () => users.updateUser({ userId: await add("Eve"), email: "ADA@x.org" }),
    code: Code.AlreadyExists,
    message: "email: another user has this address",
  },
  {
    promise: "a deletion without an id is refused",
    call: () => users.deleteUser({}),
    code: Code.InvalidArgument,
    message: "user_id: must not be empty",
  },
  {
    promise: "a deletion of an unknown user is refused",
    call: () => users.deleteUser({ userId: unknownId }),
    code: Code.NotFound,
    message: "user_id: no user has this id",
  },
];

for (const { promise, call, code, message } of refusals) {
  test(promise, async () => {
    await assert.rejects(call(), (error) => {
      assert.ok(error instanceof ConnectError);
      assert.equal(Code[error.code], Code[code]);
      assert.equal(error.rawMessage, message);
      return true;
    });
  });
}

test("accepts a name of 200 and an address of 320 characters", async () => {
  const { user } = await users.createUser({ name: tooLongName.slice(1), email: "x".repeat(320) });
  assert.equal(user?.name.length, 200);
  assert.equal(user?.email.length, 320);
});

for (const { promise, asked, meant } of [
  { promise: "nothing asked for is the first page of ten", asked: [0, 0], meant: { page: 1, pageSize: 10 } },
  { promise: "negative numbers mean the defaults", asked: [-1, -1], meant: { page: 1, pageSize: 10 } },
  { promise: "the smallest numbers are kept", asked: [1, 1], meant: { page: 1, pageSize: 1 } },
  { promise: "a page of 100 is kept", asked: [2, 100], meant: { page: 2, pageSize: 100 } },
  { promise: "a page of 101 becomes one of 100", asked: [2, 101], meant: { page: 2, pageSize: 100 } },
] as const) {
  test(promise, () => assert.deepEqual(pageOf(asked[0], asked[1]), meant));
}
