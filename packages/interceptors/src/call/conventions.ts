// Whose names spans, their attributes and instruments have. OpenTelemetry and gRPC both define some, and they differ:
// https://opentelemetry.io/docs/specs/semconv/non-normative/compatibility/grpc/ compares them.
import { Code } from "@connectrpc/connect";
import type { Side } from "./observe-calls.ts";
import { type Option, oneOf } from "./options.ts";
import type { Status } from "./status-name.ts";

/**
 * - `opentelemetry`: OpenTelemetry's semantic conventions for RPC (`rpc.system.name`, `rpc.method`, `rpc.response.status_code`).
 * - `grpc`: what gRPC's own proposals A66 and A72 name, with the attributes that OpenTelemetry had until version 1.37.
 * - `both`: those of both; where a name has two meanings, OpenTelemetry's.
 */
export type Conventions = "opentelemetry" | "grpc" | "both";

/** The option that chooses them. */
export function conventionsOption(): Option<Conventions> {
  return oneOf("opentelemetry", "grpc", "both");
}

/**
 * The conventions that are chosen. Without a choice they are OpenTelemetry's, or both where the variable OTEL_SEMCONV_STABILITY_OPT_IN, which
 * OpenTelemetry's own instrumentations read, has `rpc/dup`.
 */
export function chooseConventions(chosen: Conventions | undefined): Conventions {
  if (chosen !== undefined) return chosen;
  const values = (process.env.OTEL_SEMCONV_STABILITY_OPT_IN ?? "").split(",").map((value) => value.trim());
  return values.includes("rpc/dup") ? "both" : "opentelemetry";
}

/** Statuses that are a server's fault and not its client's, in either's conventions. */
const serverFaults: ReadonlySet<Status> = new Set([
  Code.Unknown,
  Code.DeadlineExceeded,
  Code.Unimplemented,
  Code.Internal,
  Code.Unavailable,
  Code.DataLoss,
]);

/** Whether a call that ends so counts as an error: for a client all that do not succeed, for a server those that are its own fault. */
export function isErrorFor(side: Side, status: Status): boolean {
  return side === "server" ? serverFaults.has(status) : status !== 0;
}

/** A host and its port, such as `[::1]:50051`; the port is undefined where the address has none, such as the path of a Unix socket. */
export function splitAddress(address: string): readonly [host: string, port: number | undefined] {
  const [, host = address, port] = /^(.*?)(?::(\d+))?$/.exec(address) ?? [];
  return [host.replace(/^\[|\]$/g, ""), port === undefined ? undefined : Number(port)];
}
