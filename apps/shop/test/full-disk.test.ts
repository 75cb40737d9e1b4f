import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { connect, type LooseClient } from "./grpc-client.ts";
import { endShopProcess, type ShopProcess, shopCommand, watchShopProcess } from "./shop-process.ts";
import { bearerIn, withSideBySide } from "./shop-under-test.ts";

// A disk that is full, and one that may only be read, as the kernel has them: a small tmpfs that only the service and its children see.

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

/** Starts a service whose data folder is a disk of its own. `prepare` is run in a shell with the folder as $0, before the service. */
function startOnSmallDisk(name: "user-service" | "order-service", prepare: string, args: string[] = []): ShopProcess {
  const mount = 'mount -t tmpfs -o size=1m,mode=700 tmpfs "$0"';
  const command = shopCommand(`${name}/main`, withSideBySide([`--data-dir=${dataDir}`, ...args]));
  const script = [mount, prepare, 'exec "$@"'].filter((step) => step !== "").join(" && ");
  const process = watchShopProcess([...inNamespace, script, dataDir, ...command]);
  processes.push(process);
  return process;
}

async function addressOf(process: ShopProcess): Promise<string> {
  return (await process.record({ event: "listening" })).address as string;
}

function open(service: Parameters<typeof connect>[0], address: string): LooseClient {
  const client = connect(service, address);
  clients.push(client);
  return client;
}

/** A file on the disk of a process. */
function insideOf(process: ShopProcess, name: string): string {
  return join("/proc", String(process.pid), "root", dataDir, name);
}

/** Takes all the room that is left. */
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

/** Calls until something holds: the health is checked every two seconds, and its change cannot be waited for from outside. */
async function untilStatus(health: LooseClient, service: string, status: string): Promise<void> {
  const watch = health.stream("Watch", { service });
  watch.on("error", () => {});
  for await (const response of watch) if ((response as { status: string }).status === status) return;
  throw new Error(`the watch ended before ${service} was ${status}`);
}

for (const { name, service, place, read } of [
  {
    name: "user-service",
    service: "user.UserService",
    place: (client: LooseClient, nth: number) =>
      client.call("CreateUser", { name: `Ada ${"x".repeat(150)}`, email: `ada${nth}@example.org` }),
    read: (client: LooseClient) => client.call("ListUsers", { page: 1, page_size: 10 }),
  },
  {
    name: "order-service",
    service: "shop.order.v1.OrderService",
    place: async (client: LooseClient, nth: number, headers: Record<string, string>) => {
      const items = Array.from({ length: 20 }, (_, at) => ({ sku: `sku-${at}`, quantity: 1, unit_price_cents: 1 }));
      return client.call("CreateOrder", { user_id: `ada${nth}`, items }, headers);
    },
    read: (client: LooseClient, headers: Record<string, string>) =>
      client.call("ListOrders", { user_id: "ada0", page_size: 10 }, headers),
  },
] as const) {
  test(`${name} on a full disk: RESOURCE_EXHAUSTED, NOT_SERVING, one line in the log, and all is well again when there is room`, {
    timeout: 120_000,
    skip,
  }, async () => {
    const shop = startOnSmallDisk(name, "", ["--order-address=127.0.0.1:1", "--order-dependency=optional"]);
    const address = await addressOf(shop);
    const health = open("grpc.health.v1.Health", address);
    const client = open(service, address);
    const headers = await bearerIn(insideOf(shop, "."), { role: "admin", subject: "admin", lifeMinutes: 5 });
    await untilStatus(health, service, "SERVING");
    await place(client, 0, headers);

    fill(insideOf(shop, "filler"));
    const codes = new Set<number>();
    // The journal has some room of its own.
    for (let nth = 1; codes.size === 0 || nth < 200; nth++) {
      await place(client, nth, headers).catch((error: { code: number; details: string }) => {
        codes.add(error.code);
        assert.match(error.details, /the disk of the service is full/);
      });
    }
    assert.deepEqual([...codes], [8]);
    await read(client, headers);
    await untilStatus(health, service, "NOT_SERVING");
    const failed = shop.records().filter(({ event }) => event === "storage_failed");
    assert.equal(failed.length, 1);
    assert.equal(failed[0]?.problem, "full");
    assert.ok(!shop.records().some(({ error }) => typeof error === "string" && /\n +at /.test(error)));

    rmSync(insideOf(shop, "filler"));
    await untilStatus(health, service, "SERVING");
    await shop.record({ event: "storage_recovered" });
    await place(client, 1_000_000, headers);
  });
}

test("a disk that is full at the start is named, with exit code 1 and no stack", {
  timeout: 60_000,
  skip,
}, async () => {
  const shop = startOnSmallDisk("order-service", '{ dd if=/dev/zero of="$0/filler" bs=4096 2>/dev/null || true; }');
  assert.equal(await shop.ended, 1);
  const { problem } = await shop.record({ event: "start_failed" });
  assert.match(
    String(problem),
    new RegExp(`^cannot write ${dataDir}/orders\\.db: the disk is full \\(.*\\); free some space$`),
  );
  assert.equal(shop.text(), "");
});

test("a disk that may only be read is named, with exit code 1 and no stack", { timeout: 60_000, skip }, async () => {
  for (const [name, file] of [
    ["order-service", "orders.db"],
    ["user-service", "secret.key"],
  ] as const) {
    const shop = startOnSmallDisk(name, 'mount -o remount,ro "$0"');
    assert.equal(await shop.ended, 1);
    const { problem } = await shop.record({ event: "start_failed" });
    assert.match(
      String(problem),
      new RegExp(`^cannot use ${dataDir}/${file}: EROFS: .*; make its folder writable .* --data-dir or SHOP_DATA_DIR$`),
    );
    assert.equal(shop.text(), "");
  }
});

for (const [program, file] of [
  ["main", "users.db"],
  ["order-service/main", "orders.db"],
  ["user-service/main", "idempotency.db"],
] as const) {
  test(`a damaged ${file} is named with the remedy, with exit code 1 and no stack`, { timeout: 60_000 }, async () => {
    const damaged = mkdtempSync(join(folder, "damaged-"));
    const path = join(damaged, file);
    writeFileSync(path, "not a database ".repeat(1_000));
    const shop = watchShopProcess(shopCommand(program, withSideBySide([`--data-dir=${damaged}`])));
    processes.push(shop);
    assert.equal(await shop.ended, 1);
    const { problem } = await shop.record({ event: "start_failed" });
    const remedy = "restore a backup, or delete it with its -wal and -shm files to start empty";
    assert.match(String(problem), new RegExp(`^${path} is damaged \\(.*file is not a database\\); ${remedy}$`));
    if (program === "main")
      assert.equal(shop.text(), `The shop did not open: user-service did not start: ${problem}\n`);
    else assert.equal(shop.text(), "");
  });
}
