import { Code, ConnectError } from "@connectrpc/connect";
import type { Subchannel } from "../subchannel/index.ts";
import type { CallTracker, Picker, PickResult } from "./index.ts";

/** The result of a pick that queues. */
export const queueResult: PickResult = { kind: "queue" };

/** Every call waits. `onPick` runs for each, to leave `idle` for instance. */
export function createQueuePicker(describe: () => string, onPick?: () => void): Picker {
  return {
    dependsOnCall: false,
    pick() {
      onPick?.();
      return queueResult;
    },
    describe,
  };
}

/** Every call goes to one subchannel. */
export function createSubchannelPicker(subchannel: Subchannel, describe: () => string, tracker?: CallTracker): Picker {
  const result: PickResult = { kind: "complete", subchannel, ...(tracker !== undefined && { tracker }) };
  return { dependsOnCall: false, pick: () => result, describe };
}

/** Every call fails that does not wait for ready. `describe` is for those that do; by default it is the error's text. */
export function createFailPicker(createError: () => ConnectError, describe?: () => string): Picker {
  const result: PickResult = { kind: "fail", createError };
  return { dependsOnCall: false, pick: () => result, describe: describe ?? (() => createError().rawMessage) };
}

/** Every call fails with Unavailable that does not wait for ready. `describe` says why, in half a sentence. */
export function createUnavailablePicker(targetText: string, describe: () => string): Picker {
  const createError = (): ConnectError =>
    new ConnectError(`no connection to "${targetText}": ${describe()}`, Code.Unavailable);
  return createFailPicker(createError, describe);
}

/** Every call fails as resolution did that does not wait for ready. */
export function createResolverErrorPicker(error: ConnectError): Picker {
  // The cause is the same error for all calls; what is handed out must not be, because callers add to it.
  return createFailPicker(() => new ConnectError(error.rawMessage, error.code, undefined, undefined, error));
}
