/** `npm run bench -- gateway [load …] [--rounds N] [--seconds S] [--json]`: REST, Connect and gRPC-Web next to other servers. */
import { interleave, type Outcome, type Turn } from "../measure/interleave.ts";
import { FIRST_WARM_UP_SECONDS, WARM_UP_SECONDS } from "../measure/session.ts";
import { runCommand } from "../process/command.ts";
import { writeBody } from "../process/h2load.ts";
import { type H2loadFigures, parseH2loadOutput } from "../process/h2load-output.ts";
import { LOAD_CORE, pinned } from "../process/pinned.ts";
import { readCpuMicros } from "../process/process-usage.ts";
import { type ServerProcess, startServer } from "../process/server-process.ts";
import { parseRoundOptions } from "../round-options.ts";
import { type GatewayLoad, gatewayLoads, type LoadRequest } from "./loads.ts";
import { measureMemory, memoryCases } from "./memory.ts";
import { prove } from "./prove.ts";
import { measureRouting, routingName } from "./routing.ts";
import { gatewaySubjects, ownCommand, type SubjectName } from "./subjects.ts";
import { type Figures, figuresOf, render } from "./table.ts";

const defaults = { rounds: 5, seconds: 1 };
const extraTimeoutMs = 20_000;

/** Exit codes: 0 all measured, 1 a subject failed. Goals that are missed are said, and are no failure. @throws UsageError */
export async function runGatewayBench(args: readonly string[]): Promise<number> {
  const names = [...gatewayLoads.map(({ name }) => name), ...Object.keys(memoryCases), routingName];
  const { chosen, rounds, seconds, json } = parseRoundOptions(args, defaults, names);
  const isChosen = (name: string): boolean => chosen.length === 0 || chosen.includes(name);
  const results: Record<string, Figures> = {};
  const report = (name: string, figures: Figures): void => {
    results[name] = figures;
    if (!json) process.stdout.write(render(name, figures));
  };
  for (const load of gatewayLoads) {
    if (isChosen(load.name)) report(load.name, figuresOf(load, await measureLoad(load, rounds, seconds)));
  }
  for (const [name, memoryCase] of Object.entries(memoryCases)) {
    if (isChosen(name)) report(name, await measureMemory(memoryCase, rounds));
  }
  if (isChosen(routingName)) report(routingName, await measureRouting());
  if (json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  const all = Object.values(results).flatMap(({ subjects }) => subjects);
  return all.some(({ failure }) => failure !== undefined) ? 1 : 0;
}

/** By subject, Tercel's own first. */
async function measureLoad(load: GatewayLoad, rounds: number, seconds: number): Promise<Map<string, Outcome>> {
  const servers = new Map<SubjectName, ServerProcess>();
  const requests = new Map<SubjectName, LoadRequest>([[load.own, load.request]]);
  for (const { subject, request = load.request } of load.rivals) requests.set(subject, request);
  const isForwarding = gatewaySubjects[load.own].isProxy;
  const upstream = isForwarding ? await startServer([...ownCommand, "tercel-grpc"], LOAD_CORE) : undefined;
  const measure = async (subject: SubjectName, round: number): Promise<Turn> => {
    const request = requests.get(subject) as LoadRequest;
    const server = servers.get(subject) ?? (await begin(subject, request, upstream?.port ?? 0));
    servers.set(subject, server);
    await runLoad(load, request, server.port, round === 0 ? FIRST_WARM_UP_SECONDS : WARM_UP_SECONDS);
    const before = readCpuMicros(server.pid);
    const figures = await runLoad(load, request, server.port, seconds);
    const cpuMicros = (readCpuMicros(server.pid) - before) / (figures.succeeded * load.unitsPerRequest);
    server.assertRunning();
    return { value: figures.requestsPerSecond * load.unitsPerRequest, cpuMicros };
  };
  try {
    return await interleave([...requests.keys()], rounds, measure);
  } finally {
    await Promise.all(
      [...servers.values(), ...(upstream === undefined ? [] : [upstream])].map((server) => server.stop()),
    );
  }
}

/** What cannot be prepared, does not start or answers wrongly is not measured. */
async function begin(subject: SubjectName, request: LoadRequest, upstreamPort: number): Promise<ServerProcess> {
  const { prepare, start } = gatewaySubjects[subject];
  await prepare();
  const server = await start(upstreamPort);
  try {
    await prove(request, server.port);
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function runLoad(
  { name, connections, streams }: GatewayLoad,
  { version, headers, path, body }: LoadRequest,
  port: number,
  seconds: number,
): Promise<H2loadFigures> {
  const durationMs = Math.round(seconds * 1000);
  const bodyFile = body === undefined ? undefined : writeBody(`gateway/${name}`, body);
  const output = await runCommand(
    pinned(LOAD_CORE, [
      "h2load",
      ...(version === "http/1.1" ? ["--h1"] : []),
      `--clients=${connections}`,
      `--max-concurrent-streams=${streams}`,
      `--duration=${durationMs}ms`,
      ...(bodyFile === undefined ? [] : [`--data=${bodyFile}`]),
      ...headers.map((line) => `--header=${line}`),
      `http://127.0.0.1:${port}${path}`,
    ]),
    { timeoutMs: durationMs + extraTimeoutMs },
  );
  // Every response was checked before in what it holds; here it must not be empty.
  return parseH2loadOutput(output, 1);
}
