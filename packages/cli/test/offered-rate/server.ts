// A server for npm run bench:rate: prints its target, and for each line that it reads how many milliseconds of processor time it has taken.
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
process.stdin.on("data", () => {
  const { user, system } = process.cpuUsage();
  console.log(((user + system) / 1000).toFixed(0));
});
await once(process.stdin, "end");
await server.close({ deadlineMs: 0 });
