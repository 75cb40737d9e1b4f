import { setTimeout as sleep } from "node:timers/promises";
import { createChannel, createClient } from "@tercel/grpc";
import { percentile } from "../measure/statistics.ts";
import { EchoService } from "../peers/tercel/gen/echo_pb.ts";

/** Between two calls, so that the victim waits for the server and not for itself. */
const pauseMs = 4;
const timeoutMs = 5000;

export interface VictimTimes {
  readonly calls: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Somebody else's connection to the server under attack. */
export class Victim {
  private readonly channel: ReturnType<typeof createChannel>;

  constructor(port: number) {
    this.channel = createChannel(`127.0.0.1:${port}`);
  }

  /** Makes one call after the other for so long. */
  async call(durationMs: number): Promise<VictimTimes> {
    const client = createClient(EchoService, this.channel);
    const times: number[] = [];
    let failed = 0;
    const untilMs = performance.now() + durationMs;
    while (performance.now() < untilMs) {
      const beganMs = performance.now();
      try {
        await client.unary({ message: "hello" }, { timeoutMs });
      } catch {
        failed++;
      }
      times.push(performance.now() - beganMs);
      await sleep(pauseMs);
    }
    return { calls: times.length, failed, p50Ms: percentile(times, 50), p99Ms: percentile(times, 99) };
  }

  close(): Promise<void> {
    return this.channel.close();
  }
}
