import type { DescMessage } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { memoryPerByte } from "./size/memory-budget.ts";

/** The error for a message that could not be encoded or decoded: says which type and why, and keeps the cause. */
export function codecError(action: "encode" | "decode", schema: DescMessage, cause: unknown, code: Code): ConnectError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ConnectError(`cannot ${action} ${schema.typeName}: ${reason}`, code, undefined, undefined, cause);
}

/** The error for a message that would take too much memory; see MemoryBudget. */
export function tooLarge(schema: DescMessage, wireBytes: number, maxBytes: number): ConnectError {
  return new ConnectError(
    `cannot decode ${schema.typeName}: its ${wireBytes} bytes would take too much memory: more than ${maxBytes} bytes ` +
      `(maxDecodedMessageBytes), and more than ${memoryPerByte} times the bytes received`,
    Code.ResourceExhausted,
  );
}
