/** `process.ts POLICY ENDPOINTS SECONDS` picks for this time and prints the figures as one line of JSON. */
import { benchCalls, connectPolicy, POLICY_CONFIGS, type PolicyName } from "./picker.ts";

const [name = "", endpointCount = "", seconds = ""] = process.argv.slice(2);
if (!Object.hasOwn(POLICY_CONFIGS, name)) throw new Error(`no policy is named ${JSON.stringify(name)}`);
const { picker, connectMicros, close } = await connectPolicy(name as PolicyName, Number(endpointCount));

/** Picks and notifies the trackers, as a call with an immediate response would. */
function pickMany(count: number): void {
  const outcome = { code: undefined, trailer: () => null };
  for (let at = 0; at < count; at += 1) {
    const result = picker().pick(benchCalls[at & 63]);
    if (result.kind !== "complete") throw new Error(`a pick returned ${result.kind}, expected complete`);
    result.tracker?.onStart();
    result.tracker?.onEnd(outcome);
    result.subchannel.onCallEnd?.(outcome);
  }
}

const batch = 20_000;
const warmUntilMs = performance.now() + 500;
while (performance.now() < warmUntilMs) pickMany(batch);

let picks = 0;
const before = process.cpuUsage();
const startMs = performance.now();
while (performance.now() < startMs + Number(seconds) * 1000) {
  pickMany(batch);
  picks += batch;
}
const elapsedSeconds = (performance.now() - startMs) / 1000;
const { user, system } = process.cpuUsage(before);
close();
process.stdout.write(`${JSON.stringify({ picks, elapsedSeconds, cpuMicros: user + system, connectMicros })}\n`);
