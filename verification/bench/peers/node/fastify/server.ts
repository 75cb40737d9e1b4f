import Fastify from "fastify";
import { serveUsers } from "./app.ts";

await serveUsers(Fastify());
