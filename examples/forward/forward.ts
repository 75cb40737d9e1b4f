import type { Channel } from "@tercel/grpc";
import type { RawMethod, RawMethods } from "@tercel/grpc/raw";

/**
 * Sends every call on to the servers of a channel: messages, metadata, deadline, cancellation, status and trailers. Knows nothing of the services,
 * so it needs no generated code and no change when they change.
 */
export function forward(channel: Channel): RawMethods {
  const method: RawMethod = {
    // Any number of messages each way: whether there should be one is for the two ends to say.
    kind: "bidi_streaming",
    async *handle(requests, call) {
      const remainingMs = call.remainingMs();
      const response = await channel.raw.stream(call.path, requests, {
        metadata: call.metadata,
        signal: call.signal,
        // 0 would mean that the call has no deadline.
        ...(remainingMs === undefined ? {} : { timeoutMs: Math.max(1, remainingMs) }),
      });
      call.sendMetadata(response.metadata);
      // Fails with the server's status, which then goes to the client as it came.
      yield* response.messages;
      const { fields } = await response.status;
      call.setTrailer(fields);
    },
  };
  return { find: () => method };
}
