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
import { checkInterceptors } from "../call/check-interceptors.ts";
import { formatMethodPath } from "../protocol/method-path.ts";
import type { MethodHandler, ServedMethods } from "../transport/handler/method-handler.ts";
import { TypedMethod, type TypedMethodSettings } from "../transport/handler/typed-method.ts";
import { checkHandler, checkHandlers } from "./check-handlers.ts";
import type { MethodLimitTable } from "./method-limits.ts";

type Handlers = ConnectRouter["handlers"];
/** What Connect takes next to a service; of these `interceptors` matters here, the rest belongs to its own protocols. */
type RouteOptions = Parameters<ConnectRouter["service"]>[2];

/** Collects what an application routes, by request path. It is Connect's router, so Connect's route functions fit. */
export class MethodTable implements ConnectRouter, ServedMethods {
  /** All is routed before the first call. */
  readonly version = 0;
  readonly services = new Set<DescService>();
  /** The same routes for Connect's own adapters, which want handlers of their kind. */
  private readonly connectRouter = createConnectRouter();

  private readonly methods = new Map<string, MethodHandler>();
  private readonly codecs: TypedMethodSettings["codecs"];
  private readonly interceptors: readonly Interceptor[];
  private readonly limits: MethodLimitTable;

  constructor(codecs: TypedMethodSettings["codecs"], interceptors: readonly Interceptor[], limits: MethodLimitTable) {
    this.codecs = codecs;
    this.interceptors = interceptors;
    this.limits = limits;
  }

  find(path: string): MethodHandler | undefined {
    return this.methods.get(path);
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
    const { codecs, limits } = this;
    const interceptors = [...this.interceptors, ...(options?.interceptors ?? [])];
    this.methods.set(path, new TypedMethod(spec, { codecs, interceptors, ...limits.of(method) }));
  }
}
