import { setTimeout as sleep } from "node:timers/promises";
import { type Channel, createChannel, createClient } from "@tercel/grpc";
import { percentile } from "../measure/statistics.ts";
import { EchoService } from "../peers/tercel/gen/echo_pb.ts";

/** The pause between two calls, so that the victim waits for the server and not for itself. */
const pauseMs = 4;
const timeoutMs = 5000;

export interface VictimTimes {
  readonly calls: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Another client's connection to the attacked server. */
export class Victim {
  private readonly connect: () => Channel;
  private readonly isNewcomer: boolean;
  private channel: Channel;

  /** If a certificate is given, uses TLS and a new connection for each call. */
  constructor(port: number, certificate: string | undefined) {
    const tls = certificate === undefined ? undefined : { ca: certificate, servername: "localhost" };
    this.connect = () => createChannel(`127.0.0.1:${port}`, { ...(tls !== undefined && { tls }) });
    this.isNewcomer = tls !== undefined;
    this.channel = this.connect();
  }

  /** Makes one call after the other for this time. */
  async call(durationMs: number): Promise<VictimTimes> {
    let client = createClient(EchoService, this.channel);
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
      if (this.isNewcomer) {
        await this.channel.close();
        this.channel = this.connect();
        client = createClient(EchoService, this.channel);
      }
      await sleep(pauseMs);
    }
    return { calls: times.length, failed, p50Ms: percentile(times, 50), p99Ms: percentile(times, 99) };
  }

  close(): Promise<void> {
    return this.channel.close();
  }
}
