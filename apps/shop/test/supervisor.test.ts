import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { connect } from "./grpc-client.ts";
import { endShopProcess, isRunning, type ShopProcess, startShopProcess, untilEnded } from "./shop-process.ts";
import { withSideBySide } from "./shop-under-test.ts";

let folder: string;
const processes: ShopProcess[] = [];
before(() => {
  folder = mkdtempSync(join(tmpdir(), "shop-supervisor-"));
});
after(() => {
  rmSync(folder, { recursive: true });
});

/** Ends what a test or a suite has left running. */
async function endShops(): Promise<void> {
  await Promise.all(processes.splice(0).map(endShopProcess));
}

function startShop(args: string[]): ShopProcess {
  const data = mkdtempSync(join(folder, "data-"));
  const shop = startShopProcess("main", withSideBySide([`--data-dir=${data}`, ...args]));
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

async function createUser(address: string, email: string): Promise<string> {
  const client = connect("user.UserService", address);
  try {
    const { user } = await client.call("CreateUser", { name: "Ada", email });
    assert.equal(user.name, "Ada");
    return user.id;
  } finally {
    client.close();
  }
}

async function endsCleanly({ shop, orders, moreOrders, users }: Awaited<ReturnType<typeof openShop>>): Promise<void> {
  assert.equal(await shop.ended, 0);
  for (const service of ["order-service", "user-service"]) await shop.record({ event: "stopped", service });
  await shop.record({ event: "stopped", service: "order-service" }, 2);
  for (const { pid } of [orders, moreOrders, users]) assert.ok(!isRunning(pid));
}

const grpcurl = spawnSync("grpcurl", ["-version"]).error === undefined;

// One shop for all of these, in this order, because each has four processes to start. The shown calls expect a shop without users.
describe("an open shop", { timeout: 120_000 }, () => {
  let open: Awaited<ReturnType<typeof openShop>>;
  before(async () => {
    open = await openShop();
  });
  after(endShops);

  it("shows calls that work as they are, one after the other", {
    skip: grpcurl ? false : "grpcurl is not installed",
  }, () => {
    const lines = open.shop.text().split("\n");
    const shown = lines.filter((line) => /^ {2}(TOKEN=|grpcurl )/.test(line)).map((line) => line.trim());
    assert.equal(shown.length, 4);
    const { stdout, stderr, status } = spawnSync("bash", ["-e"], { input: shown.join("\n"), encoding: "utf8" });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /"firstName": "Ada"[\s\S]*"totalCount": 1[\s\S]*"name": "Grace Hopper"/);
  });

  it("shows all addresses and a call to try, and user-service finds order-service", async () => {
    const { shop, orders, users } = open;
    assert.ok(shop.text().includes(users.address));
    assert.ok(shop.text().includes(orders.address));
    assert.match(shop.text(), /grpcurl -plaintext .* user\.UserService\/CreateUser/);
    const userId = await createUser(users.address, "first@example.org");
    await shop.record({ event: "welcome_order_placed", userId });
  });

  it("starts a killed service again at its address, and the other one finds it", async () => {
    const { shop, listening, orders, users } = open;
    process.kill(users.pid, "SIGKILL");
    const again = await listening("user-service", 2);
    assert.notEqual(again.pid, users.pid);
    assert.equal(again.address, users.address);
    assert.ok(isRunning(orders.pid));
    const userId = await createUser(again.address, "second@example.org");
    await shop.record({ event: "welcome_order_placed", userId });
    open = { ...open, users: again };
  });

  it("ends all services cleanly at SIGINT, with exit code 0", async () => {
    open.shop.signal("SIGINT");
    await endsCleanly(open);
  });
});

describe("a shop", () => {
  afterEach(endShops);

  it("ends all services cleanly at SIGTERM, with exit code 0", { timeout: 60_000 }, async () => {
    const open = await openShop();
    open.shop.signal("SIGTERM");
    await endsCleanly(open);
  });

  it("has no service left when its supervisor is killed", { timeout: 60_000 }, async () => {
    const { shop, orders, moreOrders, users } = await openShop();
    shop.signal("SIGKILL");
    assert.equal(await shop.ended, "SIGKILL");
    for (const { pid } of [orders, moreOrders, users]) await untilEnded(pid);
  });

  for (const { service, flag, variable } of [
    { service: "user-service", flag: "--user-port", variable: "SHOP_USER_PORT" },
    { service: "order-service", flag: "--order-port", variable: "SHOP_ORDER_PORT" },
  ]) {
    it(`refuses a taken port of ${service}, naming it and how to change it`, { timeout: 60_000 }, async () => {
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

  it("refuses an unknown flag naming the nearest, and starts nothing", { timeout: 60_000 }, async () => {
    const shop = startShop(["--user-prot=7000"]);
    assert.equal(await shop.ended, 1);
    assert.equal(shop.text(), 'The shop did not start: unknown flag "--user-prot"; did you mean --user-port?\n');
  });

  it("shows help with exit code 0", { timeout: 60_000 }, async () => {
    const shop = startShop(["--help"]);
    assert.equal(await shop.ended, 0);
    assert.match(shop.text(), /--order-address/);
  });
});
