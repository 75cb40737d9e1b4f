import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { type ServiceName, signDevelopmentToken } from "./development-secret.ts";
import { connect, type LooseClient } from "./grpc-client.ts";
import { endShopProcess, folderOf, type ShopProcess, serviceCommand, watchShopProcess } from "./shop-process.ts";
import { alone, configArguments } from "./shop-under-test.ts";

// A full disk and a read-only disk of the kernel: a small tmpfs that only the service and its children see.

const inNamespace = ["unshare", "--mount", "--propagation", "private", "sh", "-c"];
const mayMount = spawnSync("unshare", ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/tmp"]).status === 0;
const skip = mayMount ? false : "mounting is not allowed here";

let folder: string;
let dataDir: string;
const processes: ShopProcess[] = [];
const clients: LooseClient[] = [];
before(() => {
  folder = mkdtempSync(join(tmpdir(), "tercel-shop-"));
  dataDir = join(folder, "data");
  mkdirSync(dataDir);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await Promise.all(processes.splice(0).map(endShopProcess));
});
after(() => rmSync(folder, { recursive: true }));

const offline = [
  "discovery.providers.embedded.enabled=false",
  "events.providers.embedded.enabled=false",
  "events.providers.memory.max_events=100000",
];
const unreachable = (name: ServiceName) =>
  ["target=127.0.0.1:1", "required=false"].map((one) => `dependencies.${name}.${one}`);
const secret = "s".repeat(44);

/** Starts a service whose data folder is a separate disk. `prepare` runs in a shell before the service, with the folder as $0. */
function startOnSmallDisk(name: "user-service" | "order-service", prepare: string): ShopProcess {
  const mount = 'mount -t tmpfs -o size=1m,mode=700 tmpfs "$0"';
  const set = [...offline, ...(name === "user-service" ? alone : unreachable("payment-service"))];
  // An expected failure must happen soon. A successful start may take long on a busy machine.
  const wait = prepare === "" ? [] : ["service.start.wait=1s"];
  const command = serviceCommand(name, configArguments(name, [...set, ...wait]));
  const script = [mount, prepare, 'exec "$@"'].filter((step) => step !== "").join(" && ");
  const variables = { SHOP_DATA: dataDir, TERCEL__SECURITY__SECRET: secret };
  const service = watchShopProcess([...inNamespace, script, dataDir, ...command], {
    cwd: folderOf(name),
    env: { ...process.env, ...variables },
  });
  processes.push(service);
  return service;
}

async function addressOf(service: ShopProcess): Promise<string> {
  return (await service.record({ message: "ready" })).address as string;
}

function open(service: Parameters<typeof connect>[0], address: string): LooseClient {
  const client = connect(service, address);
  clients.push(client);
  return client;
}

/** A file on the disk of a process. */
function insideOf(service: ShopProcess, name: string): string {
  return join("/proc", String(service.pid), "root", dataDir, name);
}

/** Fills the disk. */
function fill(path: string): void {
  const file = openSync(path, "w");
  try {
    for (const bytes of [65_536, 4_096]) {
      try {
        for (;;) writeSync(file, Buffer.alloc(bytes, 1));
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
      }
    }
  } finally {
    closeSync(file);
  }
}

/** Repeats a call until a condition holds. The service checks its health every two seconds, and does not report a change to the test. */
async function untilStatus(health: LooseClient, service: string, status: string): Promise<void> {
  const watch = health.stream("Watch", { service }, {}, 300_000);
  watch.on("error", () => {});
  for await (const response of watch) if ((response as { status: string }).status === status) return;
  throw new Error(`the watch ended before ${service} was ${status}`);
}

for (const { name, service, database, place, read } of [
  {
    name: "user-service",
    database: "users.db",
    service: "user.UserService",
    place: (client: LooseClient, nth: number) =>
      client.call("CreateUser", { name: `Ada ${"x".repeat(150)}`, email: `ada${nth}@example.org` }),
    read: (client: LooseClient) => client.call("ListUsers", { page: 1, page_size: 10 }),
  },
  {
    name: "order-service",
    database: "orders.db",
    service: "shop.order.v1.OrderService",
    place: async (client: LooseClient, nth: number, headers: Record<string, string>) => {
      const items = Array.from({ length: 20 }, (_, at) => ({ sku: `sku-${at}`, quantity: 1, unit_price_cents: 1 }));
      return client.call("CreateOrder", { user_id: `ada${nth}`, items }, headers);
    },
    read: (client: LooseClient, headers: Record<string, string>) =>
      client.call("ListOrders", { user_id: "ada0", page_size: 10 }, headers),
  },
] as const) {
  test(`${name} on a full disk: RESOURCE_EXHAUSTED, NOT_SERVING, one log line, and recovery when there is space again`, {
    timeout: 300_000,
    skip,
  }, async () => {
    const shop = startOnSmallDisk(name, "");
    const address = await addressOf(shop);
    const health = open("grpc.health.v1.Health", address);
    const client = open(service, address);
    const headers = await adminHeaders();
    await untilStatus(health, service, "SERVING");
    await place(client, 0, headers);

    fill(insideOf(shop, "filler"));
    const codes = new Set<number>();
    // The journal has some reserved space.
    for (let nth = 1; codes.size === 0 || nth < 200; nth++) {
      await place(client, nth, headers).catch((error: { code: number; details: string }) => {
        codes.add(error.code);
        assert.match(error.details, /database is full/);
      });
    }
    assert.deepEqual([...codes], [8]);
    await read(client, headers);
    await untilStatus(health, service, "NOT_SERVING");
    // The log arrives through another pipe.
    await shop.record({ message: "a dependency is missing", dependency: `sqlite at ${join(dataDir, database)}` });
    const missing = shop.records().filter(({ message }) => message === "a dependency is missing");
    assert.equal(missing.filter(({ problem }) => /database or disk is full/.test(String(problem))).length, 1);
    assert.ok(!shop.records().some(({ error }) => typeof error === "string" && /\n +at /.test(error)));

    rmSync(insideOf(shop, "filler"));
    await untilStatus(health, service, "SERVING");
    await place(client, 1_000_000, headers);
  });
}

async function adminHeaders(): Promise<Record<string, string>> {
  const token = { role: "admin", subject: "admin", minutes: 5 } as const;
  return { authorization: `Bearer ${await signDevelopmentToken(secret, token)}` };
}

for (const { promise, prepare, says } of [
  {
    promise: "a disk that is full at the start is named, with exit code 1 and no stack",
    prepare: '{ dd if=/dev/zero of="$0/filler" bs=4096 2>/dev/null || true; }',
    says: /orders\.db|disk is full/,
  },
  {
    promise: "a disk that may only be read is named, with exit code 1 and no stack",
    prepare: 'mount -o remount,ro "$0"',
    says: /sqlite at .*orders\.db: /,
  },
  {
    promise: "a damaged database is named, with exit code 1 and no stack",
    prepare: 'dd if=/dev/urandom of="$0/orders.db" bs=4096 count=4 2>/dev/null',
    says: /sqlite at .*orders\.db: file is not a database/,
  },
]) {
  test(promise, { timeout: 60_000, skip }, async () => {
    const shop = startOnSmallDisk("order-service", prepare);
    assert.equal(await shop.ended, 1);
    assert.match(shop.text(), says);
    assert.doesNotMatch(shop.text(), /\n +at /);
  });
}
