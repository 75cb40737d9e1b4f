import type { ListenOptions, Server } from "@tercel/grpc";

/**
 * Two servers of the same calls that live as one: gRPC's, and the one of the HTTP port, which listens first, so that gRPC's is the sign that the
 * service is there. They drain at the same time.
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
