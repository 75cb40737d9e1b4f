import { join } from "node:path";
import { because, orcaCases } from "../../cases.ts";
import { peerCache, peerFolder, protoFolder, root } from "../../paths.ts";
import type { Peer } from "../../peer.ts";
import { prepareOnce, runStep } from "../../prepared.ts";

const folder = peerFolder("python");
const cache = peerCache("python");
const python = join(cache, "venv", "bin", "python");
const descriptors = join(cache, "test.binpb");
const requirements = join(folder, "requirements.txt");

/** Python's grpcio, over gRPC's C core, with programs of this repository, because its own are not published. */
export const grpcPython: Peer = {
  name: "python",
  needs: ["python3"],
  hidesCompression: true,
  clientLacks: {
    ...because(["client_compressed_streaming"], "it cannot choose compression by message"),
    ...because(orcaCases, "it has no load reports"),
  },
  serverLacks: because(orcaCases, "it has no load reports"),
  prepare() {
    const protos = ["empty", "messages", "test"].map((name) => join(protoFolder, "grpc", "testing", `${name}.proto`));
    prepareOnce(cache, [requirements, ...protos], "", () => {
      runStep("python3", ["-m", "venv", join(cache, "venv")]);
      runStep(python, ["-m", "pip", "install", "--quiet", "-r", requirements]);
      runStep(join(root, "node_modules", ".bin", "buf"), [
        "build",
        protoFolder,
        "--as-file-descriptor-set",
        "-o",
        descriptors,
      ]);
    });
  },
  client: () => ({ file: python, args: ["-B", join(folder, "client.py"), `--descriptors=${descriptors}`] }),
  trustOptions: (caFile) => [`--ca_file=${caFile}`],
  server: () => ({ file: python, args: ["-B", join(folder, "server.py"), `--descriptors=${descriptors}`] }),
};
