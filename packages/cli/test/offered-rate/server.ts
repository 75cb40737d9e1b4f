// A server for npm run bench:rate: prints its target, and at SIGTERM how many milliseconds of processor time it has taken since the last line that it read.
import { once } from "node:events";
import { createServer } from "@tercel/grpc";
import { createReflection } from "@tercel/grpc/services";
import { LibraryService } from "../gen/tercel/cli/test/v1/library_pb.ts";

const server = createServer({
  routes(router) {
    router.service(LibraryService, { getBook: ({ id }) => ({ id }) });
    createReflection({ services: [LibraryService] }).routes(router);
  },
});
const { host, port } = await server.listen({ port: 0 });
console.log(`${host}:${port}`);
let before = process.cpuUsage();
process.stdin.on("data", () => {
  before = process.cpuUsage();
});
await once(process, "SIGTERM");
const { user, system } = process.cpuUsage(before);
console.log(((user + system) / 1000).toFixed(0));
process.stdin.destroy();
await server.close({ deadlineMs: 0 });
