import { Code, ConnectError } from "@connectrpc/connect";
import type { ChannelOptions } from "@tercel/grpc";
import type { EchoHandlers } from "./open-echo.ts";

/** A channel that makes a second attempt when the first has failed with UNAVAILABLE. */
export const retryingOnce: Pick<ChannelOptions, "serviceConfig"> = {
  serviceConfig: {
    methodConfig: [
      {
        name: [{}],
        retryPolicy: {
          maxAttempts: 2,
          initialBackoff: "0.001s",
          maxBackoff: "0.001s",
          backoffMultiplier: 1,
          retryableStatusCodes: ["UNAVAILABLE"],
        },
      },
    ],
  },
};

/** A handler that fails only the first call in this way. */
export function failingOnce(): EchoHandlers {
  let failures = 1;
  return {
    unary() {
      if (failures-- > 0) throw new ConnectError("not now", Code.Unavailable);
      return {};
    },
  };
}
