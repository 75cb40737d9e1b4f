import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { PassThrough, type Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { streamedMessages, user, users } from "../../../gateway/values.ts";
import { announce, portArgument } from "../../serve.ts";

/** As in Fastify's documentation: schemas for validation and for serialization. */
const userSchema = {
  type: "object",
  properties: { userId: { type: "string" }, email: { type: "string" }, displayName: { type: "string" } },
} as const;

/** Serves the users over REST, like the measured gateway. */
export async function serveUsers(app: FastifyInstance): Promise<void> {
  addUsers(app);
  await app.listen({ host: "127.0.0.1", port: portArgument() });
  announce((app.server.address() as AddressInfo).port, () => app.close());
}

function addUsers(app: FastifyInstance): void {
  app.get(
    "/v1/users/:userId",
    {
      schema: {
        params: { type: "object", properties: { userId: { type: "string" } }, required: ["userId"] },
        response: { 200: userSchema },
      },
    },
    async () => user,
  );
  app.get(
    "/v1/users",
    {
      schema: {
        querystring: {
          type: "object",
          properties: { page_size: { type: "integer" }, page_token: { type: "string" } },
        },
        response: { 200: { type: "object", properties: { users: { type: "array", items: userSchema } } } },
      },
    },
    async () => ({ users }),
  );
  app.post(
    "/v1/users",
    { schema: { body: { ...userSchema, required: ["email"] }, response: { 200: userSchema } } },
    async (request) => ({ ...(request.body as object), userId: "ada" }),
  );
  // Two colons are a literal colon.
  app.get("/v1/users::events", async (request, reply) => sendEvents(request, reply));
}

async function sendEvents(request: FastifyRequest, reply: FastifyReply): Promise<Readable> {
  const isEvents = request.headers.accept === "text/event-stream";
  const { resume_token: resumeToken } = request.query as { readonly resume_token?: string };
  const stream = new PassThrough();
  void write(stream, isEvents, resumeToken === "hold" ? 1 : streamedMessages).then(() => {
    if (resumeToken !== "hold") stream.end();
  });
  reply.type(isEvents ? "text/event-stream" : "application/x-ndjson");
  return stream;
}

async function write(stream: PassThrough, isEvents: boolean, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    const text = JSON.stringify({ resumeToken: String(at), user });
    const hasRoom = stream.write(isEvents ? `id: ${at}\ndata: ${text}\n\n` : `{"result":${text}}\n`);
    if (!hasRoom) await once(stream, "drain");
  }
}
