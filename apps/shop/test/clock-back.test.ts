import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { status } from "@grpc/grpc-js";
import { type ServiceName, serviceNames, signDevelopmentToken } from "./development-secret.ts";
import { connect, type LooseMessage } from "./grpc-client.ts";
import { Inbox } from "./inbox.ts";
import { createCheckout } from "./started-shop.ts";

const skip = process.platform === "linux" ? false : "there is no /proc";

test("setting back the clock of all processes by an hour fails no call and loses no event; streams, pages, keys and pending orders continue", {
  timeout: 280_000,
  skip,
}, async (t) => {
  const checkout = await createCheckout({ NODE_OPTIONS: `--import=${new URL("./clock-shift.ts", import.meta.url)}` });
  const clients: { close(): void }[] = [];
  t.after(async () => {
    for (const client of clients) client.close();
    await checkout.end();
  });
  const shop = checkout.start();
  const addresses = Object.fromEntries(
    await Promise.all(serviceNames.map(async (name) => [name, await shop.addressOf(name)] as const)),
  ) as Record<ServiceName, string>;
  const secret = readFileSync(join(checkout.shop, ".tercel/secret"), "utf8").trim();
  const token = await signDevelopmentToken(secret, { role: "admin", subject: "ops", minutes: 30 });
  const admin = { authorization: `Bearer ${token}` };
  const users = connect("api.user.v1.UserService", addresses["user-service"]);
  const orders = connect("shop.order.v1.OrderService", addresses["order-service"]);
  const inbox = new Inbox(addresses["notification-service"], admin);
  clients.push(users, orders, inbox);

  const made: LooseMessage[] = [];
  const requestOf = (nth: number) => ({
    user: { email: `user${nth}@example.org`, display_name: "Ada" },
    idempotency_key: `k${nth}`,
  });
  const create = async (): Promise<void> => {
    made.push(await users.call("CreateUser", requestOf(made.length), admin));
  };
  const seen: string[] = [];
  const stream = users.stream("StreamUserEvents", {}, admin, 280_000);
  clients.push({ close: () => stream.cancel() });
  stream.on("error", () => {});
  stream.on("data", ({ user_created }: LooseMessage) => {
    if (user_created) seen.push(user_created.user.user_id);
  });
  // The stream is open after its first message.
  while (seen.length === 0) await create();
  for (let nth = 0; nth < 10; nth++) await create();
  const page = await users.call("ListUsers", { page_size: 3 }, admin);
  const payments = shop.pidOf("payment-service");
  process.kill(payments, "SIGSTOP");
  const items = [{ sku: "book", quantity: 1, unit_price_cents: 5 }];
  const pending = await orders.call("CreateOrder", { user_id: "cy", items }, admin);
  assert.equal(pending.state, "STATE_PENDING");

  const { dev, services } = shop.pids();
  for (const pid of [dev, ...services]) process.kill(pid, "SIGUSR2");
  process.kill(payments, "SIGCONT");
  const before = made.length;
  for (let nth = 0; nth < 10; nth++) await create();

  const ids = made.map(({ user_id }) => user_id as string);
  const createdMs = ({ created_at: { seconds } }: LooseMessage) => Number(seconds) * 1000;
  assert.ok(createdMs(made.at(-1) ?? {}) < createdMs(made[before - 1] ?? {}), "the clock was not set back");
  assert.deepEqual(await inbox.kinds("cy", 2), ["order.placed", "payment.settled"]);
  for (const id of ids) {
    assert.deepEqual(await inbox.kinds(id), ["order.placed", "payment.settled", "user.created"]);
  }
  while (seen.at(-1) !== ids.at(-1)) await once(stream, "data");
  assert.deepEqual(seen, ids.slice(ids.indexOf(seen[0] ?? "")));
  const next = await users.call("ListUsers", { page_size: 3, page_token: page.next_page_token }, admin);
  assert.deepEqual(
    [...page.users, ...next.users].map(({ user_id }: LooseMessage) => user_id),
    ids.slice(0, 6),
  );
  assert.equal((await users.call("CreateUser", requestOf(0), admin)).user_id, ids[0]);
  const other = { ...requestOf(1), idempotency_key: "k0" };
  await assert.rejects(users.call("CreateUser", other, admin), { code: status.FAILED_PRECONDITION });
  const update = { user: { user_id: ids[0], metadata: { a: "b" } }, update_mask: { paths: ["metadata"] } };
  const updated = await users.call("UpdateUser", update, admin);
  assert.ok(Number(updated.updated_at.seconds) >= Number(updated.created_at.seconds));
  assert.doesNotMatch(shop.process.text(), /starts again/);
});
