import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createChannel } from "@tercel/grpc";
import { LoadService } from "./gen/tercel/soak/v1/load_pb.ts";
import type { SoakOptions } from "./options.ts";
import { type ServerProcess, startServerProcess } from "./server/server-process.ts";

const defaultSeconds = 60;
const defaultCallsPerSecond = 5000;
const restartEveryMs = 5000;
/** Calls are begun in portions, this many times a second. */
const portionsPerSecond = 100;

/**
 * Two servers, one of which is replaced every five seconds, always the one in use; a client that goes on calling at its rate. No
 * call may fail, and none may be served twice.
 */
export async function rollingRestart(options: SoakOptions): Promise<boolean> {
  const seconds = options.seconds ?? defaultSeconds;
  const rate = options.rate ?? defaultCallsPerSecond;
  const start = (port = 0): Promise<ServerProcess> => startServerProcess({ port, recordsIds: true });
  const servers = [await start(), await start()];
  const ports = servers.map(({ port }) => port);
  const channel = createChannel(`static:///${ports.map((port) => `127.0.0.1:${port}`).join(",")}`, {
    defaultTimeoutMs: 20_000,
  });
  const client = createClient(LoadService, channel);
  const servedIds: number[] = [];
  const failures = new Map<string, number>();
  let [begun, answered, slowestMs] = [0, 0, 0];

  const call = async (id: number): Promise<void> => {
    const beganMs = performance.now();
    try {
      const response = await client.unary({ id, answerBytes: 100 });
      if (response.id !== id) throw new Error("the answer is another call's");
      answered++;
    } catch (reason) {
      const { code, rawMessage } = ConnectError.from(reason);
      const what = `${Code[code]}: ${rawMessage}`;
      failures.set(what, (failures.get(what) ?? 0) + 1);
    }
    slowestMs = Math.max(slowestMs, performance.now() - beganMs);
  };

  // On a machine that is busy otherwise the slowest call says more of that than of the restart.
  const standstill = monitorEventLoopDelay();
  standstill.enable();
  const startedMs = performance.now();
  const elapsedMs = (): number => performance.now() - startedMs;
  let restarts = 0;
  const restarting = (async (): Promise<void> => {
    for (;;) {
      await sleep(Math.max(0, (restarts + 1) * restartEveryMs - elapsedMs()));
      if (elapsedMs() >= seconds * 1000) return;
      const at = restarts++ % servers.length;
      const beganMs = elapsedMs();
      for (const id of await (servers[at] as ServerProcess).stop()) servedIds.push(id);
      servers[at] = await start(ports[at]);
      const failed = total(failures);
      console.log(
        `${Math.round(elapsedMs() / 1000)} s: server ${at + 1} replaced in ${Math.round(elapsedMs() - beganMs)} ms; ` +
          `${begun} calls begun, ${failed} failed, slowest ${Math.round(slowestMs)} ms`,
      );
    }
  })();

  const calls: Promise<void>[] = [];
  while (elapsedMs() < seconds * 1000) {
    const due = Math.floor((elapsedMs() / 1000) * rate);
    while (begun < due) calls.push(call(begun++));
    await sleep(1000 / portionsPerSecond);
  }
  await Promise.all([restarting, ...calls]);
  await channel.close();
  for (const server of servers) servedIds.push(...(await server.stop()));

  const failed = total(failures);
  const doubled = servedIds.length - new Set(servedIds).size;
  for (const [what, count] of failures) console.log(`${count} × ${what}`);
  console.log(
    `rolling-restart: ${begun} calls in ${seconds} s, ${restarts} restarts, ${failed} failed, ${doubled} served twice, ` +
      `slowest ${Math.round(slowestMs)} ms, the client itself stood still for up to ${Math.round(standstill.max / 1e6)} ms`,
  );
  return failed === 0 && doubled === 0 && answered === begun && restarts > 0;
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
