import { fileURLToPath } from "node:url";

/** Where the benchmarks and what they build lie; absolute, so that they run from any folder. */
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export const ROOT_FOLDER = at("../..");
export const NODE_PEERS_FOLDER = at("peers/node");
export const GRPC_GO_FOLDER = at("peers/grpc-go");
/** Proxies that make REST of gRPC. */
export const REST_GO_FOLDER = at("peers/rest-go");
export const GRPC_CPP_FOLDER = at("peers/grpc-cpp");
export const TERCEL_FOLDER = at("peers/tercel");
export const PICK_FOLDER = at("pick");
export const TERCEL_LINK_CLIENT = at("peers/tercel/link-client.ts");
/** Everything here is made by a run and ignored by git. */
export const BUILD_FOLDER = at(".build");
