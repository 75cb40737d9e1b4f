import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { assertStatus, createInMemoryTransport, createStubServer } from "@tercel/grpc/testing";
import { createRecovery } from "@tercel/interceptors/recovery";
import { UserService } from "./gen/users/v1/users_pb.ts";
import { createUserService } from "./user-service.ts";

const ada = { id: "1", name: "Ada", mail: "ada@example.com" };

/** The same server as in production, without the network. */
function open(test: TestContext) {
  const transport = createInMemoryTransport({
    routes: (router) => router.service(UserService, createUserService([ada])),
    serverOptions: { interceptors: [createRecovery()] },
  });
  test.after(() => transport.close({ deadlineMs: 0 }));
  return createClient(UserService, transport);
}

describe("the user service", () => {
  it("returns a user, and names the one that does not exist", async (t) => {
    const client = open(t);
    assert.equal((await client.getUser({ id: "1" })).name, "Ada");
    await assertStatus(client.getUser({ id: "2" }), Code.NotFound, { resource: "users/2" });
  });

  it("sends every new user to the clients that watch", async (t) => {
    const client = open(t);
    const names: string[] = [];
    for await (const { name } of client.watchUsers({})) {
      names.push(name);
      if (names.length === 2) break;
      await client.createUser({ name: "Bob", mail: "bob@example.com" });
    }
    assert.deepEqual(names, ["Ada", "Bob"]);
  });

  it("can be called by other programs", async (t) => {
    const stub = await createStubServer((router) => router.service(UserService, createUserService([ada])));
    t.after(() => stub.close({ deadlineMs: 0 }));
    // `stub.target` is host:port, for any other program.
    assert.match(stub.target, /^127\.0\.0\.1:\d+$/);
    assert.equal((await createClient(UserService, stub.transport).getUser({ id: "1" })).name, "Ada");
  });
});
