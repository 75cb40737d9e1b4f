import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isRunning, type ShopProcess, untilEnded, watchShopProcess } from "./shop-process.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const skip = process.platform === "win32" ? "signals are POSIX's" : false;

let folder: string;
let shops: { readonly npm: ShopProcess; readonly pids: number[] }[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tercel-npm-start-"));
  shops = [];
});
afterEach(async () => {
  for (const { npm, pids } of shops) {
    for (const pid of [npm.pid, ...pids]) if (isRunning(pid)) process.kill(pid, "SIGKILL");
    await npm.ended;
  }
  rmSync(folder, { recursive: true });
});

/** `npm start` on free ports, in a process group of its own as in a terminal, and all processes that it has become. */
async function npmStart() {
  const settings = {
    SHOP_DATA_DIR: join(folder, "data"),
    SHOP_USER_PORT: "0",
    SHOP_ORDER_PORT: "0",
    SHOP_METRICS_PORT: "0",
    SHOP_ORDER_METRICS_PORT: "0",
  };
  const npm = watchShopProcess(["npm", "start"], { cwd: root, env: { ...process.env, ...settings }, detached: true });
  const pids: number[] = [];
  shops.push({ npm, pids });
  await npm.says("Ctrl-C closes the shop.");
  const services = [];
  for (const [service, nth] of [
    ["order-service", 1],
    ["order-service", 2],
    ["user-service", 1],
  ] as const) {
    services.push((await npm.record({ event: "listening", service }, nth)).pid as number);
  }
  pids.push(parentOf(services[0] ?? 0), ...services);
  return { npm, pids };
}

/** Of a process that runs; see proc(5). */
function parentOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/^PPid:\t(\d+)$/m)?.[1]);
}

async function assertStoppedGracefully({ npm, pids }: { npm: ShopProcess; pids: readonly number[] }): Promise<void> {
  for (const pid of pids) await untilEnded(pid);
  // The pipes of npm are those of the shop, which has said its last word now.
  await npm.ended;
  for (const [service, nth] of [
    ["order-service", 1],
    ["order-service", 2],
    ["user-service", 1],
  ] as const) {
    await npm.record({ event: "stopped", service }, nth);
  }
  assert.deepEqual(
    npm.records().filter(({ event }) => event === "service_ended" || event === "service_killed"),
    [],
  );
}

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  test(`${signal} for npm alone ends the whole shop gracefully`, {
    timeout: 120_000,
    skip: skip || (process.platform === "linux" ? false : "there is no /proc"),
  }, async () => {
    const shop = await npmStart();
    shop.npm.signal(signal);
    await assertStoppedGracefully(shop);
    assert.equal(await shop.npm.ended, signal);
  });
}

test("Ctrl-C, which is SIGINT for all, ends the whole shop gracefully", {
  timeout: 120_000,
  skip: skip || (process.platform === "linux" ? false : "there is no /proc"),
}, async () => {
  const shop = await npmStart();
  process.kill(-shop.npm.pid, "SIGINT");
  await assertStoppedGracefully(shop);
  // npm ends as its shell does: dash by the signal, bash with the exit code of the shop.
  assert.ok([0, "SIGINT"].includes((await shop.npm.ended) ?? ""));
});
