/**
 * What a channel or subchannel can do for a call, in gRPC's words (gRPC "Connectivity Semantics and API"):
 *
 * - `idle`: does not try to connect; a call or `connect()` makes it try.
 * - `connecting`: resolves the name or connects; calls wait.
 * - `ready`: has a connection.
 * - `transient_failure`: could not connect and will try again; calls fail unless they wait for ready.
 * - `shutdown`: closed for good.
 */
export type ConnectivityState = "idle" | "connecting" | "ready" | "transient_failure" | "shutdown";
