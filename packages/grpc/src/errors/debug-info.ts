import { Code, ConnectError } from "@connectrpc/connect";
import { DebugInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
import { thrownMessage } from "../logging/thrown-text.ts";
import type { OutgoingDetail } from "./error-details.ts";

type Detail = ConnectError["details"][number];

function isDebugInfo(detail: Detail): boolean {
  return ("desc" in detail ? detail.desc.typeName : detail.type) === DebugInfoSchema.typeName;
}

/**
 * The error without google.rpc.DebugInfo, for peers that are not developers: the same one if it lacks that detail. Details of errors
 * that another service sent count too, or its inside would show through ours.
 */
export function withoutDebugInfo(error: ConnectError): ConnectError {
  if (!error.details.some(isDebugInfo)) return error;
  const copy = new ConnectError(error.rawMessage, error.code, error.metadata, undefined, error.cause);
  copy.details = error.details.filter((detail) => !isDebugInfo(detail));
  copy.isWireError = error.isWireError;
  return copy;
}

/** Stacks are read from the top; more would not fit into trailers. */
const maxStackEntries = 20;

/** The error that a developer's client gets for something that a handler threw by accident. */
export function createDebugError(reason: unknown): ConnectError {
  return new ConnectError("internal error", Code.Internal, undefined, [debugInfoOf(reason)]);
}

/**
 * For a developer's client: an INTERNAL error that includes its cause. An interceptor may have made it of what a handler threw by
 * accident; with a DebugInfo of its own, or without a cause, it stays as it is.
 */
export function withDebugInfo(error: ConnectError): ConnectError {
  if (error.code !== Code.Internal || error.cause === undefined || error.details.some(isDebugInfo)) return error;
  const copy = new ConnectError(error.rawMessage, error.code, error.metadata, undefined, error.cause);
  copy.details = [...error.details, debugInfoOf(error.cause)];
  return copy;
}

function debugInfoOf(reason: unknown): OutgoingDetail {
  const stack = reason instanceof Error ? String(reason.stack) : "";
  const stackEntries = stack
    .split("\n")
    .filter((line) => line.startsWith("    at "))
    .slice(0, maxStackEntries)
    .map((line) => line.trim());
  return {
    desc: DebugInfoSchema,
    value: { detail: reason instanceof Error ? String(reason) : thrownMessage(reason), stackEntries },
  };
}
