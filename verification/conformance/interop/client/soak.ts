import assert from "node:assert/strict";
import { largeRequestBytes, largeResponseBytes, zeros } from "./sizes.ts";
import { type InteropTarget, openTestChannel, type TestChannel } from "./test-channel.ts";

export interface SoakOptions {
  readonly iterations: number;
  readonly maxFailures: number;
  /** A call that takes longer counts as failed. */
  readonly maxLatencyMs: number;
  /** The time limit of the whole case. */
  readonly timeoutMs: number;
}

/** Makes one large call after the other, over one channel or each over a new channel. Returns the time. */
export async function soak(target: InteropTarget, options: SoakOptions, perCall: boolean): Promise<string> {
  const startedAtMs = performance.now();
  const failures: string[] = [];
  let slowestMs = 0;
  const shared = perCall ? undefined : openTestChannel(target);
  for (let done = 0; done < options.iterations; done++) {
    const elapsedMs = performance.now() - startedAtMs;
    assert.ok(elapsedMs < options.timeoutMs, `only ${done} of ${options.iterations} calls within the time`);
    const beginMs = performance.now();
    const test = shared ?? openTestChannel(target);
    const failure = await callOnce(test);
    const latencyMs = performance.now() - beginMs;
    slowestMs = Math.max(slowestMs, latencyMs);
    if (failure !== undefined) failures.push(failure);
    else if (latencyMs > options.maxLatencyMs) failures.push(`a call took ${Math.round(latencyMs)} ms`);
    if (perCall) await test.channel.close();
  }
  await shared?.channel.close();
  assert.ok(failures.length <= options.maxFailures, `${failures.length} calls failed; the first: ${failures[0]}`);
  const tookMs = Math.round(performance.now() - startedAtMs);
  return `${options.iterations} calls in ${tookMs} ms, the slowest ${Math.round(slowestMs)} ms`;
}

async function callOnce({ client }: TestChannel): Promise<string | undefined> {
  try {
    const { payload } = await client.unaryCall({
      responseSize: largeResponseBytes,
      payload: { body: zeros(largeRequestBytes) },
    });
    return payload?.body.length === largeResponseBytes ? undefined : `a payload of ${payload?.body.length} bytes`;
  } catch (error) {
    return String(error);
  }
}
