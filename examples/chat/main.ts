import { createChannel, createClient, createServer } from "@tercel/grpc";
import { ChatService, type Message } from "./gen/chat/v1/chat_pb.ts";
import { createRoom } from "./room.ts";

const server = createServer({ routes: (router) => router.service(ChatService, createRoom()) });
const { port } = await server.listen({ port: 0 });
const channel = createChannel(`127.0.0.1:${port}`);
const client = createClient(ChatService, channel);

/** Joins the room. Messages written to `out` are sent at once and in order. Closing it leaves the room. */
function join(user: string) {
  const { readable, writable } = new TransformStream<{ user: string; text: string }>();
  const out = writable.getWriter();
  const heard = client.chat(readable as unknown as AsyncIterable<Message>)[Symbol.asyncIterator]();
  const say = (text: string) => out.write({ user, text });
  // The first message names the user.
  void say("");
  return {
    say,
    leave: () => out.close(),
    async hear() {
      const { value, done } = await heard.next();
      console.log(done === true ? `${user}'s call has ended` : `${user} hears ${value.user}: ${value.text}`);
    },
  };
}

const ada = join("Ada");
await ada.hear();
const grace = join("Grace");
await ada.hear();
await grace.hear();
await ada.say("Does it compile?");
await grace.hear();
await grace.say("It found a moth.");
await grace.hear();
await ada.hear();
await ada.hear();
await ada.leave();
await ada.hear();
await grace.hear();
await grace.leave();
await grace.hear();

await channel.close();
await server.close();
