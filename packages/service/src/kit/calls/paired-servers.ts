import type { ListenOptions, Server } from "@tercel/grpc";

/**
 * Combines the gRPC server and the server of the HTTP port into one. The HTTP port listens first, so that gRPC's port shows that the service is ready.
 * Both drain at the same time.
 */
export function pairServers(grpc: Server, http: Server, httpPlace: ListenOptions): Server {
  return {
    async listen(options) {
      await http.listen(httpPlace);
      return grpc.listen(options);
    },
    get address() {
      return grpc.address;
    },
    updateTls(tls) {
      grpc.updateTls(tls);
      http.updateTls(tls);
    },
    get calls() {
      const [one, other] = [grpc.calls, http.calls];
      return {
        started: one.started + other.started,
        succeeded: one.succeeded + other.succeeded,
        failed: one.failed + other.failed,
      };
    },
    get openConnections() {
      return grpc.openConnections + http.openConnections;
    },
    get openCalls() {
      return grpc.openCalls + http.openCalls;
    },
    services: grpc.services,
    async close(options) {
      await Promise.all([grpc.close(options), http.close(options)]);
    },
  };
}
