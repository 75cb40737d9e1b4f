import { parseTimeout } from "@tercel/grpc/protocols";
import { findHeader, shortest } from "./read-fields.ts";

/** The shortest timeout that a client names by any of the headers there are for it. One that cannot be read does not count. */
export function requestedTimeout(fields: readonly string[]): number | undefined {
  const grpc = findHeader(fields, "grpc-timeout");
  const parsed = grpc === undefined ? undefined : parseTimeout(grpc);
  const connect = findHeader(fields, "connect-timeout-ms");
  const server = findHeader(fields, "x-server-timeout");
  return shortest(
    parsed !== undefined && "timeoutMs" in parsed ? parsed.timeoutMs : undefined,
    connect !== undefined && /^[0-9]{1,10}$/.test(connect) ? Number(connect) : undefined,
    server !== undefined && /^[0-9]{1,9}(\.[0-9]{1,9})?$/.test(server) ? Number(server) * 1000 : undefined,
  );
}
