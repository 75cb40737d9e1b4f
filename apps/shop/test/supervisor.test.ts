import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { connect } from "./grpc-client.ts";
import { endShopProcess, isRunning, type ShopProcess, startShopProcess, untilEnded } from "./shop-process.ts";
import { withSideBySide } from "./shop-under-test.ts";

let folder: string;
const processes: ShopProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "shop-supervisor-"));
});
afterEach(async () => {
  await Promise.all(processes.splice(0).map(endShopProcess));
  rmSync(folder, { recursive: true });
});

function startShop(args: string[]): ShopProcess {
  const shop = startShopProcess("main", withSideBySide([`--data-dir=${join(folder, "data")}`, ...args]));
  processes.push(shop);
  return shop;
}

async function openShop() {
  const shop = startShop([]);
  const listening = async (service: string, nth?: number) => {
    const { address, pid } = await shop.record({ event: "listening", service }, nth);
    return { address: address as string, pid: pid as number };
  };
  await shop.says("Ctrl-C closes the shop.");
  const orders = await listening("order-service");
  const users = await listening("user-service");
  const moreOrders = await listening("order-service", 2);
  return { shop, listening, orders, moreOrders, users };
}

async function createAda(address: string, email = "ada@example.org"): Promise<void> {
  const client = connect("user.UserService", address);
  try {
    const { user } = await client.call("CreateUser", { name: "Ada", email });
    assert.equal(user.name, "Ada");
  } finally {
    client.close();
  }
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`${signal} ends all services cleanly with exit code 0`, { timeout: 60_000 }, async () => {
    const { shop, orders, moreOrders, users } = await openShop();
    shop.signal(signal);
    assert.equal(await shop.ended, 0);
    for (const service of ["order-service", "user-service"]) await shop.record({ event: "stopped", service });
    await shop.record({ event: "stopped", service: "order-service" }, 2);
    for (const { pid } of [orders, moreOrders, users]) assert.ok(!isRunning(pid));
  });
}

test("all addresses and a call to try are shown, and user-service finds order-service", {
  timeout: 60_000,
}, async () => {
  const { shop, orders, users } = await openShop();
  assert.ok(shop.text().includes(users.address));
  assert.ok(shop.text().includes(orders.address));
  assert.match(shop.text(), /grpcurl -plaintext .* user\.UserService\/CreateUser/);
  await createAda(users.address);
  await shop.record({ event: "welcome_order_placed" });
});

const grpcurl = spawnSync("grpcurl", ["-version"]).error === undefined;

test("the calls that are shown work as they are, one after the other", {
  timeout: 60_000,
  skip: grpcurl ? false : "grpcurl is not installed",
}, async () => {
  const { shop } = await openShop();
  const lines = shop.text().split("\n");
  const shown = lines.filter((line) => /^ {2}(TOKEN=|grpcurl )/.test(line)).map((line) => line.trim());
  assert.equal(shown.length, 4);
  const { stdout, stderr, status } = spawnSync("bash", ["-e"], { input: shown.join("\n"), encoding: "utf8" });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /"firstName": "Ada"[\s\S]*"totalCount": 1[\s\S]*"name": "Grace Hopper"/);
});

test("a killed service is started again at its address, and the other one finds it", { timeout: 60_000 }, async () => {
  const { shop, listening, orders, users } = await openShop();
  process.kill(users.pid, "SIGKILL");
  const again = await listening("user-service", 2);
  assert.notEqual(again.pid, users.pid);
  assert.equal(again.address, users.address);
  assert.ok(isRunning(orders.pid));
  await createAda(again.address);
  await shop.record({ event: "welcome_order_placed" });
});

test("services end when the supervisor is killed", { timeout: 60_000 }, async () => {
  const { shop, orders, moreOrders, users } = await openShop();
  shop.signal("SIGKILL");
  assert.equal(await shop.ended, "SIGKILL");
  for (const { pid } of [orders, moreOrders, users]) await untilEnded(pid);
});

for (const { service, flag, variable } of [
  { service: "user-service", flag: "--user-port", variable: "SHOP_USER_PORT" },
  { service: "order-service", flag: "--order-port", variable: "SHOP_ORDER_PORT" },
]) {
  test(`a taken port of ${service} is refused, naming it and how to change it`, { timeout: 60_000 }, async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    try {
      const { port } = taken.address() as AddressInfo;
      const shop = startShop([`${flag}=${port}`]);
      assert.equal(await shop.ended, 1);
      assert.ok(shop.text().includes(`${service} did not start: port ${port} on 127.0.0.1 is taken`), shop.text());
      assert.ok(shop.text().includes(`${flag} or ${variable}`), shop.text());
      if (service === "user-service") {
        // The other service was up by then; nothing of it may be left.
        const { pid } = await shop.record({ event: "listening", service: "order-service" });
        assert.ok(!isRunning(pid as number));
      }
    } finally {
      taken.close();
    }
  });
}

test("an unknown flag is refused naming the nearest, and nothing is started", { timeout: 60_000 }, async () => {
  const shop = startShop(["--user-prot=7000"]);
  assert.equal(await shop.ended, 1);
  assert.equal(shop.text(), 'The shop did not start: unknown flag "--user-prot"; did you mean --user-port?\n');
});

test("help is shown with exit code 0", { timeout: 60_000 }, async () => {
  const shop = startShop(["--help"]);
  assert.equal(await shop.ended, 0);
  assert.match(shop.text(), /--order-address/);
});
