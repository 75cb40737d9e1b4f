import { rejectToCaller } from "../../call/caller-stack.ts";
import type { RawCallOptions, RawCalls, RawStreamResponse, RawUnaryResponse } from "../../call/raw-call.ts";
import { refuseUnknownOptions } from "../../options/check-options.ts";
import { fieldPairs } from "../../protocol/metadata.ts";
import type { CallContext } from "./call-context.ts";
import type { OutgoingCallInit } from "./call-kind.ts";
import { effectiveTimeout } from "./effective-timeout.ts";
import { OutgoingCall } from "./outgoing-call.ts";
import { StreamingCall } from "./streaming-call.ts";
import { UnaryCall } from "./unary-call.ts";

const noOptions: RawCallOptions = {};

/** A channel's calls whose messages are bytes. */
export function createRawCalls(calls: CallContext): RawCalls {
  return {
    unary(path, request, options = noOptions) {
      return new Promise<RawUnaryResponse>((resolve) => {
        try {
          const plan = calls.plans.ofPath(path);
          const init = callInit(calls, options);
          const message = plan.method.request.toMessage(request);
          const kind = new UnaryCall(message, resolve as (response: object) => void);
          new OutgoingCall(calls, plan, init, kind).begin(init.timeoutMs);
        } catch (error) {
          setImmediate(() => resolve(rejectToCaller(error)));
        }
      });
    },
    stream(path, requests, options = noOptions) {
      return new Promise<RawStreamResponse>((resolve) => {
        try {
          const plan = calls.plans.ofPath(path);
          const init = callInit(calls, options);
          const source = Symbol.asyncIterator in requests ? requests : oneByOne(requests);
          const kind = new StreamingCall(source, resolve as (response: object) => void);
          new OutgoingCall(calls, plan, init, kind).begin(init.timeoutMs);
        } catch (error) {
          setImmediate(() => resolve(rejectToCaller(error)));
        }
      });
    },
  };
}

function callInit(calls: CallContext, options: RawCallOptions): OutgoingCallInit {
  refuseUnknownOptions("raw call", options, ["metadata", "timeoutMs", "signal", "contextValues"]);
  const { metadata, timeoutMs, signal, contextValues } = options;
  return {
    signal,
    timeoutMs: effectiveTimeout(timeoutMs, calls.defaultTimeoutMs),
    metadata: metadata === undefined ? undefined : fieldPairs(metadata),
    contextValues,
  };
}

async function* oneByOne(requests: Iterable<Uint8Array>): AsyncIterable<Uint8Array> {
  yield* requests;
}
