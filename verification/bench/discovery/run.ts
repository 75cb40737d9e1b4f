// Measures how fast a change of one of many instances reaches the watchers: node --conditions=source verification/bench/discovery/run.ts
//
// The registry has its own process. The watchers and the changing instances share another one, over real connections. Changes
// are made one by one with pauses, so that each is reported at once, and then all together.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createClient } from "@connectrpc/connect";
import type { Registry, ServiceInstance } from "@tercel/discovery";
import { createEmbeddedRegistry, createRegistryService } from "@tercel/discovery/embedded";
import { createChannel } from "@tercel/grpc";

const { values } = parseArgs({
  options: {
    instances: { type: "string", default: "10000" },
    watchers: { type: "string", default: "10" },
    changes: { type: "string", default: "100" },
  },
});
const instances = wholeNumber("instances");
const watchers = wholeNumber("watchers");
const changes = wholeNumber("changes");

function wholeNumber(name: keyof typeof values): number {
  const number = Number(values[name]);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new RangeError(`--${name} has to be a whole number above 0, not ${values[name]}`);
}

/** A watcher, which receives each version once. */
interface Watcher {
  readonly registry: Registry;
  readonly known: ReadonlyMap<string, ServiceInstance>;
  onNews: () => void;
}

const host = fork(join(import.meta.dirname, "host.ts"), { execArgv: ["--conditions=source"] });
const [{ port }] = (await once(host, "message")) as [{ port: number }];
const target = `127.0.0.1:${port}`;
const channel = createChannel(target);
const rpc = createClient(createRegistryService().service, channel);
const leases = new Map<string, string>();

async function put(nth: number, version: string): Promise<void> {
  const id = `instance-${String(nth).padStart(6, "0")}`;
  const instance = {
    id,
    name: "orders",
    version,
    address: "10.0.0.1",
    port: 1 + (nth % 65_535),
    metadata: { zone: "eu-1" },
  };
  leases.set(id, (await rpc.register({ instance, leaseId: leases.get(id) ?? "" })).leaseId);
}

async function usageOf(process: ChildProcess): Promise<{ cpuMs: number; rssBytes: number }> {
  process.send("usage");
  const [{ usage, rssBytes }] = (await once(process, "message")) as [{ usage: NodeJS.CpuUsage; rssBytes: number }];
  return { cpuMs: (usage.user + usage.system) / 1000, rssBytes };
}

function openWatcher(): Watcher {
  const registry = createEmbeddedRegistry({ target });
  const known = new Map<string, ServiceInstance>();
  const watcher: Watcher = { registry, known, onNews() {} };
  registry.watch("orders", {
    onSnapshot({ added, changed, removed }) {
      for (const one of [...added, ...changed]) known.set(one.id, one);
      for (const { id } of removed) known.delete(id);
      watcher.onNews();
    },
    onProblem: ({ error }) => console.error(error.message),
  });
  return watcher;
}

/** Resolves to the times at which the watchers have received the change. */
function untilAll(all: readonly Watcher[], isUpToDate: (watcher: Watcher) => boolean): Promise<number[]> {
  return Promise.all(
    all.map(
      (watcher) =>
        new Promise<number>((resolve) => {
          watcher.onNews = () => {
            if (!isUpToDate(watcher)) return;
            watcher.onNews = () => {};
            resolve(performance.now());
          };
          watcher.onNews();
        }),
    ),
  );
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

const ms = (value: number): string => `${value.toFixed(1)} ms`;

const registerStartMs = performance.now();
for (let from = 0; from < instances; from += 500) {
  await Promise.all(Array.from({ length: Math.min(500, instances - from) }, (_, at) => put(from + at, "v0")));
}
console.log(`registered ${instances} instances in ${ms(performance.now() - registerStartMs)}`);

const all: Watcher[] = [];
const openStartMs = performance.now();
for (let nth = 0; nth < watchers; nth++) all.push(openWatcher());
const opened = await untilAll(all, ({ known }) => known.size === instances);
console.log(
  `${watchers} watchers had the first snapshot after ${ms(Math.max(...opened) - openStartMs)}, the last of them`,
);

const before = await usageOf(host);
const delaysMs: number[] = [];
for (let nth = 1; nth <= changes; nth++) {
  // Longer than the time in which changes are combined.
  await new Promise((resolve) => setTimeout(resolve, 30));
  const startMs = performance.now();
  const id = `instance-${String(nth % instances).padStart(6, "0")}`;
  const reported = untilAll(all, ({ known }) => known.get(id)?.version === `v${nth}`);
  await put(nth % instances, `v${nth}`);
  delaysMs.push(...(await reported).map((time) => time - startMs));
}
const after = await usageOf(host);
delaysMs.sort((a, b) => a - b);
console.log(
  `one change, from the call to each watcher's snapshot of ${instances}: ` +
    `median ${ms(percentile(delaysMs, 0.5))}, 99 % ${ms(percentile(delaysMs, 0.99))}, most ${ms(delaysMs.at(-1) ?? 0)}`,
);
console.log(
  `the registry's CPU for a change and its ${watchers} watchers: ${ms((after.cpuMs - before.cpuMs) / changes)}`,
);

const burst = Math.min(instances, 1000);
const burstStartMs = performance.now();
const burstReported = untilAll(
  all,
  ({ known }) => [...known.values()].filter(({ version }) => version === "burst").length === burst,
);
await Promise.all(Array.from({ length: burst }, (_, nth) => put(nth, "burst")));
console.log(`${burst} changes at once: reported to all after ${ms(Math.max(...(await burstReported)) - burstStartMs)}`);
console.log(`the registry's memory: ${((await usageOf(host)).rssBytes / 1_048_576).toFixed(0)} MiB`);

for (const { registry } of all) await registry.close();
await channel.close();
host.disconnect();
