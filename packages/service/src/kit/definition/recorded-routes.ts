import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { type ConnectRouter, createConnectRouter, type MethodImpl, type ServiceImpl } from "@connectrpc/connect";

type RouteOptions = Parameters<ConnectRouter["service"]>[2];

/** The recorded registrations of `routes`, which are applied to a server later. */
export interface RecordedRoutes {
  /** The services, each once, in the order of their first registration. */
  readonly services: readonly DescService[];
  readonly replay: (router: ConnectRouter) => void;
}

/** Calls `routes` once and records its registrations. Rejects with the error of `routes`. */
export async function recordRoutes(routes: (router: ConnectRouter) => void | Promise<void>): Promise<RecordedRoutes> {
  const recorder = new RouteRecorder();
  await routes(recorder);
  return recorder.end();
}

/** A class, because Connect's router returns itself. */
class RouteRecorder implements ConnectRouter {
  /** Connect's adapters read these; Tercel's server has its own. */
  readonly handlers: ConnectRouter["handlers"] = createConnectRouter().handlers;
  readonly #services = new Set<DescService>();
  readonly #steps: ((router: ConnectRouter) => void)[] = [];
  #isOver = false;

  service<T extends DescService>(service: T, implementation: Partial<ServiceImpl<T>>, options?: RouteOptions): this {
    this.#record(service, (router) => router.service(service, implementation, options));
    return this;
  }

  rpc<M extends DescMethod>(method: M, implementation: MethodImpl<M>, options?: RouteOptions): this {
    this.#record(method.parent, (router) => router.rpc(method, implementation, options));
    return this;
  }

  end(): RecordedRoutes {
    this.#isOver = true;
    return {
      services: [...this.#services],
      replay: (router) => {
        for (const step of this.#steps) step(router);
      },
    };
  }

  #record(service: DescService, step: (router: ConnectRouter) => void): void {
    if (this.#isOver) {
      throw new Error(
        `${service.typeName} was registered after routes ended; routes must return a promise that resolves when all services are registered`,
      );
    }
    this.#services.add(service);
    this.#steps.push(step);
  }
}
