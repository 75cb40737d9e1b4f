import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createChannel } from "@tercel/grpc";
import { LoadService } from "./gen/tercel/soak/v1/load_pb.ts";
import type { SoakOptions } from "./options.ts";
import { Pace } from "./pace.ts";
import { type ServerProcess, startServerProcess } from "./server/server-process.ts";

const defaultSeconds = 60;
const defaultCallsPerSecond = 5000;
const restartEveryMs = 5000;
/** How often per second a portion of calls starts. */
const portionsPerSecond = 100;
const timeoutMs = 20_000;
/** The limit of running calls, as a time. More would only show that the machine is too slow for the rate. */
const longestQueueMs = 2000;

/**
 * Every five seconds, the one of two servers that is in use is replaced, while a client calls at its rate. No
 * call may fail, and none may be served twice.
 */
export async function rollingRestart(options: SoakOptions): Promise<boolean> {
  const seconds = options.seconds ?? defaultSeconds;
  const rate = options.rate ?? defaultCallsPerSecond;
  const start = (port = 0): Promise<ServerProcess> => startServerProcess({ port, recordsIds: true });
  const servers = [await start(), await start()];
  const ports = servers.map(({ port }) => port);
  const channel = createChannel(`static:///${ports.map((port) => `127.0.0.1:${port}`).join(",")}`, {
    defaultTimeoutMs: timeoutMs,
  });
  const client = createClient(LoadService, channel);
  const servedIds: number[] = [];
  const failures = new Map<string, number>();
  const pace = new Pace(rate, (rate * longestQueueMs) / 1000);
  let [answered, slowestMs, underWay] = [0, 0, 0];
  // A call that failed because this process did not run for so long does not depend on the restart, but it counts as failed.
  let standstills = 0;

  const call = async (id: number): Promise<void> => {
    const beganMs = performance.now();
    underWay++;
    try {
      const response = await client.unary({ id, answerBytes: 100 });
      if (response.id !== id) throw new Error("got the response of another call");
      answered++;
    } catch (reason) {
      const { code, rawMessage } = ConnectError.from(reason);
      const what = `${Code[code]}: ${rawMessage}`;
      failures.set(what, (failures.get(what) ?? 0) + 1);
      if (code === Code.DeadlineExceeded && standstill.max / 1e6 > timeoutMs / 2) standstills++;
    }
    underWay--;
    slowestMs = Math.max(slowestMs, performance.now() - beganMs);
  };

  // On a busy machine, the slowest call depends more on the load than on the restart.
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
          `${pace.describe()}, ${failed} failed, slowest ${Math.round(slowestMs)} ms`,
      );
    }
  })();

  const calls: Promise<void>[] = [];
  while (elapsedMs() < seconds * 1000) {
    const first = pace.begun;
    const taken = pace.take(elapsedMs(), underWay);
    for (let id = first; id < first + taken; id++) calls.push(call(id));
    await sleep(1000 / portionsPerSecond);
  }
  await Promise.all([restarting, ...calls]);
  await channel.close();
  for (const server of servers) servedIds.push(...(await server.stop()));

  const failed = total(failures);
  const doubled = servedIds.length - new Set(servedIds).size;
  for (const [what, count] of failures) console.log(`${count} × ${what}`);
  if (standstills > 0) console.log(`${standstills} of these ran out of time after this process itself had stood still`);
  console.log(
    `rolling-restart: ${pace.describe()} in ${seconds} s, ${restarts} restarts, ${failed} failed, ${doubled} served twice, ` +
      `slowest ${Math.round(slowestMs)} ms, the client itself stood still for up to ${Math.round(standstill.max / 1e6)} ms`,
  );
  return failed === 0 && doubled === 0 && answered === pace.begun && restarts > 0;
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
