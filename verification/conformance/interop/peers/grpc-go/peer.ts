import { join } from "node:path";
import { because, clientCompressionCases, serverCompressionCases } from "../../cases.ts";
import { peerCache } from "../../paths.ts";
import type { Peer } from "../../peer.ts";
import { prepareOnce, runStep } from "../../prepared.ts";

const version = "v1.85.0";
const binaries = peerCache("grpc-go");
const compressionCases = [...clientCompressionCases, ...serverCompressionCases];

/** grpc-go with the interoperability programs of its own module. */
export const grpcGo: Peer = {
  name: "grpc-go",
  needs: ["go"],
  hidesCompression: true,
  clientLacks: because(compressionCases, "its client has no such case"),
  serverLacks: because(compressionCases, "its server has no compression features"),
  prepare() {
    prepareOnce(binaries, [], version, () => {
      // One at a time, because the build would otherwise use all cores and much memory.
      for (const program of ["client", "server"]) {
        runStep("go", ["install", "-p=1", `google.golang.org/grpc/interop/${program}@${version}`], { GOBIN: binaries });
      }
    });
  },
  client: () => ({ file: join(binaries, "client"), args: [] }),
  trustOptions: (caFile) => [`--ca_file=${caFile}`, "--use_test_ca=true"],
  server: () => ({ file: join(binaries, "server"), args: [] }),
};
