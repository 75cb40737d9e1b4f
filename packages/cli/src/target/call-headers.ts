import type { CommandContext } from "../frame/context.ts";
import { usageFailure } from "../frame/failure.ts";
import { fillVariables } from "./fill-variables.ts";

/** What gRPC and HTTP/2 set themselves (gRPC over HTTP2, "Custom-Metadata"). */
const reservedNames = new Set([
  "content-type",
  "te",
  "user-agent",
  "grpc-timeout",
  "grpc-encoding",
  "grpc-accept-encoding",
]);

/**
 * Reads headers written as `name: value` or `name=value`. The value of a name that ends in `-bin` is base64, as on the wire.
 *
 * @throws CommandFailure that names the header and what is wrong with it, never its value
 */
export function readHeaders(lines: readonly string[], context: CommandContext): Headers {
  const headers = new Headers();
  for (const line of lines) {
    const [, name = "", value = ""] = /^([^:=\s]+)\s*[:=]\s*(.*)$/s.exec(line) ?? [];
    if (name === "") throw usageFailure(`invalid header ${JSON.stringify(line.slice(0, 40))}: write -H "name: value"`);
    if (reservedNames.has(name.toLowerCase())) throw usageFailure(`header ${name} is set by gRPC itself`);
    const filled = fillVariables(value, context.env, `header ${name}`);
    if (name.toLowerCase().endsWith("-bin") && !/^[A-Za-z0-9+/]*={0,2}$/.test(filled)) {
      throw usageFailure(`header ${name} is binary: write its value as base64`);
    }
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name))
      throw usageFailure(`header ${name} has a character that no name has`);
    // gRPC over HTTP2, "ASCII-Value"
    if (!/^[ -~]*$/.test(filled)) throw usageFailure(`header ${name} holds a character that is not printable ASCII`);
    headers.append(name, filled);
  }
  return headers;
}
