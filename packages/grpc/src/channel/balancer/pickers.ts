import type { ConnectError } from "@connectrpc/connect";
import type { Subchannel } from "../subchannel/index.ts";
import type { Picker, PickResult } from "./index.ts";

/** Every call waits. `onPick` runs for each, to leave `idle` for instance. */
export function createQueuePicker(describe: () => string, onPick?: () => void): Picker {
  const result: PickResult = { kind: "queue" };
  return {
    dependsOnCall: false,
    pick() {
      onPick?.();
      return result;
    },
    describe,
  };
}

/** Every call goes to one subchannel. */
export function createSubchannelPicker(subchannel: Subchannel, describe: () => string): Picker {
  const result: PickResult = { kind: "complete", subchannel };
  return { dependsOnCall: false, pick: () => result, describe };
}

/** Every call fails that does not wait for ready. */
export function createFailPicker(createError: () => ConnectError): Picker {
  const result: PickResult = { kind: "fail", createError };
  return { dependsOnCall: false, pick: () => result, describe: () => createError().rawMessage };
}
