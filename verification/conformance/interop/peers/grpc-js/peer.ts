import { join } from "node:path";
import { because, orcaCases, serverCompressionCases } from "../../cases.ts";
import { peerFolder } from "../../paths.ts";
import type { Peer } from "../../peer.ts";

const folder = peerFolder("grpc-js");

/** @grpc/grpc-js with programs of this repository, because its own are not published. The workspace installs it. */
export const grpcJs: Peer = {
  name: "grpc-js",
  needs: [],
  hidesCompression: true,
  clientLacks: {
    ...because(["client_compressed_streaming"], "it cannot choose compression by message"),
    ...because(orcaCases, "its programs here have no load reports"),
  },
  serverLacks: {
    ...because(serverCompressionCases, "it compresses no responses"),
    ...because(orcaCases, "its programs here have no load reports"),
  },
  prepare() {
    import.meta.resolve("@grpc/grpc-js");
  },
  client: () => ({ file: process.execPath, args: [join(folder, "client.ts")] }),
  trustOptions: (caFile) => [`--ca_file=${caFile}`],
  server: () => ({ file: process.execPath, args: [join(folder, "server.ts")] }),
};
