import type { Interceptor } from "@connectrpc/connect";
import type { Log } from "@tercel/grpc";
import { thrownText } from "@tercel/grpc/internal";
import type { Lifecycle } from "@tercel/service/lifecycle";
import type { TraceRun } from "../runs/run-registry.ts";

/** Spans of calls and of runs. */
export interface DaemonTracing {
  readonly interceptors: readonly Interceptor[];
  readonly traceRun: TraceRun;
}

const noTracing: DaemonTracing = { interceptors: [], traceRun: (_, work) => work() };

/**
 * Starts to send spans by OTLP, if the config says where to: one of each call, and one of each run, which is a child of the call that has started
 * it. Nothing of it is loaded otherwise.
 */
export async function startTracing(life: Lifecycle, url: string | undefined, log: Log): Promise<DaemonTracing> {
  if (url === undefined) return noTracing;
  const [{ startOtlpTracing }, { createServerTracing, currentTraceParent, traceWork }] = await Promise.all([
    import("@tercel/interceptors/otlp"),
    import("@tercel/interceptors/tracing"),
  ]);
  await life.start(
    "traces",
    () => startOtlpTracing({ service: "wimguard", url }),
    (tracing) =>
      tracing.shutdown().catch((error) => log.warn("traces could not be sent", { error: thrownText(error) })),
  );
  return {
    interceptors: [createServerTracing()],
    traceRun: (kind, work) => traceWork(`wimguard.run ${kind}`, currentTraceParent() ?? "", work),
  };
}
