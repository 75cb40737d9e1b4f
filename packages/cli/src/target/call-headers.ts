import type { CommandContext } from "../frame/context.ts";
import { usageFailure } from "../frame/failure.ts";
import { fillVariables } from "./fill-variables.ts";

/** Headers that gRPC and HTTP/2 set themselves (gRPC over HTTP2, "Custom-Metadata"). */
const reservedNames = new Set([
  "content-type",
  "te",
  "user-agent",
  "grpc-timeout",
  "grpc-encoding",
  "grpc-accept-encoding",
]);

/**
 * Parses headers of the form `name: value` or `name=value`. The value of a name that ends in `-bin` is base64, as on the wire.
 *
 * @throws CommandFailure with the name of the header and the reason, never its value
 */
export function readHeaders(lines: readonly string[], context: CommandContext): Headers {
  const headers = new Headers();
  for (const line of lines) {
    const [, name = "", value = ""] = /^([^:=\s]+)\s*[:=]\s*(.*)$/s.exec(line) ?? [];
    if (name === "")
      throw usageFailure(`invalid header ${JSON.stringify(line.slice(0, 40))}: expected -H "name: value"`);
    if (reservedNames.has(name.toLowerCase())) throw usageFailure(`reserved header ${name}: gRPC sets it`);
    const filled = fillVariables(value, context.env, `header ${name}`);
    if (name.toLowerCase().endsWith("-bin") && !/^[A-Za-z0-9+/]*={0,2}$/.test(filled)) {
      throw usageFailure(`invalid header ${name}: a binary header needs a base64 value`);
    }
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) throw usageFailure(`invalid header name ${name}`);
    // gRPC over HTTP2, "ASCII-Value"
    if (!/^[ -~]*$/.test(filled))
      throw usageFailure(`invalid header ${name}: its value contains a character that is not printable ASCII`);
    headers.append(name, filled);
  }
  return headers;
}
