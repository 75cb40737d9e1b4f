/** `process.ts PORT ROUNDS SECONDS`: calls a server in turns with and without a channel; prints `{"bare":[{"micros":…,"rate":…}, …],"channel":[…]}`: CPU µs per call, and calls/s. */
import { create, type Message } from "@bufbuild/protobuf";
import { createChannel } from "@tercel/grpc";
import { UNARY_MESSAGE } from "../peers/echo-values.ts";
import { EchoRequestSchema, type EchoResponse, EchoService } from "../peers/tercel/gen/echo_pb.ts";
import { BareCaller } from "./bare-caller.ts";
import type { CallerFigures } from "./caller-figures.ts";

/** Below the stream limit of every server. */
const concurrency = 100;
/** V8 compiles by number of calls. A shorter warm-up would measure its interpreter. */
const warmUpRounds = 5;

const [port = 0, rounds = 0, seconds = 0] = process.argv.slice(2).map(Number);
const request = create(EchoRequestSchema, { message: UNARY_MESSAGE });
const method = EchoService.method.unary;
const bare = await BareCaller.connect(port);
const channel = createChannel(`127.0.0.1:${port}`, { acceptCompressions: [] });

const callers = {
  bare: () => bare.unary(method, request),
  channel: () => channel.unary(method, undefined, undefined, undefined, request),
};
type Name = keyof typeof callers;

/** Returns the CPU time of one call, and the calls per second of all callers together. */
async function measure(call: () => Promise<{ readonly message: Message }>): Promise<CallerFigures> {
  let calls = 0;
  const before = process.cpuUsage();
  const beganMs = performance.now();
  const untilMs = beganMs + seconds * 1000;
  const run = async (): Promise<void> => {
    do {
      const { message } = (await call()).message as EchoResponse;
      if (message !== UNARY_MESSAGE) throw new Error(`unexpected response "${message}"`);
      calls++;
    } while (performance.now() < untilMs);
  };
  await Promise.all(Array.from({ length: concurrency }, run));
  const { user, system } = process.cpuUsage(before);
  return { micros: (user + system) / calls, rate: (calls * 1000) / (performance.now() - beganMs) };
}

const figures: Record<Name, CallerFigures[]> = { bare: [], channel: [] };
const names = Object.keys(callers) as Name[];
for (let round = -warmUpRounds; round < rounds; round++) {
  // Each is first as often as last, so that a slow moment of the machine does not always affect the same one.
  for (const name of round % 2 === 0 ? names : names.toReversed()) {
    const took = await measure(callers[name]);
    if (round >= 0) figures[name].push(took);
  }
}
bare.close();
await channel.close();
process.stdout.write(`${JSON.stringify(figures)}\n`);
