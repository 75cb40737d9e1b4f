// A server on a free port, whose number it prints; it ends with its input. Run with few file handles by connection-floods.test.ts.

import { createHttp2Server } from "../src/index.ts";
import { echo, local, portOf } from "./echo-server.ts";

const server = createHttp2Server({ onStream: echo });
await server.listen(local);
if (server.address !== undefined) console.log(portOf(server.address));
process.stdin.resume().on("end", () => process.exit());
