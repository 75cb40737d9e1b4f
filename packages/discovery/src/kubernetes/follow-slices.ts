import { Code, ConnectError } from "@connectrpc/connect";
import { type HttpClient, type HttpResponse, statusError } from "../http/http-client.ts";
import type { FollowOnce } from "../port/follow.ts";
import type { WatchSink } from "../port/watched-service.ts";
import { type EndpointSlice, SliceSet, serviceNameLabel } from "./endpoint-slice.ts";

export interface SliceReader {
  readonly http: HttpClient;
  readonly namespace: string;
  readonly portName: string;
  readonly timeoutMs: number;
}

interface SliceList {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly EndpointSlice[] | null;
}

interface WatchEvent {
  readonly type?: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  /** An EndpointSlice, or a Status in an ERROR event. */
  readonly object?: EndpointSlice & { readonly code?: number; readonly message?: string };
}

/** How long the API server keeps a watch open. A dead connection is detected 30 s after that. */
const watchMs = 300_000;
const pageSize = 500;

/** Lists the slices of a Service, with the resource version of the list. */
export async function listSlices(
  reader: SliceReader,
  service: string,
  signal?: AbortSignal,
): Promise<{ readonly slices: SliceSet; readonly version: string }> {
  const slices = new SliceSet(service, reader.portName);
  let next = "";
  for (;;) {
    const query = new URLSearchParams({ labelSelector: `${serviceNameLabel}=${service}`, limit: String(pageSize) });
    if (next !== "") query.set("continue", next);
    const path = `${slicesPath(reader.namespace)}?${query}`;
    const response = await reader.http.request({
      path,
      timeoutMs: reader.timeoutMs,
      ...(signal !== undefined && { signal }),
    });
    if (response.status !== 200) throw refusal("listing EndpointSlices", response);
    const list = JSON.parse(response.text) as SliceList;
    for (const slice of list.items ?? []) slices.put(slice);
    next = list.metadata?.continue ?? "";
    if (next === "") return { slices, version: list.metadata?.resourceVersion ?? "" };
  }
}

/**
 * Follows the slices of a Service: lists them, then watches from the list's version. After a watch ends, the next one continues from the
 * last version, which bookmarks keep recent. If the API server no longer has that version (410 Gone), the follower lists again.
 */
export function createSliceFollower(reader: SliceReader, service: string, sink: WatchSink): FollowOnce {
  let slices = new SliceSet(service, reader.portName);
  /** Empty means that the slices must be listed first. */
  let version = "";

  return async (signal, onProgress) => {
    if (version === "") {
      const listed = await listSlices(reader, service, signal);
      ({ slices, version } = listed);
      onProgress();
      sink.replace(slices.instances);
    }
    const query = new URLSearchParams({
      labelSelector: `${serviceNameLabel}=${service}`,
      watch: "1",
      allowWatchBookmarks: "true",
      resourceVersion: version,
      timeoutSeconds: String(watchMs / 1000),
    });
    const path = `${slicesPath(reader.namespace)}?${query}`;
    let failure: ConnectError | undefined;
    const onHead = (): void => {
      onProgress();
      // Reports that the registry responds again; its next event may be minutes away.
      sink.change([], []);
    };
    const response = await reader.http.readLines(
      { path, signal, timeoutMs: watchMs + 30_000, onHead, keepsProcessAlive: false },
      (line) => {
        if (failure === undefined) failure = apply(JSON.parse(line) as WatchEvent);
      },
    );
    if (response.status === 410) version = "";
    else if (response.status !== 200) throw refusal("watching EndpointSlices", response);
    if (failure !== undefined) throw failure;
  };

  /** Returns the error if the event ends the watch. */
  function apply({ type, object }: WatchEvent): ConnectError | undefined {
    if (object === undefined) return undefined;
    if (type === "ERROR") {
      version = "";
      // The version is too old: the list that follows replaces the missing events.
      if (object.code === 410) return undefined;
      return new ConnectError(`the watch failed: ${object.message ?? `code ${object.code}`}`, Code.Unavailable);
    }
    version = object.metadata?.resourceVersion ?? version;
    if (type === "BOOKMARK") {
      sink.confirm();
      return undefined;
    }
    if (type === "DELETED") slices.remove(object);
    else slices.put(object);
    sink.replace(slices.instances);
    return undefined;
  }
}

function slicesPath(namespace: string): string {
  return `/apis/discovery.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/endpointslices`;
}

/** Returns the error for a rejected request, with the message of the API server's Status. */
function refusal(what: string, response: HttpResponse): ConnectError {
  let text = response.text;
  try {
    text = (JSON.parse(response.text) as { message?: string }).message ?? text;
  } catch {
    // A body that is not a Status is reported unchanged.
  }
  return statusError(what, { status: response.status, text });
}
