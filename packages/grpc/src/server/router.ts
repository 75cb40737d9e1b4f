import type { DescMethod, DescService } from "@bufbuild/protobuf";
import {
  type ConnectRouter,
  createConnectRouter,
  createMethodImplSpec,
  createServiceImplSpec,
  type Interceptor,
  type MethodImpl,
  type MethodImplSpec,
  type ServiceImpl,
} from "@connectrpc/connect";
import { CallArrivals } from "../call/call-arrivals.ts";
import { checkInterceptors } from "../call/check-interceptors.ts";
import { asOutermost, groupHooks, hookChain } from "../hooks/hooked-interceptor.ts";
import { formatMethodPath } from "../protocol/method-path.ts";
import { type MethodHandler, unknownResponseBytes } from "../transport/method-handler.ts";
import { checkHandler, checkHandlers } from "./check-handlers.ts";
import type { MethodLimitTable } from "./method-limits.ts";

type Handlers = ConnectRouter["handlers"];
/** What Connect takes next to a service; of these `interceptors` matters here, the rest belongs to its own protocols. */
type RouteOptions = Parameters<ConnectRouter["service"]>[2];

/** Collects what an application routes, by request path. It is Connect's router, so Connect's route functions fit. */
export class MethodTable implements ConnectRouter {
  readonly methods = new Map<string, MethodHandler>();
  readonly services = new Set<DescService>();
  /** The same routes for Connect's own adapters, which want handlers of their kind. */
  private readonly connectRouter = createConnectRouter();

  private readonly interceptors: readonly Interceptor[];
  private readonly limits: MethodLimitTable;

  constructor(interceptors: readonly Interceptor[], limits: MethodLimitTable) {
    this.interceptors = interceptors;
    this.limits = limits;
  }

  get handlers(): Handlers {
    return this.connectRouter.handlers;
  }

  service<T extends DescService>(service: T, implementation: Partial<ServiceImpl<T>>, options?: RouteOptions): this {
    checkHandlers(service, implementation);
    checkInterceptors(`router.service(${service.typeName})`, options?.interceptors);
    const spec = createServiceImplSpec(service, implementation);
    for (const method of service.methods) this.add(spec.methods[method.localName] as MethodImplSpec, options);
    this.connectRouter.service(service, implementation, options);
    return this;
  }

  rpc<M extends DescMethod>(method: M, impl: MethodImpl<M>, options?: RouteOptions): this {
    checkHandler(method, impl);
    checkInterceptors(`router.rpc(${method.parent.typeName}/${method.name})`, options?.interceptors);
    this.add(createMethodImplSpec(method, impl), options);
    this.connectRouter.rpc(method, impl, options);
    return this;
  }

  private add(spec: MethodImplSpec, options: RouteOptions | undefined): void {
    const { method } = spec;
    const path = formatMethodPath(method.parent.typeName, method.name);
    if (this.methods.has(path)) throw new TypeError(`${path} is routed twice`);
    this.services.add(method.parent);
    const interceptors = groupHooks([...this.interceptors, ...(options?.interceptors ?? [])]);
    const [outermost, ...others] = interceptors;
    this.methods.set(path, {
      spec,
      service: method.parent,
      method,
      input: method.input,
      output: method.output,
      ...this.limits.of(method),
      requestIsStream: spec.kind === "client_streaming" || spec.kind === "bidi_streaming",
      interceptors: outermost === undefined ? [] : [asOutermost(outermost), ...others],
      hooks: interceptors.length === 1 ? hookChain(interceptors[0]) : undefined,
      arrivals: CallArrivals.of(interceptors),
      expectedResponseBytes: unknownResponseBytes,
    });
  }
}
