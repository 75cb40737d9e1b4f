import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "@tercel/grpc";
import { HttpClient } from "../http/http-client.ts";

/** Where Kubernetes mounts the pod's credentials for the API server. */
const serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

export interface ClusterAccessOptions {
  /** The URL of the API server. Default: from KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT in the pod's environment. */
  readonly apiServer?: string;
  /** The folder with `token`, `ca.crt` and `namespace`. Default: where Kubernetes mounts the pod's service account. */
  readonly accountFolder?: string;
  /** The namespace whose Services are read. Default: the pod's own. */
  readonly namespace?: string;
}

/** A client of the API server with the pod's credentials. */
export interface ClusterAccess {
  readonly http: HttpClient;
  readonly apiServer: string;
  readonly namespace: string;
}

/** @throws Error that names the missing option, outside a pod */
export function openCluster(options: ClusterAccessOptions, clock: Clock): ClusterAccess {
  const folder = options.accountFolder ?? serviceAccountFolder;
  const apiServer = options.apiServer ?? serverOfEnvironment();
  const namespace = options.namespace ?? read(join(folder, "namespace"), "namespace");
  const baseUrl = new URL(apiServer);
  const http = new HttpClient({
    baseUrl,
    clock,
    // Kubernetes renews the token about once an hour. The file always contains a valid one.
    headers: () => ({ authorization: `Bearer ${read(join(folder, "token"), "apiServer")}` }),
    ...(baseUrl.protocol === "https:" && { tls: { caFile: join(folder, "ca.crt") } }),
  });
  return { http, apiServer: baseUrl.origin, namespace };
}

function serverOfEnvironment(): string {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = "443" } = process.env;
  if (host === undefined || host === "") {
    throw new Error(
      "createKubernetesRegistry: this is not a pod (KUBERNETES_SERVICE_HOST is not set); set the option apiServer",
    );
  }
  return `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function read(file: string, option: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`createKubernetesRegistry: ${reason}; is this a pod with a service account? (option ${option})`, {
      cause: error,
    });
  }
}
