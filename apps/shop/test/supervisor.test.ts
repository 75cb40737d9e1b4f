import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { openDevelopmentSecret, type ServiceName, serviceNames } from "../src/supervisor/development-secret.ts";
import { connect } from "./grpc-client.ts";
import { isRunning, type ShopProcess, startShopProcess, untilEnded } from "./shop-process.ts";
import { sideBySide } from "./shop-under-test.ts";

let folder: string;
const processes: ShopProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tercel-shop-supervisor-"));
});
afterEach(async () => {
  for (const shop of processes.splice(0)) {
    // Gracefully, so that its services are gone before their folder is.
    shop.signal("SIGTERM");
    await shop.ended;
  }
  rmSync(folder, { recursive: true });
});

function startShop(args: readonly string[] = []): ShopProcess {
  const set = serviceNames.flatMap((name) => sideBySide(name).map((one) => `--set=${name}.${one}`));
  const shop = startShopProcess("main", [...set, ...args], { SHOP_DATA: join(folder, "data") });
  processes.push(shop);
  return shop;
}

async function openShop() {
  const shop = startShop();
  await shop.says("Ctrl-C closes the shop.");
  const addressOf = async (service: ServiceName, nth?: number) =>
    (await shop.record({ message: "ready", service }, nth)).address as string;
  return { shop, addressOf, pids: childrenOf(shop.pid) };
}

/** See proc(5). */
function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);
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
  test(`${signal} ends all services cleanly with exit code 0`, { timeout: 120_000 }, async () => {
    const { shop, pids } = await openShop();
    assert.equal(pids.length, serviceNames.length);
    shop.signal(signal);
    assert.equal(await shop.ended, 0);
    for (const service of serviceNames) await shop.record({ message: "stopped", service });
    for (const pid of pids) assert.ok(!isRunning(pid));
  });
}

test("all addresses and calls to try are shown, and the services find each other", { timeout: 120_000 }, async () => {
  const { shop, addressOf } = await openShop();
  for (const service of serviceNames) assert.ok(shop.text().includes(await addressOf(service)), service);
  assert.match(shop.text(), /grpcurl -plaintext .* user\.UserService\/CreateUser/);
  await createAda(await addressOf("user-service"));
  await shop.record({ message: "welcome order placed" });
});

const grpcurl = spawnSync("grpcurl", ["-version"]).error === undefined;

test("the calls that are shown work as they are, one after the other", {
  timeout: 120_000,
  skip: grpcurl ? false : "grpcurl is not installed",
}, async () => {
  const { shop } = await openShop();
  const lines = shop.text().split("\n");
  const shown = lines.filter((line) => /^ {2}(TOKEN=|grpcurl |curl )/.test(line)).map((line) => line.trim());
  assert.ok(shown.length >= 5, shop.text());
  const { stdout, stderr, status } = spawnSync("bash", ["-e"], { input: shown.join("\n"), encoding: "utf8" });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /"firstName": "Ada"[\s\S]*"totalCount": 1[\s\S]*"name": "Grace Hopper"/);
});

test("a killed service is started again at its address, and the others find it", { timeout: 120_000 }, async () => {
  const { shop, addressOf, pids } = await openShop();
  const address = await addressOf("user-service");
  for (const pid of pids) if (nameOf(pid).includes("user-service")) process.kill(pid, "SIGKILL");
  assert.equal(await addressOf("user-service", 2), address);
  await createAda(address);
  await shop.record({ message: "welcome order placed" });
});

function nameOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
}

test("services end when the supervisor is killed", { timeout: 120_000 }, async () => {
  const { shop, pids } = await openShop();
  shop.signal("SIGKILL");
  for (const pid of pids) await untilEnded(pid);
});

