import type { DescMessage } from "@bufbuild/protobuf";
import { type Code, ConnectError } from "@connectrpc/connect";

/** The error for a message that could not be encoded or decoded: says which type and why, and keeps the cause. */
export function codecError(action: "encode" | "decode", schema: DescMessage, cause: unknown, code: Code): ConnectError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ConnectError(`cannot ${action} ${schema.typeName}: ${reason}`, code, undefined, undefined, cause);
}
