import { type OtlpTracing, startOtlpTracing } from "@tercel/interceptors/otlp";
import type { Settings } from "../config/settings.ts";
import { describeError, type Log } from "../log/json-log.ts";

/** Traces that are on their way to a collector. */
export interface Tracing {
  /** Sends what is left. A collector that is gone must not hold up a stop, and its traces are not worth an exit code. */
  close(): Promise<void>;
}

/** Begins to send traces, if there is an address for them. */
export async function startTracing(service: string, settings: Settings, log: Log): Promise<Tracing> {
  const { otlpUrl: url, traceSampleRate: sampleRate } = settings;
  const tracing: OtlpTracing | undefined =
    url === "" ? undefined : await startOtlpTracing({ service, version: "v0.1.0", url, sampleRate });
  return {
    async close() {
      try {
        await tracing?.shutdown();
      } catch (error) {
        log.warn("traces_lost", { error: describeError(error) });
      }
    },
  };
}
