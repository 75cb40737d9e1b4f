import { fileURLToPath } from "node:url";

/** The folders of the benchmarks and their builds. Absolute, so that they run from any folder. */
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export const ROOT_FOLDER = at("../..");
export const NODE_PEERS_FOLDER = at("peers/node");
export const GRPC_GO_FOLDER = at("peers/grpc-go");
export const GRPC_GO_MIDDLEWARE_FOLDER = at("peers/grpc-go-middleware");
/** Proxies from REST to gRPC. */
export const REST_GO_FOLDER = at("peers/rest-go");
export const GRPC_CPP_FOLDER = at("peers/grpc-cpp");
export const GRPC_JAVA_FOLDER = at("peers/grpc-java");
export const RUST_FOLDER = at("peers/rust");
export const CANNED_FOLDER = at("peers/canned");
export const TERCEL_FOLDER = at("peers/tercel");
export const PICK_FOLDER = at("pick");
export const OPEN_LOOP_FOLDER = at("open-loop");
export const TERCEL_LINK_CLIENT = at("peers/tercel/link-client.ts");
/** The run that the docs show, and with which later runs are compared. */
export const PUBLISHED_FILE = at("published.json");
/** The output of runs, which git ignores. */
export const BUILD_FOLDER = at(".build");
