import Fastify, { type FastifyInstance } from "fastify";
import { serveUsers } from "./app.ts";

await serveUsers(Fastify({ http2: true }) as unknown as FastifyInstance);
