import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { serviceNames } from "../src/supervisor/development-secret.ts";
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
    SHOP_DATA: join(folder, "data"),
    TERCEL__SERVICE__PORT: "0",
    TERCEL__MONITORING__PROVIDERS__PROMETHEUS__ENDPOINT: "127.0.0.1:0",
  };
  const npm = watchShopProcess(["npm", "start", "--", "--set", "user-service.communication.providers.http.port=0"], {
    cwd: root,
    env: { ...process.env, ...settings },
    detached: true,
  });
  const pids: number[] = [];
  shops.push({ npm, pids });
  await npm.says("Ctrl-C closes the shop.");
  const shop = shopBelow(npm.pid);
  pids.push(shop, ...childrenOf(shop));
  return { npm, pids };
}

/** Of a process that runs; see proc(5). */
function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return text === "" ? [] : text.split(" ").map(Number);
}

/** npm starts a shell, and the shell the shop, which alone has a child for each service. */
function shopBelow(pid: number): number {
  const children = childrenOf(pid);
  if (children.length >= serviceNames.length) return pid;
  return shopBelow(children[0] ?? assert.fail("npm has not started the shop"));
}

async function assertStoppedGracefully({ npm, pids }: { npm: ShopProcess; pids: readonly number[] }): Promise<void> {
  for (const pid of pids) await untilEnded(pid);
  // The pipes of npm are those of the shop, which has said its last word now.
  await npm.ended;
  for (const service of serviceNames) await npm.record({ message: "stopped", service });
  assert.deepEqual(
    npm.records().filter(({ service, message }) => service === "shop" && message !== undefined),
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
