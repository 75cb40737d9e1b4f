import { BENCH_CASES } from "../cases.ts";
import { callerHeaders } from "../interceptors/caller.ts";
import { type StackFigures, stackFigures } from "../interceptors/table.ts";
import { interleave, type Turn } from "../measure/interleave.ts";
import { FIRST_WARM_UP_SECONDS, WARM_UP_SECONDS } from "../measure/session.ts";
import { runH2load, writeBody } from "../process/h2load.ts";
import { LOAD_CORE, pinSelf } from "../process/pinned.ts";
import { readCpuMicros } from "../process/process-usage.ts";
import { kitSubjects, type StartedSubject, startSubject } from "./servers.ts";
import { verifyGuarded } from "./verify-guarded.ts";

const caseName = "server/unary/10x10";

/** Measures calls with the load of `server/unary/10x10` and the headers of a service's callers, on every server in turn. */
export async function measureCalls(rounds: number, seconds: number): Promise<readonly StackFigures[]> {
  const found = BENCH_CASES.find(({ name }) => name === caseName);
  if (found?.work.kind !== "h2load") throw new Error(`no load is called ${caseName}`);
  const { work } = found;
  const bodyFile = writeBody(caseName, work.body);
  const headers = callerHeaders(Date.now());
  const started = new Map<string, StartedSubject>();
  // This process reads the log lines, which must not use the measured core.
  pinSelf(LOAD_CORE);

  async function measure(name: string, round: number): Promise<Turn> {
    const subject = kitSubjects.find((one) => one.name === name);
    if (subject === undefined) throw new Error(`no server is called ${name}`);
    let running = started.get(name);
    if (running === undefined) {
      running = await startSubject(subject);
      started.set(name, running);
      await verifyGuarded(subject, running);
    }
    const { server } = running;
    const load = { ...work, port: server.port, bodyFile, headers };
    await runH2load(load, round === 0 ? FIRST_WARM_UP_SECONDS : WARM_UP_SECONDS);
    const cpuBefore = readCpuMicros(server.pid);
    const figures = await runH2load(load, seconds);
    const cpuMicros = (readCpuMicros(server.pid) - cpuBefore) / figures.succeeded;
    server.assertRunning();
    const rate = figures.requestsPerSecond;
    console.error(`  round ${round + 1}, ${name}: ${Math.round(rate)} calls/s, ${cpuMicros.toFixed(2)} µs`);
    return { value: rate, cpuMicros };
  }

  try {
    const names = kitSubjects.map(({ name }) => name);
    return stackFigures(await interleave(names, rounds, measure));
  } finally {
    await Promise.all([...started.values()].map(({ server }) => server.stop()));
  }
}
