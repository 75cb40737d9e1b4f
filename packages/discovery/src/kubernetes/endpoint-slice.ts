// The fields of a discovery.k8s.io/v1 EndpointSlice that are read, and the instances that it describes.
import type { ServiceInstance } from "../port/instance.ts";

export interface EndpointSlice {
  readonly metadata?: {
    readonly name?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>> | null;
  };
  readonly endpoints?: readonly SliceEndpoint[] | null;
  readonly ports?:
    | readonly { readonly name?: string | null; readonly port?: number | null; readonly protocol?: string }[]
    | null;
}

interface SliceEndpoint {
  readonly addresses?: readonly string[] | null;
  readonly conditions?: {
    readonly ready?: boolean | null;
    readonly serving?: boolean | null;
    readonly terminating?: boolean | null;
  } | null;
  readonly targetRef?: { readonly kind?: string; readonly name?: string; readonly uid?: string } | null;
  readonly nodeName?: string | null;
  readonly zone?: string | null;
}

/** The label of an EndpointSlice that names its Service. */
export const serviceNameLabel = "kubernetes.io/service-name";
/** The usual label for a version. EndpointSlices have the labels of their Service. */
const versionLabel = "app.kubernetes.io/version";

/** Returns the port with the given name, or the only port. */
function portOf({ ports }: EndpointSlice, wantedName: string): number | undefined {
  const tcp = (ports ?? []).filter(({ port, protocol = "TCP" }) => typeof port === "number" && protocol === "TCP");
  const chosen = tcp.find(({ name }) => name === wantedName) ?? (tcp.length === 1 ? tcp[0] : undefined);
  return chosen?.port ?? undefined;
}

/** Returns one instance for each endpoint. A Service may have many slices, and a pod may be in two of them for a while. */
export function readSlice(service: string, slice: EndpointSlice, portName: string): ServiceInstance[] {
  const port = portOf(slice, portName);
  if (port === undefined) return [];
  return (slice.endpoints ?? []).flatMap((endpoint): ServiceInstance[] => {
    // The API reference calls the addresses of an endpoint fungible, so the first is enough.
    const [address] = endpoint.addresses ?? [];
    if (address === undefined) return [];
    const { targetRef, zone, nodeName } = endpoint;
    const metadata = new Map<string, string>();
    if (zone) metadata.set("zone", zone);
    if (nodeName) metadata.set("node", nodeName);
    if (targetRef?.name) metadata.set("pod", targetRef.name);
    return [
      {
        id: targetRef?.uid ?? `${address}:${port}`,
        name: service,
        version: slice.metadata?.labels?.[versionLabel] ?? "",
        address,
        port,
        metadata,
        endpoints: [],
        dependencies: [],
        health: wantsCalls(endpoint) ? "serving" : "not_serving",
      },
    ];
  });
}

/** The API defines that a missing `ready` means true. It is false for terminating pods. */
function wantsCalls({ conditions }: SliceEndpoint): boolean {
  return conditions?.ready !== false && conditions?.terminating !== true;
}

/** The slices of one Service, and the instances that they describe together. */
export class SliceSet {
  readonly #service: string;
  readonly #portName: string;
  readonly #byName = new Map<string, readonly ServiceInstance[]>();

  constructor(service: string, portName: string) {
    this.#service = service;
    this.#portName = portName;
  }

  put(slice: EndpointSlice): void {
    this.#byName.set(slice.metadata?.name ?? "", readSlice(this.#service, slice, this.#portName));
  }

  remove(slice: EndpointSlice): void {
    this.#byName.delete(slice.metadata?.name ?? "");
  }

  clear(): void {
    this.#byName.clear();
  }

  /** An instance that is in two slices counts once, and is serving if one of them says so. */
  get instances(): ServiceInstance[] {
    const byId = new Map<string, ServiceInstance>();
    for (const slice of this.#byName.values()) {
      for (const instance of slice) {
        if (byId.get(instance.id)?.health !== "serving") byId.set(instance.id, instance);
      }
    }
    return [...byId.values()];
  }
}
