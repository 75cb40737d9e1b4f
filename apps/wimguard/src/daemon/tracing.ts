import type { Interceptor } from "@connectrpc/connect";
import type { Log } from "@tercel/grpc";
import { thrownText } from "@tercel/grpc/internal";
import type { Lifecycle } from "@tercel/service/lifecycle";
import type { TraceRun } from "../runs/run-registry.ts";

/** Traces calls and runs. */
export interface DaemonTracing {
  readonly interceptors: readonly Interceptor[];
  readonly traceRun: TraceRun;
}

const noTracing: DaemonTracing = { interceptors: [], traceRun: (_, work) => work() };

/**
 * Starts exporting spans by OTLP if the config has a URL: one per call, and one per run as a child of the call that started it. Loads nothing
 * otherwise.
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
    (tracing) => tracing.shutdown().catch((error) => log.warn("cannot export traces", { error: thrownText(error) })),
  );
  return {
    interceptors: [createServerTracing()],
    traceRun: (kind, work) => traceWork(`wimguard.run ${kind}`, currentTraceParent() ?? "", work),
  };
}
