import assert from "node:assert/strict";
import { test } from "node:test";
import { createBackoff, createChannel, createClient } from "@tercel/grpc";
import { createBearerToken } from "@tercel/interceptors/auth";
import { createReconnectingStream } from "@tercel/interceptors/streams";
import { UserService, UserUpdate_UpdateType } from "../src/gen/user/v1/user_pb.ts";
import { alone, createShopUnderTest } from "./shop-under-test.ts";

test("a reconnecting stream gets each change once when user-service is killed and restarted", {
  timeout: 180_000,
}, async (t) => {
  const shop = await createShopUnderTest();
  t.after(() => shop.end());
  const first = await shop.start("user-service", alone);
  const { authorization } = await shop.tokenOf("admin");
  const channel = createChannel(first.address, {
    interceptors: [createBearerToken({ getToken: () => authorization.replace("Bearer ", ""), allowCleartext: true })],
    defaultTimeoutMs: 30_000,
    // Calls wait for the restarted service.
    waitForReady: true,
  });
  const leaving = new AbortController();
  try {
    const users = createClient(UserService, channel);
    let created = 0;
    const add = () => {
      created += 1;
      const person = { firstName: "Ada", lastName: "Noel", password: "correct horse" };
      return users.createUser({ ...person, email: `user${created}@example.org` });
    };
    const updates = createReconnectingStream({
      open: (resumeToken: string | undefined, signal) =>
        users.streamUserUpdates({ resumeToken: resumeToken ?? "" }, { signal, timeoutMs: 0 }),
      tokenOf: (update) => update.resumeToken,
      backoff: createBackoff({ initialDelayMs: 50, maxDelayMs: 200 }),
      signal: leaving.signal,
    })[Symbol.asyncIterator]();
    const next = async () => {
      const { value } = await updates.next();
      assert.equal(value?.type, UserUpdate_UpdateType.CREATED);
      return Number(/^user(\d+)@/.exec(value?.user?.email ?? "")?.[1]);
    };

    const opening = next();
    let isOpen = false;
    void opening.then(() => {
      isOpen = true;
    });
    while (!isOpen) await add();
    const seen = [await opening];

    first.process.signal("SIGKILL");
    await first.process.ended;
    const port = first.address.split(":")[1];
    await shop.start("user-service", [...alone, `service.port=${port}`]);
    for (let nth = 0; nth < 3; nth++) await add();
    while (seen.at(-1) !== created) seen.push(await next());
    const from = seen[0] ?? 0;
    assert.deepEqual(
      seen,
      Array.from({ length: created - from + 1 }, (_, at) => from + at),
    );
  } finally {
    leaving.abort();
    await channel.close();
  }
});