test("a kill of everything at once loses no user and no event: they arrive when the shop is opened again", {
  timeout: 240_000,
}, async () => {
  const { shop, addressOf, pids } = await openShop();
  const users = connect("user.UserService", await addressOf("user-service"));
  const confirmed: string[] = [];
  const create = async (): Promise<void> => {
    for (;;) {
      const { user } = await users.call("CreateUser", { name: "Ada", email: `${randomUUID()}@example.org` });
      confirmed.push(user.id);
      // The registry and the hub of events are in the supervisor.
      if (confirmed.length === 20) for (const pid of [shop.pid, ...pids]) process.kill(pid, "SIGKILL");
    }
  };
  await Promise.allSettled([create(), create()]);
  users.close();
  for (const pid of pids) await untilEnded(pid);
  assert.ok(confirmed.length >= 20);

  const again = await openShop();
  const secret = openDevelopmentSecret(join(folder, "data"));
  const admin = { authorization: `Bearer ${await secret.signToken({ role: "admin", subject: "ops", minutes: 5 })}` };
  const inbox = connect("shop.notification.v1.NotificationService", await again.addressOf("notification-service"));
  for (const user_id of confirmed) {
    let kinds: string[] = [];
    while (kinds.length < 3) {
      const found = (await inbox.call("ListNotifications", { user_id, page_size: 100 }, admin)).notifications;
      kinds = found.map(({ kind }: { kind: string }) => kind);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.deepEqual(kinds.sort(), ["order.placed", "payment.settled", "user.created"]);
  }
  inbox.close();
});

for (const service of ["user-service", "order-service"] as const) {
  test(`a taken port of ${service} is refused, naming it and how to change it`, { timeout: 120_000 }, async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    try {
      const { port } = taken.address() as AddressInfo;
      const shop = startShop([`--set=${service}.service.port=${port}`]);
      assert.equal(await shop.ended, 1);
      const problem = `The shop did not open: ${service} did not start: port ${port} of 127.0.0.1 is taken by another program; change service.port`;
      assert.ok(shop.text().includes(problem), shop.text());
    } finally {
      taken.close();
    }
  });
}

test("a key that no one knows is refused with the nearest, and nothing stays", { timeout: 120_000 }, async () => {
  const shop = startShop(["--set=user-service.service.prot=7000"]);
  assert.equal(await shop.ended, 1);
  assert.match(shop.text(), /unknown key service\.prot; did you mean --set service\.port|did you mean service\.port/);
});

test("an argument that no one knows is refused naming the nearest, and nothing is started", {
  timeout: 60_000,
}, async () => {
  const shop = startShop(["--sett"]);
  assert.equal(await shop.ended, 1);
  assert.equal(shop.text(), 'The shop did not start: unknown argument "--sett"; did you mean --set?\n');
});

test("help is shown with exit code 0", { timeout: 60_000 }, async () => {
  const shop = startShop(["--help"]);
  assert.equal(await shop.ended, 0);
  assert.match(shop.text(), /--set SERVICE\.KEY=VALUE/);
});

test("a token that npm run token prints is taken by every service, and a role that is none is refused", {
  timeout: 120_000,
}, async () => {
  const { addressOf } = await openShop();
  const env = { SHOP_DATA: join(folder, "data") };
  const printer = startShopProcess("token/main", ["--role", "admin"], env);
  assert.equal(await printer.ended, 0);
  const admin = { authorization: `Bearer ${printer.text().trim()}` };
  for (const [name, service, method] of [
    ["user-service", "user.v1.UserService", "ListUsers"],
    ["order-service", "shop.order.v1.OrderService", "ListOrders"],
    ["payment-service", "shop.payment.v1.PaymentService", "ListPayments"],
    ["notification-service", "shop.notification.v1.NotificationService", "ListNotifications"],
  ] as const) {
    const client = connect(service, await addressOf(name));
    await client.call(method, { page_size: 1 }, admin).finally(() => client.close());
  }
  for (const [args, says] of [
    [["--role=root"], /--role must be one of user, moderator, admin/],
    [["--minutes=0"], /--minutes must be a whole number from 1 to 10080/],
    [["--minutes=10081"], /not "10081"/],
    [["--secret=a"], /Unknown option '--secret'/],
  ] as const) {
    const refused = startShopProcess("token/main", args, env);
    assert.equal(await refused.ended, 1);
    assert.match(refused.text(), says);
  }
});
