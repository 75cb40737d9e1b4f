// The naming conventions of spans, attributes and instruments. Those of OpenTelemetry and gRPC differ; for a comparison, see
// https://opentelemetry.io/docs/specs/semconv/non-normative/compatibility/grpc/.
import { Code } from "@connectrpc/connect";
import type { Side } from "./observe-calls.ts";
import { type Option, oneOf } from "./options.ts";
import type { Status } from "./status-name.ts";

/**
 * - `opentelemetry`: OpenTelemetry's semantic conventions for RPC (`rpc.system.name`, `rpc.method`, `rpc.response.status_code`).
 * - `grpc`: gRPC's proposals A66 and A72, with the attributes of OpenTelemetry until version 1.37.
 * - `both`: both; a name with two meanings has OpenTelemetry's.
 */
export type Conventions = "opentelemetry" | "grpc" | "both";

/** The option for the conventions. */
export function conventionsOption(): Option<Conventions> {
  return oneOf("opentelemetry", "grpc", "both");
}

/**
 * Returns the chosen conventions. The default is `opentelemetry`, or `both` if the environment variable OTEL_SEMCONV_STABILITY_OPT_IN, which
 * OpenTelemetry's instrumentations also read, has `rpc/dup`.
 */
export function chooseConventions(chosen: Conventions | undefined): Conventions {
  if (chosen !== undefined) return chosen;
  const values = (process.env.OTEL_SEMCONV_STABILITY_OPT_IN ?? "").split(",").map((value) => value.trim());
  return values.includes("rpc/dup") ? "both" : "opentelemetry";
}

/** Statuses that are errors of the server in both conventions. */
const serverFaults: ReadonlySet<Status> = new Set([
  Code.Unknown,
  Code.DeadlineExceeded,
  Code.Unimplemented,
  Code.Internal,
  Code.Unavailable,
  Code.DataLoss,
]);

/** Whether a call with this status counts as an error: on a client every status except OK, on a server only the server's own errors. */
export function isErrorFor(side: Side, status: Status): boolean {
  return side === "server" ? serverFaults.has(status) : status !== 0;
}

/** Splits an address such as `[::1]:50051`. The port is undefined if the address has none, such as the path of a Unix socket. */
export function splitAddress(address: string): readonly [host: string, port: number | undefined] {
  const [, host = address, port] = /^(.*?)(?::(\d+))?$/.exec(address) ?? [];
  return [host.replace(/^\[|\]$/g, ""), port === undefined ? undefined : Number(port)];
}
