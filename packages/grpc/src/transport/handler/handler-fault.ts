import { Code, ConnectError } from "@connectrpc/connect";
import { createDebugError, withDebugInfo, withoutDebugInfo } from "../../errors/debug-info.ts";
import type { Log } from "../../logging/log.ts";
import { inspectable, thrownText } from "../../logging/thrown-text.ts";
import { passesStatus, type RespondingCall, sendFailure } from "../server/call-response.ts";

/** What a handler threw by accident: it may be anything, undefined included. */
export interface HandlerFault {
  readonly thrown: unknown;
}

/** A call that ends by an error. */
export interface FailingCall extends RespondingCall {
  readonly settings: RespondingCall["settings"] & { readonly exposeDebugInfo: boolean };
  readonly isOver: boolean;
  finish(error: ConnectError): void;
}

/** Ends a call with what was thrown. Returns what must be logged once the call is answered, if anything. Never throws. */
export function endWith(call: FailingCall, reason: unknown): HandlerFault | undefined {
  if (call.isOver) return undefined;
  let fault: HandlerFault | undefined;
  try {
    const thrown = inspectable(reason);
    if (!(thrown instanceof ConnectError)) fault = { thrown };
    fail(call, passesStatus(call, thrown) ? thrown : errorToSend(thrown, call.settings.exposeDebugInfo));
  } catch (problem) {
    // A ConnectError with a getter that throws, for instance, or details that are none.
    fault ??= { thrown: problem };
    fail(call, internalError());
  }
  return fault;
}

export function logFault(log: Log, path: string, { thrown }: HandlerFault): void {
  log.error("a handler failed", { path, error: thrown instanceof Error ? thrown : thrownText(thrown) });
}

function fail(call: FailingCall, error: ConnectError): void {
  sendFailure(call, error);
  call.finish(error);
}

/** With `exposeDebugInfo` errors keep google.rpc.DebugInfo, and accidents get one. */
export function errorToSend(thrown: unknown, exposeDebugInfo: boolean): ConnectError {
  if (thrown instanceof ConnectError) return exposeDebugInfo ? withDebugInfo(thrown) : withoutDebugInfo(thrown);
  return exposeDebugInfo ? createDebugError(thrown) : internalError();
}

/** The client learns only that something failed. */
function internalError(): ConnectError {
  return new ConnectError("internal error", Code.Internal);
}
