import { join } from "node:path";
import { because, orcaCases } from "../../cases.ts";
import { peerCache, peerFolder, protoFolder } from "../../paths.ts";
import type { Peer } from "../../peer.ts";
import { prepareOnce, runStep } from "../../prepared.ts";

const folder = peerFolder("cpp");
const cache = peerCache("cpp");

/**
 * gRPC C++ from the system's packages, with programs of this repository, because its own are not packaged. It is the only peer
 * that reads each message's compression flag on both sides.
 */
export const grpcCpp: Peer = {
  name: "c++",
  needs: ["cmake", "g++", "protoc", "grpc_cpp_plugin"],
  hidesCompression: false,
  clientLacks: because(orcaCases, "the packaged version reads no load reports"),
  serverLacks: because(orcaCases, "the packaged version has no load reports"),
  prepare() {
    const sources = ["CMakeLists.txt", "client.cc", "server.cc", "options.h"].map((name) => join(folder, name));
    const protos = ["empty", "messages", "test"].map((name) => join(protoFolder, "grpc", "testing", `${name}.proto`));
    prepareOnce(cache, [...sources, ...protos], "", () => {
      runStep("cmake", ["-S", folder, "-B", cache, `-DPROTO_FOLDER=${protoFolder}`]);
      runStep("cmake", ["--build", cache, "-j1"]);
    });
  },
  client: () => ({ file: join(cache, "client"), args: [] }),
  trustOptions: (caFile) => [`--ca_file=${caFile}`],
  server: () => ({ file: join(cache, "server"), args: [] }),
};
