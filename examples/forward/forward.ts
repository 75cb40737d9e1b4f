import type { Channel } from "@tercel/grpc";
import type { RawMethod, RawMethods } from "@tercel/grpc/raw";

/**
 * Forwards every call to the servers of a channel: messages, metadata, deadline, cancellation, status and trailers. It does not know the services,
 * so it needs no generated code and does not change with them.
 */
export function forward(channel: Channel): RawMethods {
  const method: RawMethod = {
    // Any number of messages in both directions. Client and server check how many a method may have.
    kind: "bidi_streaming",
    async *handle(requests, call) {
      const remainingMs = call.remainingMs();
      const response = await channel.raw.stream(call.path, requests, {
        metadata: call.metadata,
        signal: call.signal,
        // 0 would mean no deadline.
        ...(remainingMs === undefined ? {} : { timeoutMs: Math.max(1, remainingMs) }),
      });
      call.sendMetadata(response.metadata);
      // Throws the server's status, which the client gets unchanged.
      yield* response.messages;
      const { fields } = await response.status;
      call.setTrailer(fields);
    },
  };
  return { find: () => method };
}
