import { create, type FileRegistry, type Message, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { callFailure } from "../call/call-failure.ts";
import { readRequestData, readSingleRequest } from "../call/request-data.ts";
import { runCall } from "../call/run-call.ts";
import type { CommandContext } from "../frame/context.ts";
import { formatDuration } from "../frame/duration.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure, usageFailure } from "../frame/failure.ts";
import { readOptionFile } from "../frame/option-file.ts";
import { type FoundMethod, findMethod } from "../schema/find-method.ts";
import { openSchema } from "../schema/open-schema.ts";
import { readHeaders } from "../target/call-headers.ts";
import { openChannel } from "../target/open-channel.ts";
import { targetOf } from "../target/target-of.ts";
import { type BenchOptions, type Gates, type Load, readGates, readLoad } from "./bench-options.ts";
import { type BenchResult, resultJson, toResult } from "./bench-result.ts";
import { type ReportTimings, resultHtml } from "./html-report.ts";
import { comparisonText, type EarlierResult, hgrmText, rateText, resultText } from "./print-result.ts";
import { runWorkers } from "./run-workers.ts";
import type { WorkerTask } from "./worker.ts";

/** `tercel bench` */
export async function runBench(methodText: string, options: BenchOptions, context: CommandContext): Promise<void> {
  const load = readLoad(options);
  const gates = readGates(options);
  const earlier = options.compare === undefined ? undefined : readEarlier(options.compare, context.cwd);
  const { found, messages, headers } = await prepare(methodText, options, load, context);
  const { method, registry } = found;

  const target = targetOf(options, context);
  const task: Omit<WorkerTask, "share"> = {
    load,
    target: { ...options, target },
    env: context.env,
    cwd: context.cwd,
    headers: [...headers],
    schema: serialize(registry),
    service: method.parent.typeName,
    method: method.name,
    messages: messages.map((message) => toBinary(method.input, message)),
  };
  const tasks = Array.from({ length: load.workers }, (_, index) => ({ ...task, share: { index, of: load.workers } }));
  const progress = createProgress(load, context);
  const measured = await runWorkers(tasks, context.signal, progress.show).finally(progress.clear);

  const result = toResult(measured, load, { method: `${method.parent.typeName}/${method.name}`, target });
  await printResult(result, measured.timings, options, earlier, context);
  context.signal.throwIfAborted();
  judge(result, gates);
}

interface Prepared {
  readonly found: FoundMethod;
  readonly messages: readonly Message[];
  readonly headers: Headers;
}

/** Finds the method, reads the messages and makes one call: an error there would repeat in every call. */
async function prepare(
  methodText: string,
  options: BenchOptions,
  load: Load,
  context: CommandContext,
): Promise<Prepared> {
  const headers = readHeaders(options.header, context);
  const channel = openChannel(options, context);
  try {
    const target = targetOf(options, context);
    const schema = await openSchema(options, context, () => ({ transport: channel, target, headers }));
    const found = await findMethod(schema, methodText, context.signal);
    const messages = await readMessages(found, options.data, context);
    const takesStream = found.method.methodKind === "client_streaming" || found.method.methodKind === "bidi_streaming";
    const first = streamOf(takesStream ? messages : messages.slice(0, 1));
    const input = { ...found, headers, timeoutMs: load.timeoutMs, signal: context.signal, messages: first };
    await runCall(channel, input, async () => {});
    return { found, messages, headers };
  } catch (error) {
    throw callFailure(error);
  } finally {
    await channel.close({ deadlineMs: 0 });
  }
}

async function readMessages(found: FoundMethod, data: readonly string[], context: CommandContext): Promise<Message[]> {
  const reader = { schema: found.method.input, registry: found.registry };
  if (data.length === 0) return [await readSingleRequest(data, reader, context)];
  const messages: Message[] = [];
  for await (const message of readRequestData(data, reader, context)) messages.push(message);
  if (messages.length === 0) throw usageFailure("no message: the input of -d is empty");
  return messages;
}

async function* streamOf<T>(messages: readonly T[]): AsyncIterable<T> {
  yield* messages;
}

/** Serializes the files of a registry. They are in the order in which they were added: imports first. */
function serialize(registry: FileRegistry): Uint8Array {
  return toBinary(
    FileDescriptorSetSchema,
    create(FileDescriptorSetSchema, { file: [...registry.files].map(({ proto }) => proto) }),
  );
}

async function printResult(
  result: BenchResult,
  timings: ReportTimings,
  options: BenchOptions,
  earlier: EarlierResult | undefined,
  context: CommandContext,
): Promise<void> {
  const { stdout, stderr } = context;
  if (options.output === "json") await stdout.json(resultJson(result));
  else if (options.output === "html") await stdout.write(resultHtml(result, timings));
  else if (options.output === "hgrm") await stdout.write(hgrmText(timings.latency));
  else await stdout.write(resultText(result, stdout));
  if (earlier === undefined) return;
  // With JSON on standard output, the comparison goes to standard error.
  const output = options.output === "table" ? stdout : stderr;
  await output.write(`\n${comparisonText(result, earlier, output)}`);
}

/** @throws CommandFailure with exit code 3 when the measurement is not valid or exceeds a limit */
function judge(result: BenchResult, { maxErrorRate, maxP99Ms }: Gates): void {
  const { lag, latency, errorRate } = result;
  const misses: string[] = [];
  if (result.calls === 0) misses.push("no calls were measured");
  if (result.isGeneratorLimited) {
    misses.push(
      `the load generator was too slow, so the latencies are its own: it sent calls ${formatDuration(lag.p99)} late (p99), and a call takes ${formatDuration(latency.p50)} (p50)`,
    );
  }
  if (maxErrorRate !== undefined && errorRate > maxErrorRate) {
    misses.push(
      `${(errorRate * 100).toFixed(2)} % of the calls failed, more than ${(maxErrorRate * 100).toFixed(2)} %`,
    );
  }
  if (maxP99Ms !== undefined && latency.p99 > maxP99Ms) {
    misses.push(`the 99th percentile is ${formatDuration(latency.p99)}, more than ${formatDuration(maxP99Ms)}`);
  }
  const [first, ...others] = misses;
  if (first === undefined) return;
  throw new CommandFailure(exitCodes.partial, first, {
    lines: others,
    hint: result.isGeneratorLimited ? "raise --workers or lower the rate" : undefined,
    json: { missed: misses },
  });
}

function readEarlier(file: string, cwd: string): EarlierResult {
  const text = readOptionFile("--compare", file, cwd).toString("utf8");
  try {
    const { achievedRate, latencyMs } = JSON.parse(text) as EarlierResult;
    if (typeof achievedRate === "number" && typeof latencyMs.p50 === "number") return { achievedRate, latencyMs };
  } catch {
    // Rejected below.
  }
  throw usageFailure(`invalid --compare ${file}: not a result of tercel bench -o json`);
}

/** Creates a progress line that is overwritten; on a terminal only. */
function createProgress({ durationMs, warmupMs }: Load, { stderr }: CommandContext) {
  const startMs = performance.now();
  let lastMade = 0;
  let lastMs = startMs;
  return {
    show(made: number): void {
      if (!stderr.isTerminal) return;
      const nowMs = performance.now();
      const elapsedMs = nowMs - startMs;
      const rate = ((made - lastMade) * 1000) / Math.max(1, nowMs - lastMs);
      [lastMade, lastMs] = [made, nowMs];
      const part =
        elapsedMs < warmupMs
          ? "warming up"
          : `${formatDuration(Math.min(elapsedMs - warmupMs, durationMs))} of ${formatDuration(durationMs)}`;
      void stderr.write(`\r\u001b[K${stderr.style("dim", `${part}  ${made} calls  ${rateText(rate)}/s`)}`);
    },
    clear(): void {
      if (stderr.isTerminal) void stderr.write("\r\u001b[K");
    },
  };
}
