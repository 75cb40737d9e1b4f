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
  /** A slice; of an ERROR a Status. */
  readonly object?: EndpointSlice & { readonly code?: number; readonly message?: string };
}

/** The API server ends a watch after this; a connection that has died unnoticed is found out a little later. */
const watchMs = 300_000;
const pageSize = 500;

/** The slices of a service, and the version of the cluster's state that they are of. */
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
    const answer = await reader.http.request({
      path,
      timeoutMs: reader.timeoutMs,
      ...(signal !== undefined && { signal }),
    });
    if (answer.status !== 200) throw refusal("listing EndpointSlices", answer);
    const list = JSON.parse(answer.text) as SliceList;
    for (const slice of list.items ?? []) slices.put(slice);
    next = list.metadata?.continue ?? "";
    if (next === "") return { slices, version: list.metadata?.resourceVersion ?? "" };
  }
}

/**
 * Follows a service's slices: lists them, then watches from the list's version. A watch that ends continues from the version it
 * has come to, which bookmarks keep young; when the API server has forgotten that version (410 Gone), everything is listed again.
 */
export function createSliceFollower(reader: SliceReader, service: string, sink: WatchSink): FollowOnce {
  let slices = new SliceSet(service, reader.portName);
  /** Empty: list first. */
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
      // Tells that the registry is back, which may have nothing new to say for minutes.
      sink.change([], []);
    };
    const answer = await reader.http.readLines(
      { path, signal, timeoutMs: watchMs + 30_000, onHead, keepsProcessAlive: false },
      (line) => {
        if (failure === undefined) failure = apply(JSON.parse(line) as WatchEvent);
      },
    );
    if (answer.status === 410) version = "";
    else if (answer.status !== 200) throw refusal("watching EndpointSlices", answer);
    if (failure !== undefined) throw failure;
  };

  /** Returns what ends the watch. */
  function apply({ type, object }: WatchEvent): ConnectError | undefined {
    if (object === undefined) return undefined;
    if (type === "ERROR") {
      version = "";
      // Too old: the list that follows at once says all that the events would have said.
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

/** Of the API server's Status only the message is for people. */
function refusal(what: string, answer: HttpResponse): ConnectError {
  let text = answer.text;
  try {
    text = (JSON.parse(answer.text) as { message?: string }).message ?? text;
  } catch {
    // What is not a Status is reported as it is.
  }
  return statusError(what, { status: answer.status, text });
}
