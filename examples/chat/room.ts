import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { createBroadcaster } from "@tercel/interceptors/streams";
import type { ChatService } from "./gen/chat/v1/chat_pb.ts";

const maxTextCharacters = 2_000;

interface Said {
  readonly user: string;
  readonly text: string;
}

/** Creates a chat room that sends each message to all clients. A client that does not read is disconnected, so it does not slow down others. */
export function createRoom(): ServiceImpl<typeof ChatService> {
  const room = createBroadcaster<Said>({ whenSlow: "disconnect", maxBuffered: 100, maxSubscribers: 1_000 });

  return {
    async *chat(messages, { signal }) {
      const incoming = messages[Symbol.asyncIterator]();
      const first = await incoming.next();
      const user = first.done === true ? "" : first.value.user;
      if (user === "") throw new ConnectError("user is required in the first message", Code.InvalidArgument);

      const leaving = new AbortController();
      const heard = room.subscribe({ signal: AbortSignal.any([signal, leaving.signal]) });
      // Reading is independent of sending: this loop ends when the client half-closes or disconnects.
      const reading = (async () => {
        try {
          for (let next = await incoming.next(); next.done !== true; next = await incoming.next()) {
            const { text } = next.value;
            if (text.length > maxTextCharacters) {
              throw new ConnectError(`text is longer than ${maxTextCharacters} characters`, Code.InvalidArgument);
            }
            // The first message names the user; later names are ignored.
            room.publish({ user, text });
          }
        } finally {
          leaving.abort();
        }
      })();
      reading.catch(() => {});

      room.publish({ user, text: "joined" });
      try {
        for await (const said of heard) yield said;
        // A refused message ends the call with its error.
        await reading;
      } finally {
        leaving.abort();
        room.publish({ user, text: "left" });
      }
    },
  };
}
